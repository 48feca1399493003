#include "base/portable_math.h"

#include <cmath>
#include <limits>
#include <utility>

#include "base/double_double.h"
#include "base/portable_series.h"

namespace rivulet::portable {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

constexpr DoubleDouble kLn2{0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
// Its first 33 bits, so that small multiples are exact, and the rest.
constexpr double kLn2High = 0x1.62e42fefp-1;
constexpr DoubleDouble kLn2Rest{0x1.473de6af278edp-34, -0x1.9ff0342542fc3p-90};
constexpr DoubleDouble kPerLn2{0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56};
constexpr DoubleDouble kPerLn10{0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57};

// value * 2^exponent
struct Scaled {
  DoubleDouble value;
  int exponent = 0;
  double Rounded() const { return std::ldexp(value.Rounded(), exponent); }
};

// e^x for |x| < 1500: x less the nearest multiple of ln 2, a sixteenth of that by the series,
// squared four times.
Scaled ExpOf(const DoubleDouble& x) {
  const double k = std::floor(x.hi * kPerLn2.hi + 0.5);
  const DoubleDouble r = DoubleDouble(x.hi - k * kLn2High) + x.lo - DoubleDouble(k) * kLn2Rest;
  const DoubleDouble s = TimesPowerOfTwo(r, 0x1p-4);
  DoubleDouble p = s * kExpSeries.At(s);  // e^s - 1
  for (int i = 0; i < 4; ++i) p = TimesPowerOfTwo(p, 2) + p * p;
  return {p + 1.0, static_cast<int>(k)};
}

// ln x = exponent * ln 2 + value, for positive finite x.
Scaled LogOf(double x) {
  Scaled out;
  double m = std::frexp(x, &out.exponent);  // in [0.5, 1)
  if (m < 0.7071067811865476) {
    m *= 2;
    --out.exponent;
  }
  const DoubleDouble s = DoubleDouble(m - 1) / ExactSum(m, 1);
  out.value = TimesPowerOfTwo(s, 2) * kLogSeries.At(s * s);
  return out;
}
DoubleDouble LogSum(const Scaled& log) {
  return DoubleDouble(log.exponent) * kLn2 + log.value;
}
// What the logarithms have in common outside of positive finite numbers; false inside.
bool LogIsSpecial(double x, double* out) {
  if (x > 0 && x < kInfinity) return false;
  *out = x == 0 ? -kInfinity : x > 0 || std::isnan(x) ? x : kNan;
  return true;
}

bool IsWhole(double y) { return std::floor(y) == y; }
bool IsOdd(double y) { return std::fabs(y) < 0x1p53 && std::fmod(y, 2) != 0; }

// (e^x - e^-x) / 2, and (e^x + e^-x) / 2, as Scaled, for 0 <= x < 1500.
Scaled HalfOf(double x, double sign) {
  const Scaled e = ExpOf(x);
  const DoubleDouble inverse = DoubleDouble(1) / e.value;
  const double shift = e.exponent > 60 ? 0 : std::ldexp(sign, -2 * e.exponent);
  return {e.value + TimesPowerOfTwo(inverse, shift), e.exponent - 1};
}
// Near 0, where the difference would lose everything.
DoubleDouble SmallSinh(double x) { return kSinhSeries.At(ExactProduct(x, x)) * x; }

}  // namespace

double Exp(double x) {
  if (std::isnan(x)) return x;
  if (x > 710) return kInfinity;
  if (x < -746) return 0;
  return ExpOf(x).Rounded();
}

double Log(double x) {
  double special = 0;
  return LogIsSpecial(x, &special) ? special : LogSum(LogOf(x)).Rounded();
}

double Log2(double x) {
  double special = 0;
  if (LogIsSpecial(x, &special)) return special;
  const Scaled log = LogOf(x);
  return (log.value * kPerLn2 + log.exponent).Rounded();
}

double Log10(double x) {
  double special = 0;
  return LogIsSpecial(x, &special) ? special : (LogSum(LogOf(x)) * kPerLn10).Rounded();
}

double Pow(double x, double y) {
  if (y == 0 || x == 1) return 1;
  if (std::isnan(x) || std::isnan(y)) return kNan;
  // Zeros and infinities have exact results, which every C library knows.
  if (x == 0 || std::isinf(x) || std::isinf(y)) return std::pow(x, y);
  if (y == 1) return x;
  if (y == 2) return x * x;
  if (x < 0 && !IsWhole(y)) return kNan;
  const double sign = x < 0 && IsOdd(y) ? -1 : 1;
  const DoubleDouble log = LogSum(LogOf(std::fabs(x)));
  const double rough = log.hi * y;
  if (rough > 710) return sign * kInfinity;
  if (rough < -746) return sign * 0.0;
  // A tiny |x - 1| goes with a y so large that its product with parts of the logarithm would not be
  // exact.
  if (std::fabs(y) > 0x1p900) return sign * ExpOf(rough).Rounded();
  return sign * ExpOf(log * y).Rounded();
}

double Cbrt(double x) {
  if (x == 0 || !std::isfinite(x)) return x;
  int exponent = 0;
  double m = std::frexp(std::fabs(x), &exponent);
  const int rest = ((exponent % 3) + 3) % 3;
  m = std::ldexp(m, rest);  // in [0.5, 4)
  double root = 0.7 + m * 0.25;
  for (int i = 0; i < 6; ++i) root -= (root - m / (root * root)) / 3;
  const DoubleDouble cube = ExactProduct(root, root) * root;
  const double correction = (DoubleDouble(m) - cube).Rounded() / (3 * root * root);
  return std::copysign(std::ldexp(root + correction, (exponent - rest) / 3), x);
}

double Hypot(double x, double y) {
  x = std::fabs(x);
  y = std::fabs(y);
  if (x == kInfinity || y == kInfinity) return kInfinity;
  if (std::isnan(x) || std::isnan(y)) return kNan;
  if (x < y) std::swap(x, y);
  if (y == 0) return x;
  int exponent = 0;
  std::frexp(x, &exponent);
  const double a = std::ldexp(x, -exponent), b = std::ldexp(y, -exponent);
  return std::ldexp(Sqrt(ExactProduct(a, a) + ExactProduct(b, b)).Rounded(), exponent);
}

double Sinh(double x) {
  if (!std::isfinite(x) || std::fabs(x) < 0x1p-28) return x;
  const double size = std::fabs(x);
  if (size > 711) return std::copysign(kInfinity, x);
  return std::copysign(size < 0.5 ? SmallSinh(size).Rounded() : HalfOf(size, -1).Rounded(), x);
}

double Cosh(double x) {
  if (std::isnan(x)) return x;
  const double size = std::fabs(x);
  return size > 711 ? kInfinity : HalfOf(size, 1).Rounded();
}

double Tanh(double x) {
  if (std::isnan(x) || std::fabs(x) < 0x1p-28) return x;
  const double size = std::fabs(x);
  if (size > 22) return std::copysign(1.0, x);
  const Scaled sinh = HalfOf(size, -1), cosh = HalfOf(size, 1);
  const DoubleDouble above =
      size < 0.5 ? TimesPowerOfTwo(SmallSinh(size), std::ldexp(1.0, -cosh.exponent)) : sinh.value;
  return std::copysign((above / cosh.value).Rounded(), x);
}

}  // namespace rivulet::portable
