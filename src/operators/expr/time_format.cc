#include "operators/expr/time_format.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/types.h"
#include "operators/expr/civil_time.h"

namespace rivulet::expr {
namespace {

constexpr std::string_view kFormatLetters = "YymdjHIMSLfpaAbBGVuzs%";
constexpr std::string_view kParseLetters = "YymdjHIMSLfpaAbBzs%";
constexpr size_t kMaxPattern = 1024;

constexpr std::array<std::string_view, 7> kDays = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};

void AppendNumber(int64_t value, int digits, std::string* out) {
  char buffer[32];
  const int size = std::snprintf(buffer, sizeof(buffer), "%0*lld", digits + (value < 0 ? 1 : 0),
                                 static_cast<long long>(value));
  out->append(buffer, static_cast<size_t>(size));
}

void AppendOffset(int64_t offset_ms, std::string* out) {
  const int64_t minutes = (offset_ms < 0 ? -offset_ms : offset_ms) / kMsPerMinute;
  out->push_back(offset_ms < 0 ? '-' : '+');
  AppendNumber(minutes / 60, 2, out);
  AppendNumber(minutes % 60, 2, out);
}

void AppendPart(char letter, const CivilTime& t, int64_t local_ms, int64_t offset_ms,
                std::string* out) {
  const int64_t second = t.ms_of_day / kMsPerSecond, hour = second / 3600;
  int week = 0;
  switch (letter) {
    case 'Y': return AppendNumber(t.date.year, 4, out);
    case 'y': return AppendNumber(FloorMod(t.date.year, 100), 2, out);
    case 'm': return AppendNumber(t.date.month, 2, out);
    case 'd': return AppendNumber(t.date.day, 2, out);
    case 'j': return AppendNumber(DayOfYear(t), 3, out);
    case 'H': return AppendNumber(hour, 2, out);
    case 'I': return AppendNumber((hour + 11) % 12 + 1, 2, out);
    case 'M': return AppendNumber(second / 60 % 60, 2, out);
    case 'S': return AppendNumber(second % 60, 2, out);
    case 'L': return AppendNumber(t.ms_of_day % kMsPerSecond, 3, out);
    case 'f': return AppendNumber(t.ms_of_day % kMsPerSecond * 1000, 6, out);
    case 'p': out->append(hour < 12 ? "AM" : "PM"); return;
    case 'a': out->append(kDays[static_cast<size_t>(DayOfWeek(t.days) - 1)].substr(0, 3)); return;
    case 'A': out->append(kDays[static_cast<size_t>(DayOfWeek(t.days) - 1)]); return;
    case 'b': out->append(kMonths[static_cast<size_t>(t.date.month - 1)].substr(0, 3)); return;
    case 'B': out->append(kMonths[static_cast<size_t>(t.date.month - 1)]); return;
    case 'G': return AppendNumber(IsoWeekOf(t.days, &week).year, 4, out);
    case 'V': IsoWeekOf(t.days, &week); return AppendNumber(week, 2, out);
    case 'u': return AppendNumber(DayOfWeek(t.days), 1, out);
    case 'z': return AppendOffset(offset_ms, out);
    case 's': {
      const int64_t utc_ms = SaturatingSub(local_ms, offset_ms);
      return AppendNumber(utc_ms / 1000 - (utc_ms % 1000 < 0 ? 1 : 0), 1, out);
    }
    default: out->push_back(letter);
  }
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// Reads the parts of a time from the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  bool Take(char letter);
  bool Literal(char c) {
    if (c == ' ') {
      while (rest_.starts_with(' ')) rest_.remove_prefix(1);
      return true;
    }
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::optional<TimeFormat::Parsed> Finish() const;

 private:
  // One to `digits` digits, low to high.
  bool Number(int digits, int64_t low, int64_t high, int64_t* value) {
    int64_t v = 0;
    int count = 0;
    for (; count < digits && !rest_.empty() && IsDigit(rest_.front()); ++count) {
      v = v * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    *value = v;
    return count > 0 && v >= low && v <= high;
  }
  // Digits behind a point.
  bool Fraction(int most) {
    int64_t unit = 100'000, us = 0;
    int count = 0;
    for (; count < most && !rest_.empty() && IsDigit(rest_.front()); ++count, unit /= 10) {
      us += unit * (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    ms_ = us / 1000;
    us_ = us % 1000;
    return count > 0;
  }
  template <size_t n>
  bool Name(const std::array<std::string_view, n>& names, bool whole, int64_t* index);
  bool Seconds();
  bool Offset();

  std::string_view rest_;
  int64_t year_ = 1970, month_ = 1, day_ = 1, day_of_year_ = 0;
  int64_t hour_ = 0, minute_ = 0, second_ = 0, ms_ = 0, us_ = 0;
  bool half_day_ = false, afternoon_ = false;
  std::optional<int64_t> epoch_, offset_;
};

template <size_t n>
bool Reader::Name(const std::array<std::string_view, n>& names, bool whole, int64_t* index) {
  for (size_t k = 0; k < n; ++k) {
    const std::string_view name = whole ? names[k] : names[k].substr(0, 3);
    const bool same = rest_.size() >= name.size() &&
                      std::equal(name.begin(), name.end(), rest_.begin(),
                                 [](char a, char b) { return Lower(a) == Lower(b); });
    if (!same) continue;
    rest_.remove_prefix(name.size());
    *index = static_cast<int64_t>(k) + 1;
    return true;
  }
  return false;
}

// Up to 15 digits: more than milliseconds in int64 reach.
bool Reader::Seconds() {
  const bool negative = rest_.starts_with('-');
  if (negative) rest_.remove_prefix(1);
  int64_t seconds = 0;
  if (!Number(15, 0, 999'999'999'999'999, &seconds)) return false;
  epoch_ = negative ? -seconds : seconds;
  return true;
}

bool Reader::Offset() {
  if (rest_.starts_with('Z')) {
    rest_.remove_prefix(1);
    offset_ = 0;
    return true;
  }
  const bool west = rest_.starts_with('-');
  if (!west && !rest_.starts_with('+')) return false;
  rest_.remove_prefix(1);
  int64_t hours = 0, minutes = 0;
  if (!Number(2, 0, 23, &hours)) return false;
  if (rest_.starts_with(':')) rest_.remove_prefix(1);
  if (!Number(2, 0, 59, &minutes)) return false;
  offset_ = (hours * kMsPerHour + minutes * kMsPerMinute) * (west ? -1 : 1);
  return true;
}

bool Reader::Take(char letter) {
  int64_t ignored = 0;
  switch (letter) {
    case 'Y': return Number(4, 0, 9999, &year_);
    case 'y':
      if (!Number(2, 0, 99, &year_)) return false;
      year_ += year_ < 70 ? 2000 : 1900;
      return true;
    case 'm': return Number(2, 1, 12, &month_);
    case 'd': return Number(2, 1, 31, &day_);
    case 'j': return Number(3, 1, 366, &day_of_year_);
    case 'H': return Number(2, 0, 23, &hour_);
    case 'I': half_day_ = true; return Number(2, 1, 12, &hour_);
    case 'M': return Number(2, 0, 59, &minute_);
    case 'S': return Number(2, 0, 59, &second_);
    case 'L': return Fraction(3);
    case 'f': return Fraction(6);
    case 'p': {
      constexpr std::array<std::string_view, 2> kHalves = {"AM", "PM"};
      if (!Name(kHalves, true, &ignored)) return false;
      afternoon_ = ignored == 2;
      return true;
    }
    case 'a': return Name(kDays, false, &ignored);
    case 'A': return Name(kDays, true, &ignored);
    case 'b': return Name(kMonths, false, &month_);
    case 'B': return Name(kMonths, true, &month_);
    case 'z': return Offset();
    case 's': return Seconds();
    default: return Literal(letter);
  }
}

std::optional<TimeFormat::Parsed> Reader::Finish() const {
  TimeFormat::Parsed parsed;
  parsed.us = us_;
  if (epoch_) {
    parsed.offset_ms = 0;
    parsed.local_ms = *epoch_ * 1000 + ms_;
    return parsed;
  }
  const auto month = static_cast<int>(month_);
  int64_t days = DaysFromCivil(year_, month, static_cast<int>(day_));
  if (day_ > DaysInMonth(year_, month)) return std::nullopt;
  if (day_of_year_ > 0) {
    days = DaysFromCivil(year_, 1, 1) + day_of_year_ - 1;
    if (CivilFromDays(days).year != year_) return std::nullopt;
  }
  const int64_t hour = half_day_ ? hour_ % 12 + (afternoon_ ? 12 : 0) : hour_;
  const std::optional<int64_t> ms = MsFromDays(
      days, hour * kMsPerHour + minute_ * kMsPerMinute + second_ * kMsPerSecond + ms_);
  if (!ms) return std::nullopt;
  parsed.local_ms = *ms;
  parsed.offset_ms = offset_;
  return parsed;
}

}  // namespace

std::optional<TimeFormat> TimeFormat::Compile(std::string_view pattern, Use use,
                                              std::string* error) {
  const std::string_view letters = use == Use::kFormat ? kFormatLetters : kParseLetters;
  if (pattern.size() > kMaxPattern) {
    *error = "the pattern has more than " + std::to_string(kMaxPattern) + " bytes";
    return std::nullopt;
  }
  TimeFormat format;
  format.pattern_ = pattern;
  for (size_t at = 0; at < pattern.size(); ++at) {
    format.pieces_.push_back(pattern[at]);
    if (pattern[at] != '%') continue;
    const std::string_view letter = pattern.substr(at + 1, 1);
    ++at;
    if (letter == "F" || letter == "T") {
      format.pieces_ += letter == "F" ? "Y-%m-%d" : "H:%M:%S";
    } else if (!letter.empty() && letters.find(letter.front()) != std::string_view::npos) {
      format.pieces_ += letter;
    } else {
      *error = "'%" + std::string(letter) + "' in the pattern is not known, expected one of %F %T";
      for (const char known : letters) *error += std::string(" %") + known;
      return std::nullopt;
    }
  }
  return format;
}

void TimeFormat::Append(int64_t local_ms, int64_t offset_ms, std::string* out) const {
  const CivilTime t = CivilFromMs(local_ms);
  for (size_t at = 0; at < pieces_.size(); ++at) {
    if (pieces_[at] != '%') {
      out->push_back(pieces_[at]);
    } else {
      AppendPart(pieces_[++at], t, local_ms, offset_ms, out);
    }
  }
}

std::optional<TimeFormat::Parsed> TimeFormat::Parse(std::string_view text) const {
  Reader reader(text);
  for (size_t at = 0; at < pieces_.size(); ++at) {
    const bool taken = pieces_[at] != '%' ? reader.Literal(pieces_[at]) : reader.Take(pieces_[++at]);
    if (!taken) return std::nullopt;
  }
  return reader.done() ? reader.Finish() : std::nullopt;
}

}  // namespace rivulet::expr
