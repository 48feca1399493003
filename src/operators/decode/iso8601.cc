// ISO 8601 date-times, written by hand: telemetry may carry one in every record.
//
// Taken: "2017-03-21" (midnight UTC), then "T" or one space, "hh:mm" or "hh:mm:ss", a fraction of
// seconds of 1 to 9 digits behind "." or "," (cut to microseconds), and "Z", "+hh", "+hhmm",
// "+hh:mm" (or "-...") or nothing (UTC). Years 0000 to 9999. Not taken: second 60 (POSIX time has
// no leap seconds, so it would silently be another minute), hour 24, week and ordinal dates, the
// basic format, a zone behind a bare date, surrounding white space.
#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/types.h"
#include "operators/decode/decoder.h"

namespace rivulet {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kDay = 86400 * kSecond;
constexpr int64_t kDaysPer400Years = 146097;
// Days from 0000-03-01 to 1970-01-01. Years counted from March end with the leap day.
constexpr int64_t kDaysToEpoch = 719468;

bool IsLeap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int DaysInMonth(int year, int month) {
  constexpr std::array<int8_t, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return kDays[static_cast<size_t>(month - 1)] + (month == 2 && IsLeap(year) ? 1 : 0);
}

// Days before the month `march_month` (0 is March) in a year counted from March: 0, 31, 61, 92, ...
int64_t DaysBefore(int64_t march_month) { return (153 * march_month + 2) / 5; }

// Days since 1970-01-01 of a date of the proleptic Gregorian calendar, years 0 to 9999.
int64_t DaysSinceEpoch(int year, int month, int day) {
  const int64_t y = month <= 2 ? year - 1 : year;
  const int64_t march_month = month <= 2 ? month + 9 : month - 3;
  const int64_t cycle = (y - FloorMod(y, 400)) / 400;
  const int64_t year_of_cycle = FloorMod(y, 400);
  const int64_t leap_days = year_of_cycle / 4 - year_of_cycle / 100;
  return cycle * kDaysPer400Years + year_of_cycle * 365 + leap_days + DaysBefore(march_month) +
         day - 1 - kDaysToEpoch;
}

// Takes exactly `count` digits from the front.
bool TakeDigits(std::string_view* text, size_t count, int* value) {
  if (text->size() < count) return false;
  int v = 0;
  for (size_t k = 0; k < count; ++k) {
    const int digit = (*text)[k] - '0';
    if (digit < 0 || digit > 9) return false;
    v = v * 10 + digit;
  }
  text->remove_prefix(count);
  *value = v;
  return true;
}

bool TakeChar(std::string_view* text, char c) {
  if (!text->starts_with(c)) return false;
  text->remove_prefix(1);
  return true;
}

bool TakeDate(std::string_view* text, int64_t* days) {
  int year = 0;
  int month = 0;
  int day = 0;
  if (!TakeDigits(text, 4, &year) || !TakeChar(text, '-') || !TakeDigits(text, 2, &month) ||
      !TakeChar(text, '-') || !TakeDigits(text, 2, &day)) {
    return false;
  }
  if (month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, month)) return false;
  *days = DaysSinceEpoch(year, month, day);
  return true;
}

// The fraction behind its point, in us. One to nine digits.
bool TakeFraction(std::string_view* text, int64_t* us) {
  int64_t v = 0;
  size_t count = 0;
  for (int digit = 0; TakeDigits(text, 1, &digit); ++count) {
    if (count < 6) v = v * 10 + digit;
  }
  if (count == 0 || count > 9) return false;
  for (size_t k = count; k < 6; ++k) v *= 10;
  *us = v;
  return true;
}

bool TakeTime(std::string_view* text, int64_t* us) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  int64_t fraction = 0;
  if (!TakeDigits(text, 2, &hour) || !TakeChar(text, ':') || !TakeDigits(text, 2, &minute)) {
    return false;
  }
  if (TakeChar(text, ':')) {
    if (!TakeDigits(text, 2, &second)) return false;
    if ((TakeChar(text, '.') || TakeChar(text, ',')) && !TakeFraction(text, &fraction)) {
      return false;
    }
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  *us = (hour * 3600 + minute * 60 + second) * kSecond + fraction;
  return true;
}

// All that is left: nothing, Z or an offset; `us` is local time minus UTC.
bool TakeZone(std::string_view text, int64_t* us) {
  *us = 0;
  if (text.empty() || text == "Z" || text == "z") return true;
  const bool west = text.front() == '-';
  if (!TakeChar(&text, '+') && !TakeChar(&text, '-')) return false;
  int hours = 0;
  int minutes = 0;
  if (!TakeDigits(&text, 2, &hours)) return false;
  if (!text.empty()) {
    TakeChar(&text, ':');
    if (!TakeDigits(&text, 2, &minutes) || !text.empty()) return false;
  }
  if (hours > 23 || minutes > 59) return false;
  *us = (hours * 3600 + minutes * 60) * kSecond;
  if (west) *us = -*us;
  return true;
}

}  // namespace

bool ParseIso8601(std::string_view text, int64_t* us) {
  int64_t days = 0;
  int64_t time = 0;
  int64_t zone = 0;
  if (!TakeDate(&text, &days)) return false;
  if (!text.empty()) {
    if (!TakeChar(&text, 'T') && !TakeChar(&text, 't') && !TakeChar(&text, ' ')) return false;
    if (!TakeTime(&text, &time) || !TakeZone(text, &zone)) return false;
  }
  *us = days * kDay + time - zone;
  return true;
}

// Years outside 0000 to 9999 get a sign, as ISO 8601 asks.
std::string FormatIso8601(int64_t us) {
  const int64_t time = FloorMod(us, kDay);
  const int64_t days = (us < 0 ? (us + 1) / kDay - 1 : us / kDay) + kDaysToEpoch;
  const int64_t day_of_cycle = FloorMod(days, kDaysPer400Years);
  const int64_t cycle = (days - day_of_cycle) / kDaysPer400Years;
  // Leap days before this one: every 4 years (1461 days) but not the 100th, yet the 400th.
  const int64_t year_of_cycle = (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36524 -
                                 day_of_cycle / (kDaysPer400Years - 1)) / 365;
  const int64_t day_of_year =
      day_of_cycle - (year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100);
  const int64_t march_month = (5 * day_of_year + 2) / 153;
  const int64_t day = day_of_year - DaysBefore(march_month) + 1;
  const int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
  const int64_t year = cycle * 400 + year_of_cycle + (month <= 2 ? 1 : 0);

  const int64_t seconds = time / kSecond;
  const int64_t fraction = time % kSecond;
  const auto wide = [](int64_t v) { return static_cast<long long>(v); };
  char text[64];
  const char* const format = year < 0 || year > 9999 ? "%+05lld-%02lld-%02lldT%02lld:%02lld:%02lld"
                                                     : "%04lld-%02lld-%02lldT%02lld:%02lld:%02lld";
  std::snprintf(text, sizeof(text), format, wide(year), wide(month), wide(day),
                wide(seconds / 3600), wide(seconds / 60 % 60), wide(seconds % 60));
  std::string out = text;
  if (fraction != 0) {
    const bool millis = fraction % 1000 == 0;
    std::snprintf(text, sizeof(text), millis ? ".%03lld" : ".%06lld",
                  wide(millis ? fraction / 1000 : fraction));
    out += text;
  }
  return out + "Z";
}

}  // namespace rivulet
