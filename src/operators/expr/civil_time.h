// Calendar arithmetic in UTC: milliseconds since 1970 to year, month, day and back.
//
// Days to civil dates and back follow Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"
// (days_from_civil, civil_from_days): the proleptic Gregorian calendar, exact for every int64
// millisecond, before 1970 too.
#pragma once

#include <cstdint>
#include <optional>

#include "base/wide_int.h"

namespace rivulet::expr {

inline constexpr int64_t kMsPerSecond = 1000;
inline constexpr int64_t kMsPerMinute = 60 * kMsPerSecond;
inline constexpr int64_t kMsPerHour = 60 * kMsPerMinute;
inline constexpr int64_t kMsPerDay = 24 * kMsPerHour;

struct CivilDate {
  int64_t year;
  int month;  // 1..12
  int day;    // 1..31
};

struct CivilTime {
  CivilDate date;
  int64_t days;       // since 1970-01-01
  int64_t ms_of_day;  // 0 .. kMsPerDay - 1
};

int64_t DaysFromCivil(int64_t year, int month, int day);
CivilDate CivilFromDays(int64_t days);
CivilTime CivilFromMs(int64_t ms);

// None when the time is beyond int64 milliseconds.
std::optional<int64_t> MsFromDays(int64_t days, int64_t ms_of_day);

int DayOfWeek(int64_t days);  // ISO: Monday 1 .. Sunday 7
int DayOfYear(const CivilTime& time);  // 1..366

int DaysInMonth(int64_t year, int month);

// ISO 8601's week, 1..53, and a date of the year it belongs to.
CivilDate IsoWeekOf(int64_t days, int* week);

// The same day of a later (or earlier) month, or that month's last when it is shorter. None when
// beyond int64 milliseconds by far.
std::optional<int64_t> AddMonths(int64_t days, Int128 months);

}  // namespace rivulet::expr
