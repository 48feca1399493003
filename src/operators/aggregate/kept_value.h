// Values that an accumulator keeps many of.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/value.h"
#include "operators/aggregate/accumulator_bounds.h"

namespace rivulet {

// The text up to the bound, cut between characters.
inline std::string_view CutText(std::string_view text) {
  size_t n = bounds::kLongestText;
  if (text.size() <= n) return text;
  for (int i = 0; i < 3 && (static_cast<unsigned char>(text[n]) & 0xc0) == 0x80; ++i) --n;
  return text.substr(0, n);
}

// One form for numbers that are equal: whole floats become ints. Text is cut.
inline Value Canonical(const Value& v) {
  if (v.type == Type::kString) return Value::String(CutText(v.s));
  if (v.type != Type::kFloat || !(v.f >= -0x1p63 && v.f < 0x1p63) || v.f != std::floor(v.f)) return v;
  return Value::Int(static_cast<int64_t>(v.f));
}

inline bool IsNan(const Value& v) { return v.type == Type::kFloat && std::isnan(v.f); }

// A copy of a value, text included.
class KeptValue {
 public:
  explicit KeptValue(const Value& v) : type_(v.type) {
    switch (v.type) {
      case Type::kNull: break;
      case Type::kBool: number_.i = v.b ? 1 : 0; break;
      case Type::kInt: number_.i = v.i; break;
      case Type::kFloat: number_.f = v.f; break;
      case Type::kString: text_ = v.s; break;
    }
  }
  Value Get() const {
    switch (type_) {
      case Type::kNull: break;
      case Type::kBool: return Value::Bool(number_.i != 0);
      case Type::kInt: return Value::Int(number_.i);
      case Type::kFloat: return Value::Float(number_.f);
      case Type::kString: return Value::String(text_);
    }
    return Value::Null();
  }
  // Bytes outside the object.
  size_t HeapBytes() const { return text_.capacity() > 15 ? text_.capacity() + 17 : 0; }

 private:
  Type type_;
  union {
    int64_t i = 0;
    double f;
  } number_;
  std::string text_;
};

}  // namespace rivulet
