// Windows of a wall clock and of the calendar: whatever the zone, the length and the day, they cover all time
// without gaps, and begin where they should.

#include "operators/window/window_calendar.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "base/random.h"
#include "operators/expr/civil_time.h"

namespace rivulet {
namespace {

constexpr int64_t kSecond = 1'000'000, kHour = 3600 * kSecond, kDay = 24 * kHour;


WindowCalendar Calendar(const WindowSpec& spec) {
  Result<WindowCalendar> calendar = WindowCalendar::Of(spec);
  REQUIRE(calendar.ok());
  return *calendar;
}

// Somewhere from 1890 to 2050, often near the hour.
int64_t SomeTime(Random* random) {
  const auto days = static_cast<int64_t>(random->Below(160 * 365)) - 80 * 365;
  const int64_t t = days * kDay + static_cast<int64_t>(random->Below(24)) * kHour;
  return random->Chance(0.5) ? t : t + static_cast<int64_t>(random->Below(static_cast<uint64_t>(kHour)));
}

int64_t LocalMs(const std::string& zone, int64_t us) {
  std::string error;
  return zone.empty() ? us / 1000 : TimeZone::Find(zone, &error)->ToLocal(us / 1000);
}

// No gap, no overlap, and the window of a moment is that of each moment in it.
void CheckCover(const WindowCalendar& calendar, int64_t t) {
  const auto [start, end] = calendar.WindowOf(t);
  CAPTURE(t);
  CAPTURE(start);
  CAPTURE(end);
  REQUIRE(start <= t);
  REQUIRE(t < end);
  CHECK(calendar.WindowOf(start) == std::pair(start, end));
  CHECK(calendar.WindowOf(end - 1) == std::pair(start, end));
  CHECK(calendar.WindowOf(end).first == end);
  CHECK(calendar.WindowOf(start - 1).second == start);
}

constexpr const char* kZones[] = {"",  "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
                                  "America/Sao_Paulo", "Asia/Kolkata", "Pacific/Apia"};

}  // namespace

TEST_CASE("calendar windows: months begin on their day, or on the last one") {
  Random random(7);
  for (int round = 0; round < 400; ++round) {
    WindowSpec spec;
    spec.zone = kZones[random.Below(7)];
    spec.calendar = {static_cast<int64_t>(1 + random.Below(24)), static_cast<int>(1 + random.Below(31)),
                     static_cast<int>(1 + random.Below(12))};
    spec.offset_us = static_cast<int64_t>(random.Below(24)) * kHour;
    CAPTURE(spec.zone);
    CAPTURE(spec.calendar.months);
    CAPTURE(spec.calendar.day);
    const WindowCalendar calendar = Calendar(spec);
    const int64_t t = SomeTime(&random);
    CheckCover(calendar, t);
    const auto [start, end] = calendar.WindowOf(t);
    // A day, or the hour, that was left out makes a window begin a little later.
    const expr::CivilTime from = expr::CivilFromMs(LocalMs(spec.zone, start) - spec.offset_us / 1000);
    const expr::CivilTime to = expr::CivilFromMs(LocalMs(spec.zone, end) - spec.offset_us / 1000);
    const int64_t months = to.date.year * 12 + to.date.month - from.date.year * 12 - from.date.month;
    const int wanted = std::min(spec.calendar.day, expr::DaysInMonth(from.date.year, from.date.month));
    const bool skipped = from.date.day != wanted || from.ms_of_day != 0;
    if (spec.zone.empty()) CHECK(!skipped);
    if (!skipped) CHECK(from.ms_of_day == 0);
    if (spec.zone != "Pacific/Apia") {
      CHECK(from.date.day == wanted);
      CHECK(from.ms_of_day <= 2 * expr::kMsPerHour);
      CHECK(months == spec.calendar.months);
    }
    CHECK((from.date.year * 12 + from.date.month - spec.calendar.first_month) % spec.calendar.months == 0);
  }
}

TEST_CASE("calendar windows: repeated times are one window, or told apart") {
  Random random(11);
  for (int round = 0; round < 400; ++round) {
    WindowSpec spec;
    spec.zone = kZones[1 + random.Below(6)];
    constexpr int64_t kHours[] = {1, 2, 3, 4, 6, 8, 12};
    spec.size_us = kHours[random.Below(7)] * kHour;
    spec.offset_us = random.Chance(0.3) ? static_cast<int64_t>(random.Below(24)) * kHour / 2 : 0;
    CAPTURE(spec.zone);
    CAPTURE(spec.size_us);
    const WindowCalendar together = Calendar(spec);
    spec.repeated_apart = true;
    const WindowCalendar apart = Calendar(spec);
    const int64_t t = SomeTime(&random);
    CheckCover(together, t);
    CheckCover(apart, t);
    const auto whole = together.WindowOf(t), part = apart.WindowOf(t);
    CHECK(whole.first <= part.first);
    CHECK(part.second <= whole.second);
    if (whole.second - whole.first <= spec.size_us) CHECK(whole == part);
  }
  // Berlin, 27 October 2024: from 03:00 back to 02:00 at 01:00 UTC.
  WindowSpec spec;
  spec.zone = "Europe/Berlin";
  spec.size_us = kHour;
  spec.repeated_apart = true;
  constexpr int64_t kTwo = 1'729'987'200 * kSecond;
  CHECK(Calendar(spec).WindowOf(kTwo + 1) == std::pair(kTwo, kTwo + kHour));
  CHECK(Calendar(spec).WindowOf(kTwo + kHour) == std::pair(kTwo + kHour, kTwo + 2 * kHour));
  spec.repeated_apart = false;
  CHECK(Calendar(spec).WindowOf(kTwo + kHour) == std::pair(kTwo, kTwo + 2 * kHour));
}

}  // namespace rivulet
