// Scratch memory and views that evaluation works with.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/record_batch.h"
#include "operators/expr/function_registry.h"
#include "operators/expr/program.h"

namespace rivulet::expr {

// What an operand looks like to a kernel: a column of the batch, a temporary, or a constant, which
// is one row that `mask` = 0 repeats. Does not own; valid until the column changes.
struct View {
  const Cell* cells = nullptr;
  const Type* tags = nullptr;
  const char* heap = nullptr;
  TypeMask seen = 0;  // without null: types that may occur
  uint32_t mask = 0;  // row & mask is the index of the row

  Type type(uint32_t row) const { return tags[row & mask]; }
  const Cell& cell(uint32_t row) const { return cells[row & mask]; }
  std::string_view text(uint32_t row) const {
    const StringRef r = cell(row).s;
    return {heap + r.offset, r.length};
  }
  Value Get(uint32_t row) const {
    switch (type(row)) {
      case Type::kNull: return Value::Null();
      case Type::kBool: return Value::Bool(cell(row).i != 0);
      case Type::kInt: return Value::Int(cell(row).i);
      case Type::kFloat: return Value::Float(cell(row).f);
      case Type::kString: return Value::String(text(row));
    }
    return Value::Null();
  }
  bool Only(Type t) const { return seen == MaskOf(t); }
  bool constant() const { return mask == 0; }
};

inline View ViewOf(const Column& column) {
  return {column.cells(), column.tags(), column.heap().data(),
          static_cast<TypeMask>(column.seen() & ~kNullMask), ~0u};
}
inline View ViewOfConstant(const Column& column) {
  View view = ViewOf(column);
  view.mask = 0;
  return view;
}

template <typename F>
inline void ForRows(Selection selection, F f) {
  if (selection.rows == nullptr) {
    for (uint32_t row = 0; row < selection.count; ++row) f(row);
  } else {
    for (uint32_t k = 0; k < selection.count; ++k) f(selection.rows[k]);
  }
}

// The rows that failed: the first error of each. A failed row goes on as null, and is null in the
// result whatever is made of it.
class RowErrors {
 public:
  void Add(uint32_t row, std::string detail) {
    if (failed_.size() <= row) failed_.resize(row + 1, false);
    if (failed_[row]) return;
    failed_[row] = true;
    errors_.push_back({row, ErrorCode::kEvaluation, std::move(detail)});
  }
  bool empty() const { return errors_.empty(); }
  // Appends the errors in order of row, makes those rows null in `result`, and forgets them.
  void Flush(Column* result, std::vector<RowError>* out);

 private:
  std::vector<RowError> errors_;
  std::vector<bool> failed_;
};

// Buffers given out and taken back like a stack.
template <typename T>
class Pool {
 public:
  T* Acquire() {
    if (used_ == items_.size()) items_.push_back(std::make_unique<T>());
    return items_[used_++].get();
  }
  size_t mark() const { return used_; }
  void ReleaseTo(size_t mark) { used_ = mark; }

 private:
  std::vector<std::unique_ptr<T>> items_;
  size_t used_ = 0;
};

struct EvalContext::Impl {
  Pool<Column> columns;
  Pool<std::vector<uint32_t>> rows;
  std::vector<View> views;  // operands of the calls being evaluated, a stack
  std::vector<Value> values;
  CallContext call;
  PreparedCache prepared;
  RowErrors errors;
  Column null_column;  // one row, null: stands for columns the batch does not have

  Impl() { null_column.Reset(1); }
};

}  // namespace rivulet::expr
