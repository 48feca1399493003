// Mathematical functions. Outside a function's domain the result is IEEE's NaN or infinity, as in
// sqrt(-1) and ln(0). abs, floor, ceil, round and trunc of an int are ints.

#include <cmath>
#include <limits>
#include <numbers>

#include "base/portable_math.h"
#include "base/wide_int.h"
#include "operators/expr/comparison.h"
#include "operators/expr/function_registry.h"

namespace rivulet::expr {
namespace {

constexpr int64_t kMinInt = std::numeric_limits<int64_t>::min();

double Radians(double degrees) { return degrees * (std::numbers::pi / 180); }
double Degrees(double radians) { return radians * (180 / std::numbers::pi); }

// A function of one float.
template <double (*f)(double)>
Value Unary(const Value* a, size_t, CallContext*) {
  return Value::Float(f(a[0].AsFloat()));
}
// The same for floats, while ints stay what they are.
template <double (*f)(double)>
Value Rounding(const Value* a, size_t, CallContext*) {
  return a[0].type == Type::kInt ? a[0] : Value::Float(f(a[0].f));
}

Value Abs(const Value* a, size_t, CallContext*) {
  if (a[0].type == Type::kFloat) return Value::Float(std::fabs(a[0].f));
  if (a[0].i == kMinInt) return Value::Float(-static_cast<double>(kMinInt));
  return Value::Int(a[0].i < 0 ? -a[0].i : a[0].i);
}

// -1, 0 or 1 in the argument's type; NaN stays NaN.
Value Sign(const Value* a, size_t, CallContext*) {
  if (a[0].type == Type::kInt) return Value::Int((a[0].i > 0) - (a[0].i < 0));
  const double v = a[0].f;
  if (std::isnan(v)) return a[0];
  return Value::Float((v > 0) - (v < 0));
}

double RoundFloat(double v, int64_t digits) {
  // 10^22 is the last power of ten that a float holds exactly; a float with digits beyond the
  // 22nd place behind the point has none there worth rounding.
  if (digits > 22 || !std::isfinite(v)) return v;
  if (digits < -308) return 0;
  const double scale = portable::Pow(10.0, static_cast<double>(digits < 0 ? -digits : digits));
  if (digits < 0) return std::round(v / scale) * scale;
  const double scaled = v * scale;
  return std::isfinite(scaled) ? std::round(scaled) / scale : v;
}

// Half away from zero, in place -digits.
Value RoundInt(int64_t v, int64_t digits) {
  if (digits >= 0) return Value::Int(v);
  if (digits < -19) return Value::Int(0);
  Int128 unit = 1;
  for (int64_t i = digits; i < 0; ++i) unit *= 10;
  const Int128 half = v < 0 ? -unit / 2 : unit / 2;
  const Int128 rounded = (v + half) / unit * unit;
  const auto result = static_cast<int64_t>(rounded);
  return result == rounded ? Value::Int(result) : Value::Float(static_cast<double>(rounded));
}

// round(x[, digits]): halves go away from zero.
Value Round(const Value* a, size_t count, CallContext*) {
  const int64_t digits = count > 1 ? a[1].i : 0;
  if (a[0].type == Type::kInt) return RoundInt(a[0].i, digits);
  return Value::Float(digits == 0 ? std::round(a[0].f) : RoundFloat(a[0].f, digits));
}

// log(base, x)
Value Log(const Value* a, size_t, CallContext*) {
  const double base = a[0].AsFloat(), x = a[1].AsFloat();
  if (base == 10) return Value::Float(portable::Log10(x));
  if (base == 2) return Value::Float(portable::Log2(x));
  return Value::Float(portable::Log(x) / portable::Log(base));
}

Value Atan2(const Value* a, size_t, CallContext*) {
  return Value::Float(portable::Atan2(a[0].AsFloat(), a[1].AsFloat()));
}
Value Pi(const Value*, size_t, CallContext*) { return Value::Float(std::numbers::pi); }
Value IsNan(const Value* a, size_t, CallContext*) {
  return Value::Bool(a[0].type == Type::kFloat && std::isnan(a[0].f));
}
Value IsInf(const Value* a, size_t, CallContext*) {
  return Value::Bool(a[0].type == Type::kFloat && std::isinf(a[0].f));
}

// The first of the extreme values, in its own type; NaN when one of them is NaN.
Value Extreme(const Value* a, size_t count, Ordering wanted, CallContext* c) {
  Value best = a[0];
  for (size_t i = 1; i < count; ++i) {
    const Ordering order = Order(a[i], best);
    if (order == Ordering::kIncomparable) return c->Fail(CannotCompare(a[i].type, best.type));
    const bool turns_nan = order == Ordering::kUnordered && a[i].type == Type::kFloat &&
                           std::isnan(a[i].f);
    if (order == wanted || turns_nan) best = a[i];
  }
  return best;
}
Value Least(const Value* a, size_t count, CallContext* c) {
  return Extreme(a, count, Ordering::kLess, c);
}
Value Greatest(const Value* a, size_t count, CallContext* c) {
  return Extreme(a, count, Ordering::kGreater, c);
}

// clamp(x, low, high) is least(greatest(x, low), high).
Value Clamp(const Value* a, size_t, CallContext* c) {
  const Value raised = Greatest(a, 2, c);
  if (c->failed) return raised;
  const Value bounds[] = {raised, a[2]};
  return Least(bounds, 2, c);
}

constexpr TypeMask kNum = kNumberMask;
constexpr TypeMask kOrdered = kAnyType;
constexpr ResultRule kFirst = ResultRule::kFirst;
constexpr ResultRule kOverflow = ResultRule::kOverflow;
constexpr ResultRule kArgument = ResultRule::kArgument;

template <double (*f)(double)>
constexpr FunctionDef UnaryFunction(std::string_view name) {
  FunctionDef def = {name, 1, 1, {kNum}, kFloatMask, Unary<f>};
  def.unary = f;
  return def;
}

constexpr FunctionDef kTable[] = {
    {"abs", 1, 1, {kNum}, 0, Abs, kOverflow},
    {"sign", 1, 1, {kNum}, 0, Sign, kFirst},
    {"floor", 1, 1, {kNum}, 0, Rounding<std::floor>, kFirst},
    {"ceil", 1, 1, {kNum}, 0, Rounding<std::ceil>, kFirst},
    {"trunc", 1, 1, {kNum}, 0, Rounding<std::trunc>, kFirst},
    {"round", 1, 2, {kNum, kIntMask}, 0, Round, kOverflow},
    UnaryFunction<std::sqrt>("sqrt"),
    UnaryFunction<portable::Exp>("exp"),
    UnaryFunction<portable::Log>("ln"),
    UnaryFunction<portable::Log10>("log10"),
    UnaryFunction<portable::Log2>("log2"),
    {"log", 2, 2, {kNum, kNum}, kFloatMask, Log},
    {"pow", 2, 2, {kNum, kNum}, kFloatMask, nullptr, ResultRule::kFixed, true, CallForm::kPower},
    {"mod", 2, 2, {kNum, kNum}, kNum, nullptr, ResultRule::kFixed, true, CallForm::kModulo},
    UnaryFunction<portable::Sin>("sin"),
    UnaryFunction<portable::Cos>("cos"),
    UnaryFunction<portable::Tan>("tan"),
    UnaryFunction<portable::Asin>("asin"),
    UnaryFunction<portable::Acos>("acos"),
    UnaryFunction<portable::Atan>("atan"),
    {"atan2", 2, 2, {kNum, kNum}, kFloatMask, Atan2},
    UnaryFunction<Degrees>("degrees"),
    UnaryFunction<Radians>("radians"),
    {"pi", 0, 0, {}, kFloatMask, Pi},
    {"isnan", 1, 1, {kNum}, kBoolMask, IsNan},
    {"isinf", 1, 1, {kNum}, kBoolMask, IsInf},
    {"least", 1, kVariadic, {kOrdered, kOrdered, kOrdered}, 0, Least, kArgument},
    {"greatest", 1, kVariadic, {kOrdered, kOrdered, kOrdered}, 0, Greatest, kArgument},
    {"clamp", 3, 3, {kOrdered, kOrdered, kOrdered}, 0, Clamp, kArgument},
};

}  // namespace

std::span<const FunctionDef> MathFunctions() { return kTable; }

}  // namespace rivulet::expr
