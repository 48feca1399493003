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
  explicit KeptValue(const Value& v) : value_(v) {
    if (v.type == Type::kString) text_ = v.s;
    value_.s = {};
  }
  Value Get() const { return value_.type == Type::kString ? Value::String(text_) : value_; }
  // Bytes outside the object.
  size_t HeapBytes() const { return text_.capacity() > 15 ? text_.capacity() + 17 : 0; }

 private:
  Value value_;
  std::string text_;
};

}  // namespace rivulet
