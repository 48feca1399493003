#include "operators/time/time_zone.h"

#include <doctest/doctest.h>

#include <limits>

namespace rivulet {
namespace {

constexpr int64_t kSecond = 1000, kHour = 3600 * kSecond;
// 2023-03-26T01:00Z and 2023-10-29T01:00Z: Berlin's clocks are set.
constexpr int64_t kForward = 1'679'792'400 * kSecond, kBack = 1'698'541'200 * kSecond;

TimeZone Zone(std::string_view name) {
  std::string error;
  const std::optional<TimeZone> zone = TimeZone::Find(name, &error);
  REQUIRE_MESSAGE(zone.has_value(), error);
  return *zone;
}

}  // namespace

TEST_CASE("time zone: what the wall clock shows, to the millisecond") {
  const auto berlin = Zone("Europe/Berlin");
  CHECK(berlin.OffsetMs(kForward - 1) == kHour);
  CHECK(berlin.OffsetMs(kForward) == 2 * kHour);
  CHECK(berlin.OffsetMs(kBack - 1) == 2 * kHour);
  CHECK(berlin.OffsetMs(kBack) == kHour);
  CHECK(Zone("UTC").OffsetMs(kForward) == 0);
  CHECK(Zone("Asia/Kolkata").OffsetMs(kForward) == 11 * kHour / 2);
  CHECK(Zone("America/New_York").OffsetMs(kForward) == -4 * kHour);
}

TEST_CASE("time zone: a local time that is skipped, one that comes twice, and ordinary ones") {
  const auto berlin = Zone("Europe/Berlin");
  const int64_t skipped = kForward + kHour;  // 02:00
  CHECK(berlin.FirstMoment(skipped - 1) == kForward - 1);
  CHECK(berlin.FirstMoment(skipped) == kForward);
  CHECK(berlin.FirstMoment(skipped + kHour / 2) == kForward);
  CHECK(berlin.FirstMoment(skipped + kHour) == kForward);
  CHECK(berlin.ToUtc(skipped + kHour / 2) == kForward + kHour / 2);  // counts on
  const int64_t twice = kBack + kHour;  // 02:00, the first of two
  CHECK(berlin.FirstMoment(twice) == kBack - kHour);
  CHECK(berlin.FirstMoment(twice + kHour - 1) == kBack - 1);
  CHECK(berlin.FirstMoment(twice + kHour) == kBack + kHour);
}

TEST_CASE("time zone: times at the ends of what a record may have") {
  const auto berlin = Zone("Europe/Berlin");
  for (const int64_t t : {-(int64_t{1} << 51), int64_t{1} << 51}) {
    const int64_t offset = berlin.OffsetMs(t);
    CHECK(offset > 0);
    CHECK(offset <= 2 * kHour);
    CHECK(berlin.FirstMoment(t + offset) == t);
  }
  CHECK(berlin.OffsetMs(std::numeric_limits<int64_t>::min()) > 0);
  CHECK(berlin.ToUtc(std::numeric_limits<int64_t>::max()) < std::numeric_limits<int64_t>::max());
}

TEST_CASE("time zone: one that is not known is refused with the nearest") {
  std::string error;
  CHECK_FALSE(TimeZone::Find("Europe/Berln", &error));
  CHECK(error.find("'Europe/Berlin'") != std::string::npos);
  CHECK_FALSE(TimeZone::Find("", &error));
  CHECK_FALSE(TimeZone::Find("../../etc/passwd", &error));
}

}  // namespace rivulet
