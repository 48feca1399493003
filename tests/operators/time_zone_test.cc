#include <doctest/doctest.h>

#include <limits>

#include "operators/time/time_zone.h"

namespace rivulet {
namespace {

constexpr int64_t kSecond = 1'000'000, kHour = 3600 * kSecond;
// 2023-03-26T01:00Z and 2023-10-29T01:00Z: Berlin's clocks are set.
constexpr int64_t kForward = 1'679'792'400 * kSecond, kBack = 1'698'541'200 * kSecond;

std::shared_ptr<const TimeZone> Zone(std::string_view name) {
  const Result<std::shared_ptr<const TimeZone>> zone = TimeZone::Open(name);
  REQUIRE_MESSAGE(zone.ok(), zone.status().ToString());
  return *zone;
}

}  // namespace

TEST_CASE("time zone: what the wall clock shows, to the microsecond") {
  const auto berlin = Zone("Europe/Berlin");
  CHECK(berlin->OffsetAt(kForward - 1) == kHour);
  CHECK(berlin->OffsetAt(kForward) == 2 * kHour);
  CHECK(berlin->OffsetAt(kBack - 1) == 2 * kHour);
  CHECK(berlin->OffsetAt(kBack) == kHour);
  CHECK(Zone("UTC")->OffsetAt(kForward) == 0);
  CHECK(Zone("Asia/Kolkata")->OffsetAt(kForward) == 11 * kHour / 2);
  CHECK(Zone("America/New_York")->OffsetAt(kForward) == -4 * kHour);
}

TEST_CASE("time zone: a local time that is skipped, one that comes twice, and ordinary ones") {
  const auto berlin = Zone("Europe/Berlin");
  const int64_t skipped = kForward + kHour;  // 02:00
  CHECK(berlin->ToUtc(skipped - 1) == kForward - 1);
  CHECK(berlin->ToUtc(skipped) == kForward);
  CHECK(berlin->ToUtc(skipped + kHour / 2) == kForward);
  CHECK(berlin->ToUtc(skipped + kHour) == kForward);
  const int64_t twice = kBack + kHour;  // 02:00, the first of two
  CHECK(berlin->ToUtc(twice) == kBack - kHour);
  CHECK(berlin->ToUtc(twice + kHour - 1) == kBack - 1);
  CHECK(berlin->ToUtc(twice + kHour) == kBack + kHour);
}

TEST_CASE("time zone: times at the ends of what a record may have") {
  const auto berlin = Zone("Europe/Berlin");
  for (const int64_t t : {-(int64_t{1} << 61), int64_t{1} << 61}) {
    const int64_t offset = berlin->OffsetAt(t);
    CHECK(offset > 0);
    CHECK(offset <= 2 * kHour);
    CHECK(berlin->ToUtc(t + offset) == t);
  }
  CHECK(berlin->OffsetAt(std::numeric_limits<int64_t>::min()) > 0);
  CHECK(berlin->ToUtc(std::numeric_limits<int64_t>::max()) < std::numeric_limits<int64_t>::max());
}

TEST_CASE("time zone: one that is not known is refused with the nearest") {
  const Result<std::shared_ptr<const TimeZone>> zone = TimeZone::Open("Europe/Berln");
  REQUIRE_FALSE(zone.ok());
  CHECK(zone.status().code() == ErrorCode::kBadSettingValue);
  CHECK(zone.status().message().find("'Europe/Berlin'") != std::string::npos);
  CHECK_FALSE(TimeZone::Open("").ok());
  CHECK_FALSE(TimeZone::Open("../../etc/passwd").ok());
}

}  // namespace rivulet
