#include "base/coding.h"

#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <vector>

namespace rivulet {
namespace {

// Values of all magnitudes and their neighbourhoods.
std::vector<uint64_t> Samples() {
  std::vector<uint64_t> out = {0, 1, std::numeric_limits<uint64_t>::max()};
  for (int shift = 0; shift < 64; ++shift) {
    const uint64_t power = 1ull << shift;
    out.insert(out.end(), {power - 1, power, power + 1});
  }
  std::mt19937_64 random(4);
  for (int k = 0; k < 400; ++k) out.push_back(random() >> (random() % 64));
  return out;
}

TEST_CASE("ordered encodings compare as the values do") {
  const std::vector<uint64_t> samples = Samples();
  for (const uint64_t a : samples) {
    std::string unsigned_a;
    std::string signed_a;
    std::string short_a;
    PutOrderedU64(&unsigned_a, a);
    PutOrderedI64(&signed_a, static_cast<int64_t>(a));
    PutOrderedU16(&short_a, static_cast<uint16_t>(a));
    for (const uint64_t b : samples) {
      std::string unsigned_b;
      std::string signed_b;
      std::string short_b;
      PutOrderedU64(&unsigned_b, b);
      PutOrderedI64(&signed_b, static_cast<int64_t>(b));
      PutOrderedU16(&short_b, static_cast<uint16_t>(b));
      // std::string compares as memcmp does.
      REQUIRE((unsigned_a <=> unsigned_b) == (a <=> b));
      REQUIRE((signed_a <=> signed_b) == (static_cast<int64_t>(a) <=> static_cast<int64_t>(b)));
      REQUIRE((short_a <=> short_b) == (static_cast<uint16_t>(a) <=> static_cast<uint16_t>(b)));
    }
  }
}

TEST_CASE("every encoding reads back, takes exactly its bytes, and refuses fewer") {
  for (const uint64_t v : Samples()) {
    std::string bytes;
    PutVarint(&bytes, v);
    PutSignedVarint(&bytes, static_cast<int64_t>(v));
    PutOrderedU64(&bytes, v);
    PutOrderedI64(&bytes, static_cast<int64_t>(v));
    PutOrderedU16(&bytes, static_cast<uint16_t>(v));
    PutFixed<uint32_t>(&bytes, static_cast<uint32_t>(v));
    PutBytes(&bytes, std::string(v % 300, 'x'));
    const auto read_all = [v](std::string_view in) {
      uint64_t u = 0;
      int64_t s = 0;
      uint64_t ou = 0;
      int64_t os = 0;
      uint16_t o16 = 0;
      uint32_t f = 0;
      std::string_view text;
      if (!GetVarint(&in, &u) || !GetSignedVarint(&in, &s) || !GetOrderedU64(&in, &ou) ||
          !GetOrderedI64(&in, &os) || !GetOrderedU16(&in, &o16) || !GetFixed(&in, &f) ||
          !GetBytes(&in, &text)) {
        return false;
      }
      CHECK(u == v);
      CHECK(s == static_cast<int64_t>(v));
      CHECK(ou == v);
      CHECK(os == static_cast<int64_t>(v));
      CHECK(o16 == static_cast<uint16_t>(v));
      CHECK(f == static_cast<uint32_t>(v));
      CHECK(text == std::string(v % 300, 'x'));
      CHECK(in.empty());
      return true;
    };
    CHECK(read_all(bytes));
    for (size_t cut = 0; cut < bytes.size(); cut += 1 + cut / 8) {
      CHECK_FALSE(read_all(std::string_view(bytes).substr(0, cut)));
    }
  }
}

TEST_CASE("malformed varints and lengths are refused") {
  uint64_t v = 0;
  std::string_view too_long("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
  CHECK_FALSE(GetVarint(&too_long, &v));
  std::string_view overflows("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10);
  CHECK_FALSE(GetVarint(&overflows, &v));
  std::string bytes;
  PutVarint(&bytes, std::numeric_limits<uint64_t>::max());
  bytes += "short";
  std::string_view in = bytes;
  std::string_view text;
  CHECK_FALSE(GetBytes(&in, &text));
}

TEST_CASE("small magnitudes of either sign are short") {
  std::string bytes;
  PutSignedVarint(&bytes, -1);
  PutSignedVarint(&bytes, 63);
  CHECK(bytes.size() == 2);
  for (const int64_t v : {int64_t{0}, int64_t{-1}, std::numeric_limits<int64_t>::min(),
                          std::numeric_limits<int64_t>::max()}) {
    CHECK(UnZigZag(ZigZag(v)) == v);
  }
}

}  // namespace
}  // namespace rivulet
