#include "operators/expr/civil_time.h"

#include <cstdio>

#include "base/types.h"

namespace rivulet::expr {
namespace {

constexpr int64_t kDaysPerEra = 146097;     // 400 years
constexpr int64_t kDaysToEpoch = 719468;    // 0000-03-01 to 1970-01-01

int64_t FloorDiv(int64_t a, int64_t b) { return (a - FloorMod(a, b)) / b; }

bool IsLeap(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int DaysInMonth(int64_t year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeap(year) ? 29 : kDays[month - 1];
}

// Reads the parts of a time from the front of a text.
class IsoReader {
 public:
  explicit IsoReader(std::string_view text) : rest_(text) {}

  bool Empty() const { return rest_.empty(); }
  char Next() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool Accept(char c) {
    if (Next() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Exactly `digits` digits, at most `most`.
  bool Number(int digits, int64_t most, int64_t* value) {
    *value = 0;
    for (int i = 0; i < digits; ++i) {
      if (!NextIsDigit()) return false;
      *value = *value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return *value <= most;
  }
  bool NextIsDigit() const { return Next() >= '0' && Next() <= '9'; }

  bool Year(int64_t* year) {
    const bool negative = Next() == '-';
    if (!negative && Next() != '+') return Number(4, 9999, year);
    rest_.remove_prefix(1);
    int digits = 0;
    while (digits < 9 && digits < static_cast<int>(rest_.size()) && IsDigitAt(digits)) ++digits;
    if (digits < 6 || !Number(digits, 999999999, year)) return false;
    if (negative) *year = -*year;
    return true;
  }

  // .f, .ff, .fff... as milliseconds.
  bool Fraction(int64_t* ms) {
    if (!Accept('.') && !Accept(',')) return true;
    if (!NextIsDigit()) return false;
    for (int64_t unit = 100; NextIsDigit(); unit /= 10) {
      *ms += unit * (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return true;
  }

  // Z, +hh:mm, +hhmm, +hh or nothing, as milliseconds to subtract.
  bool Zone(int64_t* shift) {
    *shift = 0;
    if (Accept('Z') || Accept('z') || Empty()) return true;
    const bool west = Next() == '-';
    if (!Accept('+') && !Accept('-')) return false;
    int64_t hours = 0, minutes = 0;
    if (!Number(2, 23, &hours)) return false;
    const bool colon = Accept(':');
    if ((colon || NextIsDigit()) && !Number(2, 59, &minutes)) return false;
    *shift = (hours * kMsPerHour + minutes * kMsPerMinute) * (west ? -1 : 1);
    return true;
  }

 private:
  bool IsDigitAt(int i) const {
    const char c = rest_[static_cast<size_t>(i)];
    return c >= '0' && c <= '9';
  }

  std::string_view rest_;
};

bool ReadTimeOfDay(IsoReader* in, int64_t* ms) {
  int64_t hour = 0, minute = 0, second = 0, fraction = 0;
  if (!in->Number(2, 23, &hour) || !in->Accept(':') || !in->Number(2, 59, &minute)) return false;
  if (in->Accept(':')) {
    if (!in->Number(2, 59, &second) || !in->Fraction(&fraction)) return false;
  }
  *ms = hour * kMsPerHour + minute * kMsPerMinute + second * kMsPerSecond + fraction;
  return true;
}

}  // namespace

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
  const __int128 ms = static_cast<__int128>(days) * kMsPerDay + ms_of_day;
  const auto result = static_cast<int64_t>(ms);
  if (result != ms) return std::nullopt;
  return result;
}

int DayOfWeek(int64_t days) { return static_cast<int>(FloorMod(days + 3, 7)) + 1; }

int DayOfYear(const CivilTime& time) {
  return static_cast<int>(time.days - DaysFromCivil(time.date.year, 1, 1)) + 1;
}

void AppendIso(int64_t ms, std::string* out) {
  const CivilTime t = CivilFromMs(ms);
  const bool plain = t.date.year >= 0 && t.date.year <= 9999;
  const int64_t seconds = t.ms_of_day / kMsPerSecond;
  char buffer[64];
  const int size = std::snprintf(
      buffer, sizeof(buffer), plain ? "%04lld-%02d-%02dT%02d:%02d:%02d.%03dZ"
                                    : "%+07lld-%02d-%02dT%02d:%02d:%02d.%03dZ",
      static_cast<long long>(t.date.year), t.date.month, t.date.day,
      static_cast<int>(seconds / 3600), static_cast<int>(seconds / 60 % 60),
      static_cast<int>(seconds % 60), static_cast<int>(t.ms_of_day % kMsPerSecond));
  out->append(buffer, static_cast<size_t>(size));
}

std::optional<int64_t> ParseIso(std::string_view text) {
  IsoReader in(text);
  int64_t year = 0, month = 0, day = 0, ms = 0, shift = 0;
  if (!in.Year(&year) || !in.Accept('-') || !in.Number(2, 12, &month) || !in.Accept('-') ||
      !in.Number(2, 31, &day) || month < 1 || day < 1 ||
      day > DaysInMonth(year, static_cast<int>(month))) {
    return std::nullopt;
  }
  if (!in.Empty()) {
    if (!in.Accept('T') && !in.Accept('t') && !in.Accept(' ')) return std::nullopt;
    if (!ReadTimeOfDay(&in, &ms) || !in.Zone(&shift) || !in.Empty()) return std::nullopt;
  }
  return MsFromDays(DaysFromCivil(year, static_cast<int>(month), static_cast<int>(day)),
                    ms - shift);
}

}  // namespace rivulet::expr
