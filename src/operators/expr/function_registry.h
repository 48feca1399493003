// The functions an expression may call: one table a family, one row a function.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/value.h"
#include "operators/expr/preparation.h"
#include "operators/expr/scope.h"

namespace rivulet::expr {

// Results of functions that can make text longer than their arguments are bounded, so that no
// expression can turn small records into gigabytes.
inline constexpr size_t kMaxTextResult = 64 * 1024;

// What a function may use besides its arguments while it computes one row.
struct CallContext {
  // A text result is built here; it is reused from row to row.
  std::string text;
  // What was prepared of the arguments, when the function asks for that; see PreparedAs.
  const Prepared* prepared = nullptr;
  // Set by Fail: the row cannot be computed, and why.
  bool failed = false;
  std::string error;

  Value Fail(std::string why) {
    failed = true;
    error = std::move(why);
    return Value::Null();
  }
  // `text` as result, or a failure when it has become too long.
  Value Text();
  // The prepared form, which a function's `prepare` has made.
  template <typename T>
  const T& PreparedAs() const {
    return static_cast<const T&>(*prepared);
  }
};

// Computes one row. Pure: equal arguments give equal results, nothing else is read or changed.
using ScalarFunction = Value (*)(const Value* arguments, size_t count, CallContext* context);

// How the static type of a call follows from its arguments.
enum class ResultRule : uint8_t {
  kFixed,     // FunctionDef::result
  kArgument,  // any type one of the arguments can have
  kFirst,     // the type of the first argument
  kOverflow,  // number to the same kind of number, but an int may become a float
};

// Calls that are not evaluated argument by argument.
enum class CallForm : uint8_t {
  kScalar,
  kIf,        // if(c, a, b) is case when c then a else b end
  kCoalesce,  // evaluates each argument only for rows still null
  kModulo,    // a % b
  kPower,     // a ^ b
};

inline constexpr uint8_t kVariadic = 255;
inline constexpr TypeMask kNullMask = MaskOf(Type::kNull);
inline constexpr TypeMask kBoolMask = MaskOf(Type::kBool);
inline constexpr TypeMask kIntMask = MaskOf(Type::kInt);
inline constexpr TypeMask kFloatMask = MaskOf(Type::kFloat);
inline constexpr TypeMask kStringMask = MaskOf(Type::kString);
inline constexpr TypeMask kNumberMask = kIntMask | kFloatMask;

struct FunctionDef {
  std::string_view name;
  uint8_t least_arguments;
  uint8_t most_arguments;  // kVariadic: no limit
  TypeMask arguments[8];   // accepted besides null; the last one given goes for all further ones
  StaticType result;       // besides null
  ScalarFunction call = nullptr;
  ResultRule rule = ResultRule::kFixed;
  // A null argument makes the result null without a call. Otherwise the function sees nulls.
  bool strict = true;
  CallForm form = CallForm::kScalar;
  // The same as `call` for a float argument; lets a uniform column run in a tight loop.
  double (*unary)(double) = nullptr;
  // What is worked out once of the arguments in `prepared_from` (bits by position). Needs `strict`.
  // A call without any of them has no prepared form.
  PrepareFunction prepare = nullptr;
  uint32_t prepared_from = 0;

  TypeMask argument(size_t i) const {
    if (i > 7) i = 7;
    while (i > 0 && arguments[i] == 0) --i;
    return arguments[i];
  }
};

// Null when there is no such function. `name` is lower case.
const FunctionDef* FindFunction(std::string_view name);

// The tables, each in its functions_*.cc.
std::span<const FunctionDef> MathFunctions();
std::span<const FunctionDef> BitFunctions();
std::span<const FunctionDef> StringFunctions();
std::span<const FunctionDef> ConvertFunctions();
std::span<const FunctionDef> TimeFunctions();
std::span<const FunctionDef> CalendarFunctions();
std::span<const FunctionDef> SignalFunctions();
std::span<const FunctionDef> RegexpFunctions();
std::span<const FunctionDef> JsonFunctions();
std::span<const FunctionDef> UnitFunctions();
std::span<const FunctionDef> EncodingFunctions();
std::span<const FunctionDef> NumberFunctions();
std::span<const FunctionDef> TextFunctions();
std::span<const FunctionDef> GeoFunctions();

// "int", "int or float", "nothing": a mask in words for messages; null is left out.
std::string DescribeTypes(TypeMask mask);

}  // namespace rivulet::expr
