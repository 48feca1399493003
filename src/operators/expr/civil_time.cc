#include "operators/expr/civil_time.h"

#include <algorithm>

#include "base/types.h"

namespace rivulet::expr {
namespace {

constexpr int64_t kDaysPerEra = 146097;     // 400 years
constexpr int64_t kDaysToEpoch = 719468;    // 0000-03-01 to 1970-01-01

int64_t FloorDiv(int64_t a, int64_t b) { return (a - FloorMod(a, b)) / b; }

bool IsLeap(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

}  // namespace

int DaysInMonth(int64_t year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeap(year) ? 29 : kDays[month - 1];
}

int64_t DaysFromCivil(int64_t year, int month, int day) {
  // Years begin in March, so that the leap day is the last of its year.
  const int64_t y = month <= 2 ? year - 1 : year;
  const int64_t era = FloorDiv(y, 400);
  const int64_t year_of_era = y - era * 400;
  const int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * kDaysPerEra + day_of_era - kDaysToEpoch;
}

CivilDate CivilFromDays(int64_t days) {
  const int64_t z = days + kDaysToEpoch;
  const int64_t era = FloorDiv(z, kDaysPerEra);
  const int64_t day_of_era = z - era * kDaysPerEra;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const auto day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  const auto month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

CivilTime CivilFromMs(int64_t ms) {
  const int64_t ms_of_day = FloorMod(ms, kMsPerDay);
  // Not (ms - ms_of_day) / kMsPerDay, which overflows at the very beginning of int64.
  const int64_t days = ms / kMsPerDay - (ms % kMsPerDay < 0 ? 1 : 0);
  return {CivilFromDays(days), days, ms_of_day};
}

std::optional<int64_t> MsFromDays(int64_t days, int64_t ms_of_day) {
  const Int128 ms = static_cast<Int128>(days) * kMsPerDay + ms_of_day;
  const auto result = static_cast<int64_t>(ms);
  if (result != ms) return std::nullopt;
  return result;
}

int DayOfWeek(int64_t days) { return static_cast<int>(FloorMod(days + 3, 7)) + 1; }

int DayOfYear(const CivilTime& time) {
  return static_cast<int>(time.days - DaysFromCivil(time.date.year, 1, 1)) + 1;
}

CivilDate IsoWeekOf(int64_t days, int* week) {
  // A week belongs to the year of its Thursday.
  const int64_t thursday = days - DayOfWeek(days) + 4;
  const CivilDate date = CivilFromDays(thursday);
  *week = static_cast<int>((thursday - DaysFromCivil(date.year, 1, 1)) / 7) + 1;
  return date;
}

std::optional<int64_t> AddMonths(int64_t days, Int128 months) {
  const CivilDate date = CivilFromDays(days);
  const Int128 month = static_cast<Int128>(date.year) * 12 + (date.month - 1) + months;
  // Far beyond what milliseconds in int64 reach.
  constexpr Int128 kMost = static_cast<Int128>(400'000'000) * 12;
  if (month > kMost || month < -kMost) return std::nullopt;
  const auto index = static_cast<int64_t>(month);
  const int64_t year = FloorDiv(index, 12);
  const auto month_of_year = static_cast<int>(FloorMod(index, 12)) + 1;
  return DaysFromCivil(year, month_of_year,
                       std::min(date.day, DaysInMonth(year, month_of_year)));
}

}  // namespace rivulet::expr
