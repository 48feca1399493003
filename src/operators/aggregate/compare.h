// A total order over values of mixed types, for min and max: bools before numbers before strings,
// numbers exactly by value whatever their type.
#pragma once

#include "base/value.h"

namespace rivulet {

// -1, 0 or 1. An int and a float compare by exact value; NaN must not be given.
inline int CompareIntFloat(int64_t a, double b) {
  if (b >= 0x1p63) return -1;
  if (b < -0x1p63) return 1;
  const auto whole = static_cast<int64_t>(b);  // truncates towards zero, in range
  if (a != whole) return a < whole ? -1 : 1;
  const double fraction = b - static_cast<double>(whole);
  return fraction > 0 ? -1 : fraction < 0 ? 1 : 0;
}

inline int CompareValues(const Value& a, const Value& b) {
  const auto rank = [](Type t) { return t == Type::kFloat ? Type::kInt : t; };
  if (rank(a.type) != rank(b.type)) return rank(a.type) < rank(b.type) ? -1 : 1;
  switch (a.type) {
    case Type::kNull: return 0;
    case Type::kBool: return (a.b ? 1 : 0) - (b.b ? 1 : 0);
    case Type::kInt:
      if (b.type == Type::kFloat) return CompareIntFloat(a.i, b.f);
      return a.i < b.i ? -1 : a.i > b.i ? 1 : 0;
    case Type::kFloat:
      if (b.type == Type::kInt) return -CompareIntFloat(b.i, a.f);
      return a.f < b.f ? -1 : a.f > b.f ? 1 : 0;
    case Type::kString: {
      const int c = a.s.compare(b.s);
      return c < 0 ? -1 : c > 0 ? 1 : 0;
    }
  }
  return 0;
}

}  // namespace rivulet
