#include "operators/expr/logic.h"

namespace rivulet::expr {
namespace {

static_assert(static_cast<int>(Type::kNull) == 0 && static_cast<int>(Type::kBool) == 1);

std::string NeedsBool(std::string_view name, Type found) {
  return std::string(name) + " needs bool, found " + std::string(TypeName(found));
}

// True when the value is the one that settles the operator.
inline bool Decides(LogicOp op, const Column& state, uint32_t row) {
  return !state.is_null(row) && state.Bool(row) == (op == LogicOp::kOr);
}

// With only bools and nulls on both sides the truth tables become arithmetic on bits.
template <LogicOp op>
void BitLoop(const View& operand, Selection selection, Column* out) {
  const View b = operand;
  Cell* const cells = out->cells();
  Type* const tags = out->tags();
  ForRows(selection, [=](uint32_t row) {
    const bool l_known = tags[row] != Type::kNull, r_known = b.type(row) != Type::kNull;
    const bool l = cells[row].i != 0, r = b.cell(row).i != 0;
    const bool l_true = l_known & l, l_false = l_known & !l;
    const bool r_true = r_known & r, r_false = r_known & !r;
    const bool is_true = op == LogicOp::kAnd ? l_true & r_true : l_true | r_true;
    const bool is_false = op == LogicOp::kAnd ? l_false | r_false : l_false & r_false;
    cells[row].i = is_true ? 1 : 0;
    tags[row] = static_cast<Type>(is_true | is_false);
  });
  out->MarkSeen(kBoolMask);
}

}  // namespace

void LoadCondition(const View& operand, std::string_view name, Selection selection, Column* out,
                   RowErrors* errors) {
  ForRows(selection, [&](uint32_t row) {
    const Type type = operand.type(row);
    if (type == Type::kBool) {
      out->SetBool(row, operand.cell(row).i != 0);
      return;
    }
    out->SetNull(row);
    if (type != Type::kNull) errors->Add(row, NeedsBool(name, type));
  });
}

void CombineCondition(LogicOp op, const View& operand, Selection selection, Column* out,
                      RowErrors* errors) {
  if ((operand.seen & ~kBoolMask) == 0) {
    return op == LogicOp::kAnd ? BitLoop<LogicOp::kAnd>(operand, selection, out)
                               : BitLoop<LogicOp::kOr>(operand, selection, out);
  }
  ForRows(selection, [&](uint32_t row) {
    if (Decides(op, *out, row)) return;
    const Value v = operand.Get(row);
    if (v.type == Type::kBool) {
      if (v.b == (op == LogicOp::kOr)) out->SetBool(row, v.b);
      return;
    }
    out->SetNull(row);
    if (!v.is_null()) errors->Add(row, NeedsBool(op == LogicOp::kAnd ? "'and'" : "'or'", v.type));
  });
}

void EvaluateNot(const View& operand, Selection selection, Column* out, RowErrors* errors) {
  LoadCondition(operand, "'not'", selection, out, errors);
  ForRows(selection, [&](uint32_t row) { out->cells()[row].i = out->cells()[row].i == 0; });
}

uint32_t CountUndecided(LogicOp op, const Column& state, Selection selection) {
  const Cell* const cells = state.cells();
  const Type* const tags = state.tags();
  const bool decisive = op == LogicOp::kOr;
  uint32_t decided = 0;
  ForRows(selection, [=, &decided](uint32_t row) {
    decided += (tags[row] != Type::kNull) & ((cells[row].i != 0) == decisive);
  });
  return selection.count - decided;
}

Selection Undecided(LogicOp op, const Column& state, Selection selection,
                    std::vector<uint32_t>* rows) {
  rows->clear();
  ForRows(selection, [&](uint32_t row) {
    if (!Decides(op, state, row)) rows->push_back(row);
  });
  return {rows->data(), static_cast<uint32_t>(rows->size())};
}

void SplitByCondition(const View& condition, Selection selection, std::vector<uint32_t>* matched,
                      std::vector<uint32_t>* rest, std::string_view name, RowErrors* errors) {
  matched->clear();
  rest->resize(selection.count);
  uint32_t kept = 0;
  ForRows(selection, [&](uint32_t row) {
    const Value v = condition.Get(row);
    if (v.type == Type::kBool && v.b) {
      matched->push_back(row);
      return;
    }
    if (v.type != Type::kBool && !v.is_null()) errors->Add(row, NeedsBool(name, v.type));
    (*rest)[kept++] = row;
  });
  rest->resize(kept);
}

}  // namespace rivulet::expr
