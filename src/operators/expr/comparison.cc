#include "operators/expr/comparison.h"

#include <cmath>

namespace rivulet::expr {
namespace {

constexpr double kTwo63 = 9223372036854775808.0;
constexpr int64_t kExactInt = int64_t{1} << 53;  // ints up to here are floats without loss

Ordering OrderOf(double a, double b) {
  if (a < b) return Ordering::kLess;
  if (a > b) return Ordering::kGreater;
  return a == b ? Ordering::kEqual : Ordering::kUnordered;
}
template <typename T>
Ordering OrderOfTotal(const T& a, const T& b) {
  if (a < b) return Ordering::kLess;
  return b < a ? Ordering::kGreater : Ordering::kEqual;
}

// Exact: the integer part is compared as integers, the fraction breaks the tie.
Ordering OrderOf(int64_t a, double b) {
  if (std::isnan(b)) return Ordering::kUnordered;
  if (b >= kTwo63) return Ordering::kLess;
  if (b < -kTwo63) return Ordering::kGreater;
  const double whole = std::trunc(b);
  const Ordering order = OrderOfTotal(a, static_cast<int64_t>(whole));
  return order == Ordering::kEqual ? OrderOf(whole, b) : order;
}

Ordering Reverse(Ordering o) {
  if (o == Ordering::kLess) return Ordering::kGreater;
  return o == Ordering::kGreater ? Ordering::kLess : o;
}

template <CompareOp op>
constexpr bool Holds(Ordering o) {
  switch (op) {
    case CompareOp::kEqual: return o == Ordering::kEqual;
    case CompareOp::kNotEqual: return o != Ordering::kEqual;
    case CompareOp::kLess: return o == Ordering::kLess;
    case CompareOp::kLessEqual: return o == Ordering::kLess || o == Ordering::kEqual;
    case CompareOp::kGreater: return o == Ordering::kGreater;
    case CompareOp::kGreaterEqual: return o == Ordering::kGreater || o == Ordering::kEqual;
  }
  return false;
}

template <CompareOp op, typename T>
constexpr bool Compare(const T& a, const T& b) {
  switch (op) {
    case CompareOp::kEqual: return a == b;
    case CompareOp::kNotEqual: return a != b;
    case CompareOp::kLess: return a < b;
    case CompareOp::kLessEqual: return a <= b;
    case CompareOp::kGreater: return a > b;
    case CompareOp::kGreaterEqual: return a >= b;
  }
  return false;
}

template <CompareOp op>
void GenericLoop(const View& left, const View& right, Selection selection, Column* out,
                 RowErrors* errors) {
  ForRows(selection, [&](uint32_t row) {
    const Value a = left.Get(row), b = right.Get(row);
    if (a.is_null() || b.is_null()) {
      out->SetNull(row);
      return;
    }
    const Ordering order = Order(a, b);
    if (order != Ordering::kIncomparable) {
      out->SetBool(row, Holds<op>(order));
      return;
    }
    out->SetNull(row);
    errors->Add(row, CannotCompare(a.type, b.type));
  });
}

// Both sides of one type that `load` takes out of a view.
template <CompareOp op, typename Load>
void UniformLoop(const View& left, const View& right, Selection selection, Column* out, Load load) {
  const View a = left, b = right;
  Cell* const cells = out->cells();
  Type* const tags = out->tags();
  ForRows(selection, [=](uint32_t row) {
    cells[row].i = Compare<op>(load(a, row), load(b, row)) ? 1 : 0;
    const bool present = (a.type(row) != Type::kNull) & (b.type(row) != Type::kNull);
    tags[row] = present ? Type::kBool : Type::kNull;
  });
  out->MarkSeen(kBoolMask);
}

// As above for strings, whose cells must not be followed where the row is null.
template <CompareOp op>
void StringLoop(const View& left, const View& right, Selection selection, Column* out) {
  ForRows(selection, [&](uint32_t row) {
    if (left.type(row) == Type::kNull || right.type(row) == Type::kNull) {
      out->SetNull(row);
    } else {
      out->SetBool(row, Compare<op>(left.text(row), right.text(row)));
    }
  });
}

// A number constant beside a column of the other number type: `speed > 100` over floats. Where the
// constant has an exact twin in the column's type, comparing with that is the same and fast.
struct Twin {
  Cell cell;
  Type tag = Type::kNull;
};
bool UseTwin(View* constant, Type wanted, Twin* twin) {
  if (!constant->constant() || constant->seen == 0) return false;
  const Value v = constant->Get(0);
  if (wanted == Type::kFloat && v.type == Type::kInt && v.i >= -kExactInt && v.i <= kExactInt) {
    twin->cell.f = static_cast<double>(v.i);
  } else if (wanted == Type::kInt && v.type == Type::kFloat && v.f >= -kTwo63 && v.f < kTwo63 &&
             std::trunc(v.f) == v.f) {
    twin->cell.i = static_cast<int64_t>(v.f);
  } else {
    return false;
  }
  twin->tag = wanted;
  *constant = {&twin->cell, &twin->tag, nullptr, MaskOf(wanted), 0};
  return true;
}

void MakeUniform(View* left, View* right, Twin* twin) {
  for (Type t : {Type::kFloat, Type::kInt}) {
    if (left->Only(t) && !right->Only(t) && UseTwin(right, t, twin)) return;
    if (right->Only(t) && !left->Only(t) && UseTwin(left, t, twin)) return;
  }
}

template <CompareOp op>
void Dispatch(View left, View right, Selection selection, Column* out, RowErrors* errors) {
  Twin twin;
  MakeUniform(&left, &right, &twin);
  if (left.Only(Type::kFloat) && right.Only(Type::kFloat)) {
    return UniformLoop<op>(left, right, selection, out,
                           [](const View& v, uint32_t row) { return v.cell(row).f; });
  }
  if (left.Only(Type::kInt) && right.Only(Type::kInt)) {
    return UniformLoop<op>(left, right, selection, out,
                           [](const View& v, uint32_t row) { return v.cell(row).i; });
  }
  if (left.Only(Type::kString) && right.Only(Type::kString)) {
    return StringLoop<op>(left, right, selection, out);
  }
  GenericLoop<op>(left, right, selection, out, errors);
}

}  // namespace

Ordering Order(const Value& a, const Value& b) {
  if (a.type == Type::kInt && b.type == Type::kInt) return OrderOfTotal(a.i, b.i);
  if (a.type == Type::kFloat && b.type == Type::kFloat) return OrderOf(a.f, b.f);
  if (a.type == Type::kInt && b.type == Type::kFloat) return OrderOf(a.i, b.f);
  if (a.type == Type::kFloat && b.type == Type::kInt) return Reverse(OrderOf(b.i, a.f));
  if (a.type != b.type) return Ordering::kIncomparable;
  if (a.type == Type::kString) return OrderOfTotal(a.s, b.s);
  return OrderOfTotal(a.b, b.b);
}

std::string CannotCompare(Type a, Type b) {
  return "cannot compare " + std::string(TypeName(a)) + " with " + std::string(TypeName(b));
}

void EvaluateCompare(CompareOp op, const View& left, const View& right, Selection selection,
                     Column* out, RowErrors* errors) {
  using Op = CompareOp;
  switch (op) {
    case Op::kEqual: return Dispatch<Op::kEqual>(left, right, selection, out, errors);
    case Op::kNotEqual: return Dispatch<Op::kNotEqual>(left, right, selection, out, errors);
    case Op::kLess: return Dispatch<Op::kLess>(left, right, selection, out, errors);
    case Op::kLessEqual: return Dispatch<Op::kLessEqual>(left, right, selection, out, errors);
    case Op::kGreater: return Dispatch<Op::kGreater>(left, right, selection, out, errors);
    case Op::kGreaterEqual: return Dispatch<Op::kGreaterEqual>(left, right, selection, out, errors);
  }
}

void EvaluateBetween(const View& operand, const View& low, const View& high, bool negated,
                     Selection selection, Column* out, RowErrors* errors) {
  ForRows(selection, [&](uint32_t row) {
    const Value v = operand.Get(row);
    out->SetNull(row);
    if (v.is_null()) return;
    bool unknown = false;
    for (const bool lower : {true, false}) {
      const Value bound = (lower ? low : high).Get(row);
      if (bound.is_null()) {
        unknown = true;
        continue;
      }
      const Ordering order = Order(v, bound);
      if (order == Ordering::kIncomparable) {
        return errors->Add(row, CannotCompare(v.type, bound.type));
      }
      const bool inside = lower ? Holds<CompareOp::kGreaterEqual>(order)
                                : Holds<CompareOp::kLessEqual>(order);
      if (!inside) return out->SetBool(row, negated);
    }
    if (!unknown) out->SetBool(row, !negated);
  });
}

namespace {

// Operand and elements of one type: nothing to decide a row but null and equal.
template <typename Load>
void UniformIn(const View& operand, const View* elements, size_t count, bool negated,
               Selection selection, Column* out, Load load) {
  ForRows(selection, [&](uint32_t row) {
    out->SetNull(row);
    if (operand.type(row) == Type::kNull) return;
    const auto value = load(operand, row);
    bool unknown = false;
    for (size_t i = 0; i < count; ++i) {
      const bool present = elements[i].type(row) != Type::kNull;
      if (present && load(elements[i], row) == value) return out->SetBool(row, !negated);
      unknown |= !present;
    }
    if (!unknown) out->SetBool(row, negated);
  });
}

bool AllOnly(Type type, const View& operand, const View* elements, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (!elements[i].Only(type)) return false;
  }
  return operand.Only(type);
}

}  // namespace

void EvaluateIn(const View& operand, const View* elements, size_t count, bool negated,
                Selection selection, Column* out, RowErrors* errors) {
  if (AllOnly(Type::kString, operand, elements, count)) {
    return UniformIn(operand, elements, count, negated, selection, out,
                     [](const View& v, uint32_t row) { return v.text(row); });
  }
  if (AllOnly(Type::kInt, operand, elements, count)) {
    return UniformIn(operand, elements, count, negated, selection, out,
                     [](const View& v, uint32_t row) { return v.cell(row).i; });
  }
  ForRows(selection, [&](uint32_t row) {
    const Value v = operand.Get(row);
    out->SetNull(row);
    if (v.is_null()) return;
    bool unknown = false;
    for (size_t i = 0; i < count; ++i) {
      const Value element = elements[i].Get(row);
      if (element.is_null()) {
        unknown = true;
        continue;
      }
      const Ordering order = Order(v, element);
      if (order == Ordering::kEqual) return out->SetBool(row, !negated);
      if (order == Ordering::kIncomparable) {
        return errors->Add(row, CannotCompare(v.type, element.type));
      }
    }
    if (!unknown) out->SetBool(row, negated);
  });
}

}  // namespace rivulet::expr
