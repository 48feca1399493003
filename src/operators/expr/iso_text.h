// ISO 8601 date-times, written by hand: telemetry may carry one in every record.
//
// Read: "2017-03-21" or "2017/03/21" (midnight UTC), then "T" or one space, "hh:mm" or "hh:mm:ss", a
// fraction of seconds of 1 to 9 digits behind "." or "," (cut to microseconds), and "Z", "+hh", "+hhmm",
// "+hh:mm" (or "-...", one space in front or none) or nothing (UTC). The basic format too, date and time:
// "20170321T0500", "20170321T050002.5Z". Years 0000 to 9999, or a sign and 6 to 9 digits. Not read: second 60
// (POSIX time has no leap seconds, so it would silently be another minute), hour 24, week and ordinal dates,
// a date alone in the basic format (it is a number), a zone behind a bare date, white space around.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rivulet::expr {

// A moment in UTC: days * 86400 s + us. `us` is up to a day less than 0 or more than a day, by the
// offset that was read.
struct IsoTime {
  int64_t days = 0;
  int64_t us = 0;
  bool local = true;  // nothing was said of an offset
};
std::optional<IsoTime> ReadIso(std::string_view text);

// The same in milliseconds since 1970 (cut); none when beyond int64 too.
std::optional<int64_t> ParseIso(std::string_view text);

// 2024-05-01T12:34:56 and nothing behind; years outside 0..9999 have a sign and at least six digits.
// `days` since 1970, `second` of the day.
void AppendIsoSeconds(int64_t days, int64_t second, std::string* out);

// 2024-05-01T12:34:56.789Z, of milliseconds since 1970.
void AppendIso(int64_t ms, std::string* out);

}  // namespace rivulet::expr
