#include "base/units.h"

#include <doctest/doctest.h>

#include <limits>
#include <random>

namespace rivulet {
namespace {

int64_t Us(std::string_view text) {
  const Result<Duration> d = ParseDuration(text);
  REQUIRE_MESSAGE(d.ok(), d.status().ToString());
  return d->us;
}

TEST_CASE("durations are read in every unit, in parts and with exact fractions") {
  CHECK(Us("0") == 0);
  CHECK(Us("0s") == 0);
  CHECK(Us("10us") == 10);
  CHECK(Us("250ms") == 250'000);
  CHECK(Us("5s") == 5'000'000);
  CHECK(Us("1m") == 60'000'000);
  CHECK(Us("2h") == 7'200'000'000);
  CHECK(Us("1d") == 86'400'000'000);
  CHECK(Us("1h30m") == 5'400'000'000);
  CHECK(Us("1.5s") == 1'500'000);
  CHECK(Us("0.000001s") == 1);
  CHECK(Us("9223372036854775807us") == std::numeric_limits<int64_t>::max());
}

TEST_CASE("what is not a duration is refused with what was found") {
  for (const char* text : {"", "5", "s", "5 s", " 5s", "5s ", "5parsecs", "-5s", "+5s", "1.s",
                           ".5s", "1..5s", "1.5us", "0.0000001s", "1e3s", "5S", "1h30",
                           "9223372036854775808us", "99999999999999999999d", "106751992d",
                           "9223372036854775807us1us", "0.00000000000000000000001s"}) {
    CAPTURE(text);
    const Result<Duration> d = ParseDuration(text);
    REQUIRE_FALSE(d.ok());
    CHECK(d.status().code() == ErrorCode::kBadDuration);
    CHECK(d.status().message().find(std::string("'") + text + "'") != std::string::npos);
  }
}

TEST_CASE("durations are written in their shortest exact form") {
  CHECK(FormatDuration({0}) == "0s");
  CHECK(FormatDuration({5'000'000}) == "5s");
  CHECK(FormatDuration({90'000'000}) == "1m30s");
  CHECK(FormatDuration({250'000}) == "250ms");
  CHECK(FormatDuration({1'500}) == "1.5ms");
  CHECK(FormatDuration({7}) == "7us");
  CHECK(FormatDuration({1'500'000}) == "1.5s");
  CHECK(FormatDuration({90'061'000'001}) == "1d1h1m1.000001s");
  CHECK(FormatDuration({-2'000'000}) == "-2s");
  CHECK(FormatDuration({std::numeric_limits<int64_t>::min()}).starts_with("-106751991d4h"));
}

TEST_CASE("what FormatDuration writes ParseDuration reads back") {
  std::mt19937_64 random(1);
  for (int k = 0; k < 20000; ++k) {
    const Duration d{static_cast<int64_t>(random() >> (1 + random() % 63))};
    CHECK(Us(FormatDuration(d)) == d.us);
  }
}

TEST_CASE("sizes") {
  CHECK(ParseSize("0").value() == 0);
  CHECK(ParseSize("117").value() == 117);
  CHECK(ParseSize("117B").value() == 117);
  CHECK(ParseSize("64KB").value() == 65536);
  CHECK(ParseSize("64KiB").value() == 65536);
  CHECK(ParseSize("256MB").value() == 256u << 20);
  CHECK(ParseSize("1GiB").value() == 1u << 30);
  CHECK(ParseSize("18446744073709551615").value() == std::numeric_limits<uint64_t>::max());
  for (const char* text : {"", "MB", "-1", "1.5MB", "1 MB", "1mb", "1TB", "18446744073709551616",
                           "17179869184GB"}) {
    CAPTURE(text);
    const Result<uint64_t> size = ParseSize(text);
    REQUIRE_FALSE(size.ok());
    CHECK(size.status().code() == ErrorCode::kBadSize);
  }
  CHECK(FormatSize(0) == "0 B");
  CHECK(FormatSize(117) == "117 B");
  CHECK(FormatSize(1023) == "1023 B");
  CHECK(FormatSize(1024) == "1 KB");
  CHECK(FormatSize(64u << 20) == "64 MB");
  CHECK(FormatSize(3u << 19) == "1.5 MB");
  CHECK(FormatSize((1u << 20) - 1) == "1 MB");
  CHECK(FormatSize(std::numeric_limits<uint64_t>::max()) == "16777216 TB");
}

}  // namespace
}  // namespace rivulet
