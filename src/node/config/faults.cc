#include "node/config/faults.h"

#include <algorithm>
#include <tuple>

namespace rivulet {

std::string QuoteForMessage(std::string_view text) {
  constexpr size_t kShown = 60;
  std::string out = "'";
  for (const char c : text.substr(0, kShown)) {
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  if (text.size() > kShown) out += "...";
  return out + "'";
}

void Faults::Add(SourceMark mark, ErrorCode code, std::string message) {
  if (full()) return;
  errors_->push_back({file_, mark.line, mark.column, code, std::move(message)});
}

void Faults::SortByPlace() {
  std::stable_sort(errors_->begin() + static_cast<ptrdiff_t>(before_), errors_->end(),
                   [](const ConfigError& a, const ConfigError& b) {
                     return std::tie(a.line, a.column) < std::tie(b.line, b.column);
                   });
}

}  // namespace rivulet
