#include "operators/expr/arithmetic.h"

#include <cmath>
#include <limits>

#include "base/portable_math.h"

namespace rivulet::expr {
namespace {

constexpr int64_t kMinInt = std::numeric_limits<int64_t>::min();

// --- one value at a time ---

// False: the result is beyond int64.
template <ArithmeticOp op>
inline bool IntResult(int64_t a, int64_t b, int64_t* result) {
  if constexpr (op == ArithmeticOp::kAdd) return !__builtin_add_overflow(a, b, result);
  if constexpr (op == ArithmeticOp::kSubtract) return !__builtin_sub_overflow(a, b, result);
  if constexpr (op == ArithmeticOp::kMultiply) return !__builtin_mul_overflow(a, b, result);
  return false;
}

inline double FloorModulo(double a, double b) {
  const double r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

template <ArithmeticOp op>
inline double FloatResult(double a, double b) {
  switch (op) {
    case ArithmeticOp::kAdd: return a + b;
    case ArithmeticOp::kSubtract: return a - b;
    case ArithmeticOp::kMultiply: return a * b;
    case ArithmeticOp::kDivide: return a / b;
    case ArithmeticOp::kIntDivide: return std::floor(a / b);
    case ArithmeticOp::kModulo: return FloorModulo(a, b);
    case ArithmeticOp::kPower: return portable::Pow(a, b);
  }
  return 0;
}

constexpr bool Divides(ArithmeticOp op) {
  return op == ArithmeticOp::kDivide || op == ArithmeticOp::kIntDivide ||
         op == ArithmeticOp::kModulo;
}
// The operators that keep integers exact in one machine instruction.
constexpr bool IntFast(ArithmeticOp op) {
  return op == ArithmeticOp::kAdd || op == ArithmeticOp::kSubtract || op == ArithmeticOp::kMultiply;
}
constexpr bool FloatOnly(ArithmeticOp op) {
  return op == ArithmeticOp::kDivide || op == ArithmeticOp::kPower;
}

inline Value FloorDivide(int64_t a, int64_t b) {
  if (b == -1) return a == kMinInt ? Value::Float(-static_cast<double>(a)) : Value::Int(-a);
  const int64_t q = a / b;
  return Value::Int(a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q);
}
inline Value FloorModulo(int64_t a, int64_t b) {
  if (b == -1) return Value::Int(0);
  const int64_t r = a % b;
  return Value::Int(r != 0 && (r < 0) != (b < 0) ? r + b : r);
}

template <ArithmeticOp op>
Value Compute(const Value& a, const Value& b) {
  if (a.type == Type::kInt && b.type == Type::kInt && !FloatOnly(op)) {
    if (Divides(op) && b.i == 0) return Value::Null();
    if constexpr (op == ArithmeticOp::kIntDivide) return FloorDivide(a.i, b.i);
    if constexpr (op == ArithmeticOp::kModulo) return FloorModulo(a.i, b.i);
    int64_t exact = 0;
    if (IntResult<op>(a.i, b.i, &exact)) return Value::Int(exact);
  }
  const double y = b.AsFloat();
  if (Divides(op) && y == 0) return Value::Null();
  return Value::Float(FloatResult<op>(a.AsFloat(), y));
}

// --- any mix of types ---

template <ArithmeticOp op>
void GenericLoop(const View& left, const View& right, Selection selection, Column* out,
                 RowErrors* errors) {
  ForRows(selection, [&](uint32_t row) {
    const Type l = left.type(row), r = right.type(row);
    if (l == Type::kNull || r == Type::kNull) {
      out->SetNull(row);
      return;
    }
    const Value a = left.Get(row), b = right.Get(row);
    if (a.is_number() && b.is_number()) {
      out->Set(row, Compute<op>(a, b));
      return;
    }
    out->SetNull(row);
    errors->Add(row, "cannot compute " + std::string(TypeName(l)) + " " +
                         std::string(OperatorName(op)) + " " + std::string(TypeName(r)));
  });
}

// --- each side of one number type: no decision a row but null ---

template <Type type>
inline double LoadFloat(const Cell& cell) {
  return type == Type::kInt ? static_cast<double>(cell.i) : cell.f;
}

template <ArithmeticOp op, Type left_type, Type right_type>
void FloatLoop(const View& left, const View& right, Selection selection, Column* out) {
  const View a = left, b = right;  // copies, so that the compiler knows nothing else changes them
  Cell* const cells = out->cells();
  Type* const tags = out->tags();
  ForRows(selection, [=](uint32_t row) {
    const double y = LoadFloat<right_type>(b.cell(row));
    cells[row].f = FloatResult<op>(LoadFloat<left_type>(a.cell(row)), y);
    bool present = (a.type(row) != Type::kNull) & (b.type(row) != Type::kNull);
    if constexpr (Divides(op)) present &= y != 0;
    tags[row] = present ? Type::kFloat : Type::kNull;
  });
  out->MarkSeen(kFloatMask);
}

// False when some row overflowed (or the meaningless cell of a null row seemed to): the whole loop
// is then done again with care.
template <ArithmeticOp op>
bool IntLoop(const View& left, const View& right, Selection selection, Column* out) {
  const View a = left, b = right;
  Cell* const cells = out->cells();
  Type* const tags = out->tags();
  bool exact = true;
  ForRows(selection, [=, &exact](uint32_t row) {
    int64_t result = 0;
    exact &= IntResult<op>(a.cell(row).i, b.cell(row).i, &result);
    cells[row].i = result;
    const bool present = (a.type(row) != Type::kNull) & (b.type(row) != Type::kNull);
    tags[row] = present ? Type::kInt : Type::kNull;
  });
  if (exact) out->MarkSeen(kIntMask);
  return exact;
}

template <ArithmeticOp op>
void Dispatch(const View& left, const View& right, Selection selection, Column* out,
              RowErrors* errors) {
  if (left.Only(Type::kFloat) && right.Only(Type::kFloat)) {
    return FloatLoop<op, Type::kFloat, Type::kFloat>(left, right, selection, out);
  }
  if (left.Only(Type::kFloat) && right.Only(Type::kInt)) {
    return FloatLoop<op, Type::kFloat, Type::kInt>(left, right, selection, out);
  }
  if (left.Only(Type::kInt) && right.Only(Type::kFloat)) {
    return FloatLoop<op, Type::kInt, Type::kFloat>(left, right, selection, out);
  }
  if (left.Only(Type::kInt) && right.Only(Type::kInt)) {
    if constexpr (FloatOnly(op)) {
      return FloatLoop<op, Type::kInt, Type::kInt>(left, right, selection, out);
    } else if constexpr (IntFast(op)) {
      if (IntLoop<op>(left, right, selection, out)) return;
    }
  }
  GenericLoop<op>(left, right, selection, out, errors);
}

}  // namespace

void EvaluateArithmetic(ArithmeticOp op, const View& left, const View& right, Selection selection,
                        Column* out, RowErrors* errors) {
  using Op = ArithmeticOp;
  switch (op) {
    case Op::kAdd: return Dispatch<Op::kAdd>(left, right, selection, out, errors);
    case Op::kSubtract: return Dispatch<Op::kSubtract>(left, right, selection, out, errors);
    case Op::kMultiply: return Dispatch<Op::kMultiply>(left, right, selection, out, errors);
    case Op::kDivide: return Dispatch<Op::kDivide>(left, right, selection, out, errors);
    case Op::kIntDivide: return Dispatch<Op::kIntDivide>(left, right, selection, out, errors);
    case Op::kModulo: return Dispatch<Op::kModulo>(left, right, selection, out, errors);
    case Op::kPower: return Dispatch<Op::kPower>(left, right, selection, out, errors);
  }
}

void EvaluateNegate(const View& operand, Selection selection, Column* out, RowErrors* errors) {
  if (operand.Only(Type::kFloat)) {
    const View a = operand;
    ForRows(selection, [&](uint32_t row) {
      out->cells()[row].f = -a.cell(row).f;
      out->tags()[row] = a.type(row);
    });
    out->MarkSeen(kFloatMask);
    return;
  }
  ForRows(selection, [&](uint32_t row) {
    const Value v = operand.Get(row);
    switch (v.type) {
      case Type::kNull: out->SetNull(row); break;
      case Type::kFloat: out->SetFloat(row, -v.f); break;
      case Type::kInt:
        out->Set(row, v.i == kMinInt ? Value::Float(-static_cast<double>(v.i)) : Value::Int(-v.i));
        break;
      default:
        out->SetNull(row);
        errors->Add(row, "cannot negate " + std::string(TypeName(v.type)));
    }
  });
}

}  // namespace rivulet::expr
