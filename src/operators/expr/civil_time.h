// Calendar arithmetic in UTC: milliseconds since 1970 to year, month, day and back, and ISO 8601.
//
// Days to civil dates and back follow Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"
// (days_from_civil, civil_from_days): the proleptic Gregorian calendar, exact for every int64
// millisecond, before 1970 too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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

// 2024-05-01T12:34:56.789Z; years outside 0..9999 have a sign and at least six digits.
void AppendIso(int64_t ms, std::string* out);

// YYYY-MM-DD, or with T or a space and hh:mm[:ss[.fraction]] and Z, +hh:mm or +hhmm; without a zone
// it is UTC. Digits beyond milliseconds are cut off. None when it is no such time.
std::optional<int64_t> ParseIso(std::string_view text);

}  // namespace rivulet::expr
