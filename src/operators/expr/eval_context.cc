#include "operators/expr/eval_context.h"

#include <algorithm>

namespace rivulet::expr {

EvalContext::EvalContext() : impl_(std::make_unique<Impl>()) {}
EvalContext::~EvalContext() = default;
EvalContext::EvalContext(EvalContext&&) noexcept = default;
EvalContext& EvalContext::operator=(EvalContext&&) noexcept = default;

void RowErrors::Flush(Column* result, std::vector<RowError>* out) {
  if (errors_.empty()) return;
  std::sort(errors_.begin(), errors_.end(),
            [](const RowError& a, const RowError& b) { return a.row < b.row; });
  for (RowError& error : errors_) {
    result->SetNull(error.row);
    out->push_back(std::move(error));
  }
  errors_.clear();
  failed_.clear();
}

}  // namespace rivulet::expr
