// Numbers as unevaluated sums of two doubles, about 106 bits: what functions need inside to be
// right in the last bit of a double. Only +, -, *, / and sqrt of IEEE 754 are used, so the same
// bits come out on every platform that rounds to nearest and fuses nothing.
//
// After Dekker, "A floating-point technique for extending the available precision" (1971), and
// Knuth, "The Art of Computer Programming", volume 2, 4.2.2.
#pragma once

#include <cmath>

namespace rivulet {

struct DoubleDouble {
  double hi = 0, lo = 0;  // |lo| is at most half of the last place of hi

  constexpr DoubleDouble() = default;
  constexpr DoubleDouble(double h, double l = 0) : hi(h), lo(l) {}  // NOLINT: widens as float to double
  constexpr double Rounded() const { return hi + lo; }
};

// |a| >= |b|, or a is 0.
constexpr DoubleDouble QuickSum(double a, double b) {
  const double s = a + b;
  return {s, b - (s - a)};
}
constexpr DoubleDouble ExactSum(double a, double b) {
  const double s = a + b, t = s - a;
  return {s, (a - (s - t)) + (b - t)};
}
// Magnitudes below 2^970.
constexpr DoubleDouble ExactProduct(double a, double b) {
  constexpr double kSplit = 0x1p27 + 1;
  const double ta = kSplit * a, tb = kSplit * b;
  const double a1 = ta - (ta - a), b1 = tb - (tb - b);
  const double a2 = a - a1, b2 = b - b1;
  const double p = a * b;
  return {p, ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2};
}

constexpr DoubleDouble operator-(const DoubleDouble& a) { return {-a.hi, -a.lo}; }
constexpr DoubleDouble operator+(const DoubleDouble& a, const DoubleDouble& b) {
  const DoubleDouble s = ExactSum(a.hi, b.hi), t = ExactSum(a.lo, b.lo);
  const DoubleDouble u = QuickSum(s.hi, s.lo + t.hi);
  return QuickSum(u.hi, u.lo + t.lo);
}
constexpr DoubleDouble operator-(const DoubleDouble& a, const DoubleDouble& b) { return a + -b; }
constexpr DoubleDouble operator*(const DoubleDouble& a, const DoubleDouble& b) {
  const DoubleDouble p = ExactProduct(a.hi, b.hi);
  return QuickSum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}
constexpr DoubleDouble operator/(const DoubleDouble& a, const DoubleDouble& b) {
  const double q = a.hi / b.hi;
  const DoubleDouble rest = a - DoubleDouble(q) * b;
  const double q2 = rest.hi / b.hi;
  const DoubleDouble last = rest - DoubleDouble(q2) * b;
  const DoubleDouble s = QuickSum(q, q2);
  return QuickSum(s.hi, s.lo + last.hi / b.hi);
}
// Exact.
constexpr DoubleDouble TimesPowerOfTwo(const DoubleDouble& a, double power) {
  return {a.hi * power, a.lo * power};
}
inline DoubleDouble Sqrt(const DoubleDouble& a) {
  if (!(a.hi > 0)) return a.hi;
  const double root = std::sqrt(a.hi);
  const DoubleDouble rest = a - ExactProduct(root, root);
  return QuickSum(root, rest.hi / (2 * root));
}

}  // namespace rivulet
