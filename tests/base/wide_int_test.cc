#include "base/wide_int.h"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "base/random.h"

namespace rivulet {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

}  // namespace

TEST_CASE("wide int: what 64 bits cannot hold") {
  const WideInt square = WideInt(kMin) * WideInt(kMin);
  CHECK(square == WideInt(1) << 126);
  CHECK(static_cast<double>(square) == 0x1p126);
  CHECK(square / WideInt(kMin) == WideInt(kMin));
  CHECK(WideInt(kMax) + WideInt(1) > WideInt(kMax));
  CHECK(static_cast<int64_t>(WideInt(kMax) + WideInt(1)) == kMin);
  CHECK(WideInt(-7) / WideInt(2) == WideInt(-3));
  CHECK(WideInt(-7) % WideInt(2) == WideInt(-1));
  CHECK(WideInt(uint64_t{0} - 1) > WideInt(-1));
  CHECK((WideInt(-1) >> 100) == WideInt(-1));
  CHECK(MultiplyHigh(~uint64_t{0}, ~uint64_t{0}) == ~uint64_t{0} - 1);
  CHECK(MultiplyHigh(uint64_t{1} << 32, uint64_t{1} << 32) == 1);
}

TEST_CASE("wide int: to the nearest float, halves to even") {
  const WideInt whole = WideInt(1) << 100;
  CHECK(static_cast<double>(whole + WideInt(1)) == 0x1p100);
  CHECK(static_cast<double>(whole + (WideInt(1) << 47)) == 0x1p100);
  CHECK(static_cast<double>(whole + (WideInt(1) << 47) + WideInt(1)) == 0x1.0000000000001p100);
  CHECK(static_cast<double>(whole + (WideInt(3) << 47)) == 0x1.0000000000002p100);
  CHECK(static_cast<double>(-whole) == -0x1p100);
}

#if defined(__SIZEOF_INT128__)
namespace {

using unsigned_wide = unsigned __int128;

// Numbers of every length, of both signs.
__int128 Pick(Random* random) {
  const auto bits = static_cast<unsigned_wide>(random->Next()) << 64 | random->Next();
  return static_cast<__int128>(bits) >> random->Below(128);
}
WideInt Of(__int128 v) {
  return (WideInt(static_cast<int64_t>(v >> 64)) << 64) | WideInt(static_cast<uint64_t>(v));
}
__int128 Wrapped(unsigned_wide v) { return static_cast<__int128>(v); }

}  // namespace

TEST_CASE("wide int: computes as the compiler's own type does") {
  Random random(5);
  for (int i = 0; i < 20'000; ++i) {
    const __int128 a = Pick(&random), b = Pick(&random);
    const auto ua = static_cast<unsigned_wide>(a), ub = static_cast<unsigned_wide>(b);
    CHECK(Of(a) + Of(b) == Of(Wrapped(ua + ub)));
    CHECK(Of(a) - Of(b) == Of(Wrapped(ua - ub)));
    CHECK(Of(a) * Of(b) == Of(Wrapped(ua * ub)));
    CHECK(-Of(a) == Of(Wrapped(-ua)));
    CHECK((Of(a) < Of(b)) == (a < b));
    CHECK(static_cast<int64_t>(Of(a)) == static_cast<int64_t>(a));
    CHECK(static_cast<double>(Of(a)) == static_cast<double>(a));
    const auto n = static_cast<int>(random.Below(128));
    CHECK((Of(a) << n) == Of(Wrapped(ua << n)));
    CHECK((Of(a) >> n) == Of(a >> n));
    if (b == 0) continue;
    CHECK(Of(a) / Of(b) == Of(a / b));
    CHECK(Of(a) % Of(b) == Of(a % b));
  }
}
#endif

}  // namespace rivulet
