#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/double_double.h"
#include "base/portable_math.h"
#include "base/portable_series.h"
#include "base/wide_int.h"

namespace rivulet::portable {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr DoubleDouble kHalfPi{0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54};
constexpr DoubleDouble kPi = TimesPowerOfTwo(kHalfPi, 2);

// 2 / pi, the first 1280 bits behind the point.
constexpr uint64_t kTwoPerPi[20] = {
    0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
    0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484,
    0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f,
    0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d, 0x7527bac7ebe5f17b,
    0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab, 0xf0cfbc209af4361d};

// An angle as a multiple of a right angle and what is left, between plus and minus pi / 4.
struct Reduced {
  int quadrant = 0;  // mod 4
  DoubleDouble rest;
};

// 64 bits of `words` (the highest first) from bit `at` on.
template <size_t n>
uint64_t BitsAt(const std::array<uint64_t, n>& words, size_t at) {
  const size_t word = at / 64, shift = at % 64;
  const uint64_t here = word < n ? words[word] : 0, next = word + 1 < n ? words[word + 1] : 0;
  return shift == 0 ? here : here << shift | next >> (64 - shift);
}

// The fraction 0.abc (of 64 bits each), rounded to two doubles.
DoubleDouble Fraction(uint64_t a, uint64_t b, uint64_t c) {
  const std::array<uint64_t, 3> words = {a, b, c};
  size_t zeros = 0;
  while (zeros < 128 && BitsAt(words, zeros) >> 63 == 0) ++zeros;
  const auto first = static_cast<double>(BitsAt(words, zeros) >> 11);
  const auto second = static_cast<double>(BitsAt(words, zeros + 53) >> 11);
  const int exponent = -53 - static_cast<int>(zeros);
  return QuickSum(std::ldexp(first, exponent), std::ldexp(second, exponent - 53));
}

// Exact for every finite x >= pi / 4, after Payne and Hanek, "Radian reduction for trigonometric
// functions" (1983): of 2 / pi only those bits are multiplied by x that decide the quadrant and
// what lies behind it.
Reduced ReduceLarge(double x) {
  int exponent = 0;
  const auto mantissa = static_cast<uint64_t>(std::ldexp(std::frexp(x, &exponent), 53));
  exponent -= 53;
  const int skipped = exponent > 2 ? exponent - 2 : 0;  // bits that stand for multiples of four right angles
  const std::array<uint64_t, 20> table = std::to_array(kTwoPerPi);
  // mantissa times 256 of the bits: five words.
  std::array<uint64_t, 5> product{};
  uint64_t carry = 0;
  for (size_t i = 4; i-- > 0;) {
    const uint64_t bits = BitsAt(table, static_cast<size_t>(skipped) + 64 * i);
    const uint64_t low = mantissa * bits;
    product[i + 1] = low + carry;
    carry = MultiplyHigh(mantissa, bits) + (product[i + 1] < low);
  }
  product[0] = carry;
  // Where the point is, from the left of the five words; two bits before it are the quadrant.
  const auto point = static_cast<size_t>(64 + exponent - skipped);
  Reduced out;
  out.quadrant = static_cast<int>(BitsAt(product, point - 2) >> 62);
  uint64_t a = BitsAt(product, point), b = BitsAt(product, point + 64), c = BitsAt(product, point + 128);
  const bool beyond = a >> 63 != 0;  // half a right angle
  if (beyond) {
    c = ~c + 1;
    b = ~b + (c == 0);
    a = ~a + (c == 0 && b == 0);
    out.quadrant = (out.quadrant + 1) % 4;
  }
  out.rest = Fraction(a, b, c) * kHalfPi;
  if (beyond) out.rest = -out.rest;
  return out;
}

Reduced Reduce(double x) {
  const double size = std::fabs(x);
  if (size <= 0.7853981633974483) return {0, x};
  Reduced r = ReduceLarge(size);
  if (x < 0) r = {(4 - r.quadrant) % 4, -r.rest};
  return r;
}

DoubleDouble SinOf(const DoubleDouble& r) { return r * kSinSeries.At(r * r); }
DoubleDouble CosOf(const DoubleDouble& r) { return kCosSeries.At(r * r); }

// An angle in [0, pi / 4] whose tangent is t, but for about 1e-15 of it: halved twice, then the
// series.
double RoughAtan(double t) {
  t /= 1 + std::sqrt(1 + t * t);
  t /= 1 + std::sqrt(1 + t * t);
  const double z = t * t;
  double sum = 0;
  for (int n = 12; n >= 0; --n) sum = 1.0 / (2 * n + 1) - z * sum;
  return 4 * t * sum;
}

// The angle of the point (x, y), 0 < y <= x, in [0, pi / 4]: a rough one turned by the angle that
// is missing.
DoubleDouble AngleBelowDiagonal(const DoubleDouble& y, const DoubleDouble& x) {
  const DoubleDouble t = y / x;
  const double rough = RoughAtan(t.hi);
  const DoubleDouble sin = SinOf(rough), cos = CosOf(rough);
  return (t * cos - sin) / (cos + t * sin) + rough;
}
DoubleDouble AngleOf(const DoubleDouble& y, const DoubleDouble& x) {
  if (y.hi <= x.hi) return AngleBelowDiagonal(y, x);
  return kHalfPi - AngleBelowDiagonal(x, y);
}

// The angle of a point whose coordinates are finite and not 0; Sqrt(1 - x^2) and x for the inverse
// of sine and cosine.
double Angle(const DoubleDouble& y, const DoubleDouble& x) {
  const bool left = x.hi < 0, below = y.hi < 0;
  DoubleDouble angle = AngleOf(below ? -y : y, left ? -x : x);
  if (left) angle = kPi - angle;
  return below ? -angle.Rounded() : angle.Rounded();
}
DoubleDouble OtherSide(double x) { return Sqrt(DoubleDouble(1) - ExactProduct(x, x)); }

}  // namespace

