// The types a field can have, and one value of any of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rivulet {

// Run-time type of one value. The numbers are part of stored formats.
enum class Type : uint8_t { kNull = 0, kBool = 1, kInt = 2, kFloat = 3, kString = 4 };

// A set of types, bit (1 << Type).
using TypeMask = uint8_t;
constexpr TypeMask MaskOf(Type t) { return static_cast<TypeMask>(1u << static_cast<uint8_t>(t)); }
inline constexpr TypeMask kAnyType = 0x1f;

// "null", "bool", "int", "float", "string".
constexpr std::string_view TypeName(Type t) {
  switch (t) {
    case Type::kNull: return "null";
    case Type::kBool: return "bool";
    case Type::kInt: return "int";
    case Type::kFloat: return "float";
    case Type::kString: return "string";
  }
  return "?";
}

// One value, not owning its string: a view into a batch, a payload or an accumulator.
struct Value {
  Type type = Type::kNull;
  union {
    bool b;
    int64_t i;
    double f;
  };
  std::string_view s;  // for kString only

  Value() : i(0) {}
  static Value Null() { return Value(); }
  static Value Bool(bool v) { Value r; r.type = Type::kBool; r.i = 0; r.b = v; return r; }
  static Value Int(int64_t v) { Value r; r.type = Type::kInt; r.i = v; return r; }
  static Value Float(double v) { Value r; r.type = Type::kFloat; r.f = v; return r; }
  static Value String(std::string_view v) { Value r; r.type = Type::kString; r.s = v; return r; }

  bool is_null() const { return type == Type::kNull; }
  bool is_number() const { return type == Type::kInt || type == Type::kFloat; }
  // Numeric value as a float; only for is_number().
  double AsFloat() const { return type == Type::kInt ? static_cast<double>(i) : f; }
};

}  // namespace rivulet
