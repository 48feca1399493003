// Patterns for times as text, after strftime.
//
//   %Y year (4 digits)    %y year of the century     %j day of the year (3 digits)
//   %m month  %d day      %H hour  %I hour (1-12)  %M minute  %S second
//   %L milliseconds (3 digits)   %f microseconds (6 digits)   %p AM or PM
//   %a Mon  %A Monday     %b Nov  %B November        always in English
//   %G %V %u  ISO 8601's year of the week, week, day of the week (Monday is 1)
//   %z +0100              %s seconds since 1970
//   %F is %Y-%m-%d        %T is %H:%M:%S             %% is %
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rivulet::expr {

// Immutable.
class TimeFormat {
 public:
  enum class Use : uint8_t { kFormat, kParse };

  // None with *error filled when the pattern has a letter not in the table, or for parsing one of
  // %G %V %u (%a and %A are read and not looked at).
  static std::optional<TimeFormat> Compile(std::string_view pattern, Use use, std::string* error);

  // `local_ms` is the clock's time, `offset_ms` how far it is ahead of UTC.
  void Append(int64_t local_ms, int64_t offset_ms, std::string* out) const;

  // What is read: local time, and the offset when the text has one (%z, or 0 with %s).
  struct Parsed {
    int64_t local_ms = 0;
    int64_t us = 0;  // of the millisecond, with %f: 0 to 999
    std::optional<int64_t> offset_ms;
  };
  // The whole text must fit; a space stands for any number of spaces. Parts the pattern does not have are
  // those of 1970-01-01 00:00. %y is 1970 to 2069. None when it does not fit, is no date, or is beyond int64.
  std::optional<Parsed> Parse(std::string_view text) const;

  const std::string& pattern() const { return pattern_; }

 private:
  std::string pattern_;  // as given
  std::string pieces_;  // letters of the table behind '%', all else as it is; %F and %T taken apart
};

}  // namespace rivulet::expr