double Sin(double x) {
  if (!std::isfinite(x)) return kNan;
  if (std::fabs(x) < 0x1p-27) return x;
  const Reduced r = Reduce(x);
  const double size = (r.quadrant % 2 == 0 ? SinOf(r.rest) : CosOf(r.rest)).Rounded();
  return r.quadrant < 2 ? size : -size;
}

double Cos(double x) {
  if (!std::isfinite(x)) return kNan;
  const Reduced r = Reduce(x);
  const double size = (r.quadrant % 2 == 0 ? CosOf(r.rest) : SinOf(r.rest)).Rounded();
  return r.quadrant == 0 || r.quadrant == 3 ? size : -size;
}

double Tan(double x) {
  if (!std::isfinite(x)) return kNan;
  if (std::fabs(x) < 0x1p-27) return x;
  const Reduced r = Reduce(x);
  const DoubleDouble sin = SinOf(r.rest), cos = CosOf(r.rest);
  return (r.quadrant % 2 == 0 ? sin / cos : -cos / sin).Rounded();
}

double Atan(double x) {
  if (std::isnan(x) || std::fabs(x) < 0x1p-27) return x;
  if (std::fabs(x) > 0x1p60) return std::copysign(kHalfPi.hi, x);
  return Angle(x, 1.0);
}

double Atan2(double y, double x) {
  if (std::isnan(x) || std::isnan(y)) return kNan;
  // Multiples of pi / 4, which every C library knows.
  if (x == 0 || y == 0 || std::isinf(x) || std::isinf(y)) return std::atan2(y, x);
  int ex = 0, ey = 0;
  const double mx = std::frexp(x, &ex), my = std::frexp(y, &ey);
  // Nearly on an axis.
  if (ey - ex > 60) return std::copysign(kHalfPi.hi, y);
  if (ex - ey > 60) return x > 0 ? y / x : std::copysign(kPi.hi, y);
  const int middle = (ey - ex) / 2;
  return Angle(std::ldexp(my, ey - ex - middle), std::ldexp(mx, -middle));
}

double Asin(double x) {
  if (!(std::fabs(x) <= 1)) return kNan;
  if (std::fabs(x) < 0x1p-27) return x;
  if (std::fabs(x) == 1) return std::copysign(kHalfPi.hi, x);
  return Angle(x, OtherSide(x));
}

double Acos(double x) {
  if (!(std::fabs(x) <= 1)) return kNan;
  if (x == 1) return 0;
  if (std::fabs(x) < 0x1p-60) return kHalfPi.hi;
  if (x == -1) return kPi.hi;
  return Angle(OtherSide(x), x);
}

}  // namespace rivulet::portable
