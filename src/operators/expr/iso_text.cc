#include "operators/expr/iso_text.h"

#include <cstdio>

#include "base/types.h"
#include "operators/expr/civil_time.h"

namespace rivulet::expr {
namespace {

constexpr int64_t kUsPerSecond = 1'000'000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes exactly `count` digits, up to 9, from the front.
bool TakeDigits(std::string_view* text, size_t count, int64_t* value) {
  if (text->size() < count) return false;
  int64_t v = 0;
  for (size_t k = 0; k < count; ++k) {
    if (!IsDigit((*text)[k])) return false;
    v = v * 10 + ((*text)[k] - '0');
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

bool TakeYear(std::string_view* text, int64_t* year) {
  const bool negative = text->starts_with('-');
  if (!negative && !text->starts_with('+')) return TakeDigits(text, 4, year);
  text->remove_prefix(1);
  size_t digits = 0;
  while (digits < 9 && digits < text->size() && IsDigit((*text)[digits])) ++digits;
  if (digits < 6 || !TakeDigits(text, digits, year)) return false;
  if (negative) *year = -*year;
  return true;
}

bool TakeDate(std::string_view* text, int64_t* days, bool* basic) {
  int64_t year = 0, month = 0, day = 0;
  if (!TakeYear(text, &year)) return false;
  const char mark = text->starts_with('/') ? '/' : '-';
  *basic = !text->empty() && IsDigit(text->front());
  if ((!*basic && !TakeChar(text, mark)) || !TakeDigits(text, 2, &month) ||
      (!*basic && !TakeChar(text, mark)) || !TakeDigits(text, 2, &day)) {
    return false;
  }
  if (month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, static_cast<int>(month))) {
    return false;
  }
  *days = DaysFromCivil(year, static_cast<int>(month), static_cast<int>(day));
  return true;
}

// The fraction behind its point, in us. One to nine digits.
bool TakeFraction(std::string_view* text, int64_t* us) {
  int64_t v = 0;
  size_t count = 0;
  for (int64_t digit = 0; TakeDigits(text, 1, &digit); ++count) {
    if (count < 6) v = v * 10 + digit;
  }
  if (count == 0 || count > 9) return false;
  for (size_t k = count; k < 6; ++k) v *= 10;
  *us = v;
  return true;
}

bool TakeTime(std::string_view* text, bool basic, int64_t* us) {
  int64_t hour = 0, minute = 0, second = 0, fraction = 0;
  if (!TakeDigits(text, 2, &hour) || (!basic && !TakeChar(text, ':')) || !TakeDigits(text, 2, &minute)) {
    return false;
  }
  if (basic ? !text->empty() && IsDigit(text->front()) : TakeChar(text, ':')) {
    if (!TakeDigits(text, 2, &second)) return false;
    if ((TakeChar(text, '.') || TakeChar(text, ',')) && !TakeFraction(text, &fraction)) {
      return false;
    }
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  *us = (hour * 3600 + minute * 60 + second) * kUsPerSecond + fraction;
  return true;
}

// All that is left: nothing, Z or an offset; `us` is local time minus UTC.
bool TakeZone(std::string_view text, int64_t* us) {
  *us = 0;
  if (text.size() > 1) TakeChar(&text, ' ');
  if (text.empty() || text == "Z" || text == "z") return true;
  const bool west = text.front() == '-';
  if (!TakeChar(&text, '+') && !TakeChar(&text, '-')) return false;
  int64_t hours = 0, minutes = 0;
  if (!TakeDigits(&text, 2, &hours)) return false;
  if (!text.empty()) {
    TakeChar(&text, ':');
    if (!TakeDigits(&text, 2, &minutes) || !text.empty()) return false;
  }
  if (hours > 23 || minutes > 59) return false;
  *us = (hours * 3600 + minutes * 60) * kUsPerSecond;
  if (west) *us = -*us;
  return true;
}

}  // namespace

std::optional<IsoTime> ReadIso(std::string_view text) {
  IsoTime time;
  int64_t zone = 0;
  bool basic = false;
  if (!TakeDate(&text, &time.days, &basic)) return std::nullopt;
  if (basic && text.empty()) return std::nullopt;
  if (!text.empty()) {
    if (!TakeChar(&text, 'T') && !TakeChar(&text, 't') && !TakeChar(&text, ' ')) {
      return std::nullopt;
    }
    if (!TakeTime(&text, basic, &time.us)) return std::nullopt;
    time.local = text.empty();
    if (!TakeZone(text, &zone)) return std::nullopt;
  }
  time.us -= zone;
  return time;
}

std::optional<int64_t> ParseIso(std::string_view text) {
  const std::optional<IsoTime> time = ReadIso(text);
  if (!time) return std::nullopt;
  const int64_t below = FloorMod(time->us, 1000);  // an offset is in whole minutes
  return MsFromDays(time->days, (time->us - below) / 1000);
}

void AppendIsoSeconds(int64_t days, int64_t second, std::string* out) {
  const CivilDate date = CivilFromDays(days);
  const bool plain = date.year >= 0 && date.year <= 9999;
  char buffer[64];
  const int size = std::snprintf(
      buffer, sizeof(buffer),
      plain ? "%04lld-%02d-%02dT%02d:%02d:%02d" : "%+07lld-%02d-%02dT%02d:%02d:%02d",
      static_cast<long long>(date.year), date.month, date.day, static_cast<int>(second / 3600),
      static_cast<int>(second / 60 % 60), static_cast<int>(second % 60));
  out->append(buffer, static_cast<size_t>(size));
}

void AppendIso(int64_t ms, std::string* out) {
  const CivilTime t = CivilFromMs(ms);
  AppendIsoSeconds(t.days, t.ms_of_day / kMsPerSecond, out);
  char buffer[16];
  std::snprintf(buffer, sizeof(buffer), ".%03dZ", static_cast<int>(t.ms_of_day % kMsPerSecond));
  out->append(buffer);
}

}  // namespace rivulet::expr
