#include <doctest/doctest.h>

#include <chrono>
#include <limits>
#include <random>

#include "operators/decode/decoder.h"

namespace rivulet {
namespace {

int64_t Us(std::string_view text) {
  int64_t us = 0;
  REQUIRE_MESSAGE(ParseIso8601(text, &us), text);
  return us;
}

TEST_CASE("iso 8601: what is taken") {
  CHECK(Us("1970-01-01") == 0);
  CHECK(Us("1970-01-01T00:00:00Z") == 0);
  CHECK(Us("2017-03-21T00:00:02-05:00") == 1490072402'000000);
  CHECK(Us("2017-03-21T05:00:02Z") == 1490072402'000000);
  CHECK(Us("2017-03-21 05:00:02") == 1490072402'000000);
  CHECK(Us("2017-03-21t05:00:02z") == 1490072402'000000);
  CHECK(Us("2017-03-21T05:00") == 1490072400'000000);
  CHECK(Us("2017-03-21T10:30:02+0530") == 1490072402'000000);
  CHECK(Us("2017-03-21T07:00:02+02") == 1490072402'000000);
  CHECK(Us("2017-03-21 05:00:02 Z") == 1490072402'000000);
  CHECK(Us("2017-03-21 00:00:02 -05:00") == 1490072402'000000);
  CHECK(Us("20170321T050002Z") == 1490072402'000000);
  CHECK(Us("20170321T050002.25+0000") == 1490072402'250000);
  CHECK(Us("20170321T0500") == 1490072400'000000);
  CHECK(Us("20170321 000002-0500") == 1490072402'000000);
  CHECK(Us("2017/03/21 05:00:02") == 1490072402'000000);
  CHECK(Us("2017/03/21") == 1490054400'000000);
  CHECK(Us("1970-01-01T00:00:00.5") == 500000);
  CHECK(Us("1970-01-01T00:00:00,000001Z") == 1);
  CHECK(Us("1970-01-01T00:00:00.123456789Z") == 123456);
  CHECK(Us("1969-12-31T23:59:59.999999Z") == -1);
  CHECK(Us("1969-12-31T23:59:59.9999999Z") == -1);
  CHECK(Us("2000-02-29") == 951782400'000000);
  CHECK(Us("2024-02-29T23:59:59Z") == 1709251199'000000);
  CHECK(Us("0000-03-01") == -62162035200'000000);
  CHECK(Us("9999-12-31T23:59:59.999999Z") == 253402300799'999999);
}

TEST_CASE("iso 8601: what is refused") {
  for (const char* text :
       {"", "2017", "2017-03", "20170321", "2017-3-21", "2017-03-2", "2017-00-01", "2017-13-01",
        "2017-01-00", "2017-04-31", "2017-02-29", "1900-02-29", "2100-02-29", "2017-03-21T",
        "2017-03-21T5:00:02", "2017-03-21T24:00:00", "2017-03-21T05:60:00", "2017-03-21T23:59:60",
        "2017-03-21T05:00:02.", "2017-03-21T05:00:02.1234567890", "2017-03-21T05:00:02  Z",
        "20170321", "20170321T", "20170321T05", "20170321T050", "20170321T05:00", "2017-03-21T0500",
        "2017/03-21", "2017/3/21", "201703-21", "20170332T0500", "20170321T0500:02", "2017-03-21T05:00:02 ",
        "2017-03-21 Z",
        "2017-03-21T05:00:02+5", "2017-03-21T05:00:02+05:", "2017-03-21T05:00:02+05:0",
        "2017-03-21T05:00:02+24:00", "2017-03-21T05:00:02+05:60", "2017-03-21T05:00:02ZZ",
        "2017-03-21Z", "2017-03-21T05", " 2017-03-21", "2017-03-21 ", "2017-03-21  05:00:02",
        "-017-03-21", "2017-+3-21", "2017-W12-2", "x017-03-21", "2017-03-21T05:00:02UTC"}) {
    CAPTURE(text);
    int64_t us = 0;
    CHECK_FALSE(ParseIso8601(text, &us));
  }
}

TEST_CASE("iso 8601: every day of 2400 years agrees with the standard library") {
  using std::chrono::sys_days;
  for (sys_days day{std::chrono::year{1} / 1 / 1}; day < sys_days{std::chrono::year{2401} / 1 / 1};
       day += std::chrono::days{1}) {
    const std::chrono::year_month_day date{day};
    const int64_t us = int64_t{day.time_since_epoch().count()} * 86'400'000'000;
    char text[32];
    std::snprintf(text, sizeof(text), "%04d-%02u-%02u", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    int64_t parsed = 0;
    REQUIRE(ParseIso8601(text, &parsed));
    REQUIRE(parsed == us);
    REQUIRE(FormatIso8601(us) == std::string(text) + "T00:00:00Z");
  }
}

TEST_CASE("iso 8601: formatting") {
  CHECK(FormatIso8601(0) == "1970-01-01T00:00:00Z");
  CHECK(FormatIso8601(1490072402'000000) == "2017-03-21T05:00:02Z");
  CHECK(FormatIso8601(1490072402'120000) == "2017-03-21T05:00:02.120Z");
  CHECK(FormatIso8601(1490072402'000001) == "2017-03-21T05:00:02.000001Z");
  CHECK(FormatIso8601(-1) == "1969-12-31T23:59:59.999999Z");
  CHECK(FormatIso8601(253402300800'000000) == "+010000-01-01T00:00:00Z");
  CHECK(FormatIso8601(std::numeric_limits<int64_t>::max()) == "+294247-01-10T04:00:54.775807Z");
  CHECK(FormatIso8601(std::numeric_limits<int64_t>::min()) == "-290308-12-21T19:59:05.224192Z");
}

TEST_CASE("iso 8601: what is written reads back") {
  std::mt19937_64 random(5);
  for (int k = 0; k < 100000; ++k) {
    const auto us = static_cast<int64_t>(random() % 315537897600'000000) - 62135596800'000000;
    REQUIRE(Us(FormatIso8601(us)) == us);
  }
}

}  // namespace
}  // namespace rivulet
