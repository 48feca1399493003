// Further functions on numbers: scales and steps, whole numbers, hyperbolic functions.

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "base/portable_math.h"
#include "base/wide_int.h"
#include "operators/expr/function_registry.h"

namespace rivulet::expr {
namespace {

template <double (*f)(double)>
Value Unary(const Value* a, size_t, CallContext*) {
  return Value::Float(f(a[0].AsFloat()));
}

Value Euler(const Value*, size_t, CallContext*) { return Value::Float(std::numbers::e); }
Value Hypot(const Value* a, size_t, CallContext*) {
  return Value::Float(portable::Hypot(a[0].AsFloat(), a[1].AsFloat()));
}
Value IsFinite(const Value* a, size_t, CallContext*) {
  return Value::Bool(a[0].type == Type::kInt || std::isfinite(a[0].f));
}

// The value of a magnitude, which may be that of the least int.
Value OfMagnitude(Int128 v) {
  const auto result = static_cast<int64_t>(v);
  return result == v ? Value::Int(result) : Value::Float(static_cast<double>(v));
}
uint64_t Magnitude(int64_t v) {
  return v < 0 ? uint64_t{0} - static_cast<uint64_t>(v) : static_cast<uint64_t>(v);
}
Value Gcd(const Value* a, size_t, CallContext*) {
  return OfMagnitude(std::gcd(Magnitude(a[0].i), Magnitude(a[1].i)));
}
Value Lcm(const Value* a, size_t, CallContext*) {
  const uint64_t x = Magnitude(a[0].i), y = Magnitude(a[1].i);
  if (x == 0 || y == 0) return Value::Int(0);
  return OfMagnitude(static_cast<Int128>(x / std::gcd(x, y)) * y);
}

// bucket(x, size): the multiple of size at or below x; null for a size that is not positive.
Value Bucket(const Value* a, size_t, CallContext*) {
  if (a[0].type == Type::kInt && a[1].type == Type::kInt) {
    if (a[1].i <= 0) return Value::Null();
    const int64_t r = a[0].i % a[1].i;
    int64_t start = 0;
    if (!__builtin_sub_overflow(a[0].i, r < 0 ? r + a[1].i : r, &start)) return Value::Int(start);
  }
  const double x = a[0].AsFloat(), size = a[1].AsFloat();
  return size > 0 ? Value::Float(std::floor(x / size) * size) : Value::Null();
}

// width_bucket(x, low, high, n), as in SQL: 0 below low, n + 1 from high on.
Value WidthBucket(const Value* a, size_t, CallContext* c) {
  const double x = a[0].AsFloat(), low = a[1].AsFloat(), high = a[2].AsFloat();
  const int64_t n = a[3].i;
  if (n < 1 || n > (int64_t{1} << 31)) return c->Fail("expected 1 to 2147483648 buckets");
  if (!(low < high) || std::isnan(x)) return Value::Null();
  if (x < low) return Value::Int(0);
  if (x >= high) return Value::Int(n + 1);
  const double at = std::floor((x - low) / (high - low) * static_cast<double>(n));
  if (!(at >= 0)) return Value::Int(1);  // of infinite bounds
  return Value::Int(std::min(static_cast<int64_t>(at), n - 1) + 1);
}

// rescale(x, from_low, from_high, to_low, to_high): the straight line through both pairs.
Value Rescale(const Value* a, size_t, CallContext*) {
  const double low = a[1].AsFloat(), to_low = a[3].AsFloat();
  const double span = a[2].AsFloat() - low;
  if (span == 0) return Value::Null();
  return Value::Float(to_low + (a[0].AsFloat() - low) * (a[4].AsFloat() - to_low) / span);
}

constexpr TypeMask kNum = kNumberMask;

template <double (*f)(double)>
constexpr FunctionDef UnaryFunction(std::string_view name) {
  FunctionDef def = {name, 1, 1, {kNum}, kFloatMask, Unary<f>};
  def.unary = f;
  return def;
}

constexpr FunctionDef kTable[] = {
    UnaryFunction<portable::Cbrt>("cbrt"),
    UnaryFunction<portable::Sinh>("sinh"),
    UnaryFunction<portable::Cosh>("cosh"),
    UnaryFunction<portable::Tanh>("tanh"),
    {"e", 0, 0, {}, kFloatMask, Euler},
    {"hypot", 2, 2, {kNum, kNum}, kFloatMask, Hypot},
    {"isfinite", 1, 1, {kNum}, kBoolMask, IsFinite},
    {"gcd", 2, 2, {kIntMask, kIntMask}, kNum, Gcd},
    {"lcm", 2, 2, {kIntMask, kIntMask}, kNum, Lcm},
    {"bucket", 2, 2, {kNum, kNum}, kNum, Bucket},
    {"width_bucket", 4, 4, {kNum, kNum, kNum, kIntMask}, kIntMask, WidthBucket},
    {"rescale", 5, 5, {kNum, kNum, kNum, kNum, kNum}, kFloatMask, Rescale},
};

}  // namespace

std::span<const FunctionDef> NumberFunctions() { return kTable; }

}  // namespace rivulet::expr
