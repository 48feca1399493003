// Conversions and conditional functions.
//
// to_int takes a float towards zero; NaN and what is beyond int64 cannot be converted. Bools are 1
// and 0; a number is true unless it is 0. The try_ forms give null where the plain ones fail.

#include <cmath>

#include "operators/expr/comparison.h"
#include "operators/expr/convert.h"
#include "operators/expr/function_registry.h"

namespace rivulet::expr {
namespace {

// Null: cannot be converted.
Value IntOf(const Value& v) {
  std::optional<int64_t> result;
  switch (v.type) {
    case Type::kInt: return v;
    case Type::kBool: return Value::Int(v.b ? 1 : 0);
    case Type::kFloat: result = TruncateToInt(v.f); break;
    case Type::kString: result = ParseInt(v.s); break;
    case Type::kNull: break;
  }
  return result ? Value::Int(*result) : Value::Null();
}

Value FloatOf(const Value& v) {
  std::optional<double> result;
  switch (v.type) {
    case Type::kInt:
    case Type::kFloat: return Value::Float(v.AsFloat());
    case Type::kBool: return Value::Float(v.b ? 1 : 0);
    case Type::kString: result = ParseFloat(v.s); break;
    case Type::kNull: break;
  }
  return result ? Value::Float(*result) : Value::Null();
}

Value BoolOf(const Value& v) {
  std::optional<bool> result;
  switch (v.type) {
    case Type::kBool: return v;
    case Type::kInt: return Value::Bool(v.i != 0);
    case Type::kFloat:
      if (!std::isnan(v.f)) result = v.f != 0;
      break;
    case Type::kString: result = ParseBool(v.s); break;
    case Type::kNull: break;
  }
  return result ? Value::Bool(*result) : Value::Null();
}

Value OrFail(const Value& result, const Value& from, std::string_view wanted, CallContext* c) {
  if (!result.is_null()) return result;
  std::string found;
  AppendText(from, &found);
  return c->Fail("cannot make " + std::string(wanted) + " of " + std::string(TypeName(from.type)) +
                 " " + (from.type == Type::kString ? Quote(found) : found));
}

Value ToInt(const Value* a, size_t, CallContext* c) { return OrFail(IntOf(a[0]), a[0], "int", c); }
Value ToFloat(const Value* a, size_t, CallContext* c) {
  return OrFail(FloatOf(a[0]), a[0], "float", c);
}
Value ToBool(const Value* a, size_t, CallContext* c) {
  return OrFail(BoolOf(a[0]), a[0], "bool", c);
}
Value TryToInt(const Value* a, size_t, CallContext*) { return IntOf(a[0]); }
Value TryToFloat(const Value* a, size_t, CallContext*) { return FloatOf(a[0]); }
Value TryToBool(const Value* a, size_t, CallContext*) { return BoolOf(a[0]); }

Value ToString(const Value* a, size_t, CallContext* c) {
  if (a[0].type == Type::kString) return a[0];
  c->text.clear();
  AppendText(a[0], &c->text);
  return Value::String(c->text);
}

Value TypeOf(const Value* a, size_t, CallContext*) { return Value::String(TypeName(a[0].type)); }

// nullif(a, b): null where a = b, else a.
Value NullIf(const Value* a, size_t, CallContext* c) {
  if (a[0].is_null() || a[1].is_null()) return a[0];
  const Ordering order = Order(a[0], a[1]);
  if (order == Ordering::kIncomparable) return c->Fail(CannotCompare(a[0].type, a[1].type));
  return order == Ordering::kEqual ? Value::Null() : a[0];
}

constexpr TypeMask kAny = kAnyType;
constexpr ResultRule kArgument = ResultRule::kArgument;

constexpr FunctionDef kTable[] = {
    {"to_int", 1, 1, {kAny}, kIntMask, ToInt},
    {"to_float", 1, 1, {kAny}, kFloatMask, ToFloat},
    {"to_string", 1, 1, {kAny}, kStringMask, ToString},
    {"to_bool", 1, 1, {kAny}, kBoolMask, ToBool},
    {"try_to_int", 1, 1, {kAny}, kIntMask, TryToInt},
    {"try_to_float", 1, 1, {kAny}, kFloatMask, TryToFloat},
    {"try_to_bool", 1, 1, {kAny}, kBoolMask, TryToBool},
    {"typeof", 1, 1, {kAny}, kStringMask, TypeOf, ResultRule::kFixed, false},
    {"nullif", 2, 2, {kAny, kAny}, 0, NullIf, ResultRule::kFirst, false},
    {"if", 3, 3, {kBoolMask, kAny, kAny}, 0, nullptr, kArgument, false, CallForm::kIf},
    {"coalesce", 1, kVariadic, {kAny, kAny, kAny}, 0, nullptr, kArgument, false,
     CallForm::kCoalesce},
    {"ifnull", 2, 2, {kAny, kAny}, 0, nullptr, kArgument, false, CallForm::kCoalesce},
};

}  // namespace

std::span<const FunctionDef> ConvertFunctions() { return kTable; }

}  // namespace rivulet::expr
