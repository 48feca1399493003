// Power series for base/portable_math.h, whose coefficients are computed when compiling.
#pragma once

#include <cstddef>

#include "base/double_double.h"

namespace rivulet::portable {

// c[0] + c[1] z + c[2] z^2 + ... The first `exact` terms are computed in double-double; the terms
// behind them are so small in what they are used for that a double does.
template <size_t exact, size_t count>
struct Series {
  DoubleDouble c[count];

  constexpr DoubleDouble At(const DoubleDouble& z) const {
    double tail = c[count - 1].hi;
    for (size_t i = count - 1; i-- > exact;) tail = tail * z.hi + c[i].hi;
    DoubleDouble sum = tail;
    for (size_t i = exact; i-- > 0;) sum = sum * z + c[i];
    return sum;
  }
};

// 1 / (first! * ...): coefficients 1 / (step n + first)! with the signs of `sign`^n.
template <size_t exact, size_t count>
constexpr Series<exact, count> OfFactorials(int first, int step, double sign) {
  Series<exact, count> s;
  DoubleDouble value = 1;
  for (int k = 2; k <= first; ++k) value = value / static_cast<double>(k);
  for (size_t n = 0; n < count; ++n) {
    s.c[n] = value;
    value = sign < 0 ? -value : value;
    for (int k = 1; k <= step; ++k) {
      value = value / static_cast<double>(first + step * static_cast<int>(n) + k);
    }
  }
  return s;
}
// Coefficients sign^n / (2 n + 1).
template <size_t exact, size_t count>
constexpr Series<exact, count> OfOddNumbers(double sign) {
  Series<exact, count> s;
  double one = 1;
  for (size_t n = 0; n < count; ++n, one *= sign) {
    s.c[n] = DoubleDouble(one) / static_cast<double>(2 * n + 1);
  }
  return s;
}

// (e^s - 1) / s for |s| < 0.022
inline constexpr auto kExpSeries = OfFactorials<4, 12>(1, 1, 1);
// atanh(s) / s in s^2 <= 0.0295
inline constexpr auto kLogSeries = OfOddNumbers<7, 20>(1);
// sin(r) / r and cos(r) in r^2 <= 0.62
inline constexpr auto kSinSeries = OfFactorials<4, 13>(1, 2, -1);
inline constexpr auto kCosSeries = OfFactorials<5, 14>(0, 2, -1);
// sinh(x) / x in x^2 <= 0.25
inline constexpr auto kSinhSeries = OfFactorials<4, 12>(1, 2, 1);

}  // namespace rivulet::portable
