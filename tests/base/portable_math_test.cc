#include "base/portable_math.h"

#include <doctest/doctest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "base/hash.h"
#include "base/random.h"

namespace rivulet::portable {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Unary = double (*)(double);
struct Function {
  const char* name;
  Unary ours, theirs;
  double low, high;
  uint64_t hash;  // of 20,000 results, on every platform
};
const Function kFunctions[] = {
    {"sin", Sin, std::sin, -1000, 1000, 0xd570da65eaf39ab7},
    {"cos", Cos, std::cos, -1000, 1000, 0xfd60d07409e27699},
    {"tan", Tan, std::tan, -1000, 1000, 0x993f9ff398525b86},
    {"asin", Asin, std::asin, -1, 1, 0x07c0d21510d281e7},
    {"acos", Acos, std::acos, -1, 1, 0x1bb3848d61a64730},
    {"atan", Atan, std::atan, -20, 20, 0xced02cf59b831db0},
    {"exp", Exp, std::exp, -750, 710, 0x3682ddb6f6e72af4},
    {"log", Log, std::log, 0, 100, 0xdaf25d54d5f9a96a},
    {"log2", Log2, std::log2, 0, 100, 0xa701556b212e8351},
    {"log10", Log10, std::log10, 0, 100, 0x660b9e833603c41e},
    {"cbrt", Cbrt, std::cbrt, -1000, 1000, 0x712e4dba51c8e76c},
    {"sinh", Sinh, std::sinh, -20, 20, 0x16c70abda7bde493},
    {"cosh", Cosh, std::cosh, -20, 20, 0xb5322605794c07f8},
    {"tanh", Tanh, std::tanh, -5, 5, 0x8ea3e6ad67ae6fdf},
};

// How far apart two floats are, in floats that lie between them.
int64_t Apart(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) == std::isnan(b) ? 0 : 1'000'000;
  const auto place = [](double v) {
    const auto bits = std::bit_cast<int64_t>(v);
    return bits < 0 ? std::numeric_limits<int64_t>::min() - bits : bits;
  };
  return std::abs(place(a) - place(b));
}

void Append(std::string* bytes, double v) {
  const auto bits = std::bit_cast<uint64_t>(v);
  for (int shift = 0; shift < 64; shift += 8) bytes->push_back(static_cast<char>(bits >> shift));
}

// Any finite number, of all magnitudes alike.
double AnyFinite(Random* random) {
  for (;;) {
    const double v = std::bit_cast<double>(random->Next());
    if (std::isfinite(v)) return v;
  }
}

}  // namespace

TEST_CASE("portable math: near what the C library has, and the same bits on every platform") {
  for (const Function& f : kFunctions) {
    CAPTURE(f.name);
    Random random(7);
    std::string bytes;
    for (int i = 0; i < 20'000; ++i) {
      const double x = f.low + (f.high - f.low) * random.Unit();
      const double y = f.ours(x);
      Append(&bytes, y);
      CAPTURE(x);
      CHECK(Apart(y, f.theirs(x)) <= 4);  // glibc's cbrt is that far off
    }
    CHECK(Hash64(bytes) == f.hash);
  }
}

TEST_CASE("portable math: numbers of every magnitude") {
  Random random(11);
  std::string bytes;
  for (int i = 0; i < 20'000; ++i) {
    const double x = AnyFinite(&random), y = AnyFinite(&random);
    for (const Function& f : kFunctions) {
      CAPTURE(f.name);
      CAPTURE(x);
      const double got = f.ours(x);
      Append(&bytes, std::isnan(got) ? 0 : got);
      CHECK(Apart(got, f.theirs(x)) <= 4);
    }
    CAPTURE(x);
    CAPTURE(y);
    CHECK(Apart(Atan2(y, x), std::atan2(y, x)) <= 1);
    CHECK(Apart(Hypot(x, y), std::hypot(x, y)) <= 1);
    const double small = random.Unit() * 60 - 30, base = std::ldexp(1 + random.Unit(), i % 20);
    CHECK(Apart(Pow(base, small), std::pow(base, small)) <= 1);
    for (const double v : {Atan2(y, x), Hypot(x, y), Pow(base, small), Pow(std::fabs(x), small)}) {
      Append(&bytes, v);
    }
  }
  CHECK(Hash64(bytes) == 0xfaf6d5e3b0a66c3c);
}

TEST_CASE("portable math: what is exact comes out exactly") {
  for (int k = -323; k <= 308; ++k) {
    const std::string text = "1e" + std::to_string(k);
    double power = 0;
    std::from_chars(text.data(), text.data() + text.size(), power);
    CAPTURE(k);
    CHECK(Pow(10, k) == power);
    if (k >= 0 && k <= 22) CHECK(Log10(power) == k);
    CHECK(Log2(std::ldexp(1.0, k)) == k);
    CHECK(Cbrt(1.0 * k * k * k) == k);
    CHECK(Hypot(3.0 * k, 4.0 * k) == 5.0 * std::abs(k));
  }
  CHECK(Pow(-2, 3) == -8);
  CHECK(Pow(-2, -2) == 0.25);
  CHECK(Exp(0) == 1);
  CHECK(Log(1) == 0);
  CHECK(Cos(0) == 1);
  CHECK(Atan2(1, 1) == Atan(1));
  CHECK(Asin(1) == 2 * Atan(1));
  CHECK(Acos(-1) == 4 * Atan(1));
}

TEST_CASE("portable math: zeros, infinities and what is no number") {
  const double specials[] = {0.0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, 1e300, -1e300, 5e-324, -5e-324,
                             kInfinity, -kInfinity, kNan, 709.7, 710.4, -745, 1.7976931348623157e308};
  for (const double x : specials) {
    CAPTURE(x);
    for (const Function& f : kFunctions) {
      CAPTURE(f.name);
      CHECK(Apart(f.ours(x), f.theirs(x)) <= 4);
      if (f.theirs(x) == 0) CHECK(std::signbit(f.ours(x)) == std::signbit(f.theirs(x)));
    }
    for (const double y : specials) {
      CAPTURE(y);
      CHECK(Apart(Pow(x, y), std::pow(x, y)) <= 1);
      if (!std::isnan(Pow(x, y))) CHECK(std::signbit(Pow(x, y)) == std::signbit(std::pow(x, y)));
      CHECK(Apart(Atan2(x, y), std::atan2(x, y)) <= 1);
      CHECK(Apart(Hypot(x, y), std::hypot(x, y)) <= 1);
    }
  }
}

}  // namespace rivulet::portable
