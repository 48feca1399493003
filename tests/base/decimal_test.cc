#include "base/decimal.h"

#include <doctest/doctest.h>

#include <bit>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

namespace rivulet {
namespace {

double Read(const std::string& text) {
  double value = 0;
  REQUIRE(ReadDecimal(text, &value) == Decimal::kRead);
  return value;
}

TEST_CASE("a decimal is the nearest double, however long it is") {
  CHECK(Read("0.50000000000000000000") == 0.5);
  CHECK(Read("0.33333333333333333333") == 1.0 / 3);
  CHECK(Read("0.1000000000000000055511151231257827021181583404541015625") == 0.1);
  CHECK(Read("9007199254740993") == 9007199254740992.0);  // a tie: to even
  CHECK(Read("9007199254740993.00000000000000000000000000000000001") == 9007199254740994.0);
  CHECK(Read("9007199254740995") == 9007199254740996.0);
  CHECK(Read("1" + std::string(400, '0') + "e-400") == 1.0);
  CHECK(Read("0." + std::string(400, '0') + "1e401") == 1.0);
  CHECK(Read(".5") == 0.5);
  CHECK(Read("5.") == 5);
}

TEST_CASE("what is too small for a double is 0, what is too large is not read") {
  for (const char* text : {"1e-400", "2.4e-324", "1e-99999999999999999999999", "0.0e99999999999999999999",
                           "0e9223372036854775807"}) {
    CAPTURE(text);
    CHECK(std::bit_cast<uint64_t>(Read(text)) == 0);
    CHECK(std::bit_cast<uint64_t>(Read("-" + std::string(text))) == uint64_t{1} << 63);
  }
  CHECK(Read("0." + std::string(500, '0') + "1") == 0);
  CHECK(Read("2.4703282292062328e-324") == std::numeric_limits<double>::denorm_min());
  CHECK(Read("1.7976931348623158e308") == std::numeric_limits<double>::max());
  double value = 0;
  const std::string texts[] = {"1e309", "-1e400", "1.7976931348623159e308", "1" + std::string(400, '0'),
                               "1e99999999999999999999999", "1e9223372036854775807"};
  for (const std::string& text : texts) {
    CAPTURE(text);
    CHECK(ReadDecimal(text, &value) == Decimal::kHuge);
  }
}

TEST_CASE("what is no decimal is none") {
  double value = 0;
  for (const char* text : {"", "-", ".", "-.", "+1", "1x", "1 ", " 1", "0x10", "nan", "inf", "-inf", "1e",
                           "1e+", "--1", "1e400x", "1e-400 "}) {
    CAPTURE(text);
    CHECK(ReadDecimal(text, &value) == Decimal::kNone);
  }
}

// The C library reads correctly rounded too, by another way.
TEST_CASE("random decimals are read as by strtod") {
  std::mt19937_64 random(7);
  for (int k = 0; k < 200000; ++k) {
    std::string text;
    if (random() % 2 == 0) {
      const auto v = std::bit_cast<double>(random());
      if (!(v - v == 0)) continue;
      char digits[2000];
      const int places = static_cast<int>(random() % 40);
      const char* const forms[] = {"%.*g", "%.*e", "%.*f"};
      std::snprintf(digits, sizeof(digits), forms[random() % 3], places, v);
      text = digits;
    } else {
      for (size_t n = 1 + random() % 30; n > 0; --n) text += static_cast<char>('0' + random() % 10);
      if (random() % 2 == 0) text.insert(text.begin() + 1 + static_cast<long>(random() % text.size()), '.');
      if (random() % 2 == 0) text += "e" + std::to_string(static_cast<int>(random() % 700) - 350);
    }
    CAPTURE(text);
    double value = 0;
    const double expected = std::strtod(text.c_str(), nullptr);
    const Decimal read = ReadDecimal(text, &value);
    if (std::abs(expected) == std::numeric_limits<double>::infinity()) {
      REQUIRE(read == Decimal::kHuge);
    } else {
      REQUIRE(read == Decimal::kRead);
      REQUIRE(std::bit_cast<uint64_t>(value) == std::bit_cast<uint64_t>(expected));
    }
  }
}

}  // namespace
}  // namespace rivulet
