// Functions on times: ints, milliseconds since 1970-01-01 UTC.

#include "base/types.h"
#include "operators/expr/civil_time.h"
#include "operators/expr/convert.h"
#include "operators/expr/function_registry.h"

namespace rivulet::expr {
namespace {

Value Year(const Value* a, size_t, CallContext*) {
  return Value::Int(CivilFromMs(a[0].i).date.year);
}
Value Month(const Value* a, size_t, CallContext*) {
  return Value::Int(CivilFromMs(a[0].i).date.month);
}
Value Day(const Value* a, size_t, CallContext*) { return Value::Int(CivilFromMs(a[0].i).date.day); }
Value WeekDay(const Value* a, size_t, CallContext*) {
  return Value::Int(DayOfWeek(CivilFromMs(a[0].i).days));
}
Value YearDay(const Value* a, size_t, CallContext*) {
  return Value::Int(DayOfYear(CivilFromMs(a[0].i)));
}

// How many whole `unit`s into the enclosing `span`: minute is Part<kMsPerMinute, kMsPerHour>.
template <int64_t unit, int64_t span>
Value Part(const Value* a, size_t, CallContext*) {
  return Value::Int(FloorMod(a[0].i, span) / unit);
}

std::optional<int64_t> TruncateDate(std::string_view unit, const CivilTime& t) {
  if (unit == "week") return MsFromDays(t.days - (DayOfWeek(t.days) - 1), 0);
  const int month = unit == "year" ? 1 : t.date.month;
  return MsFromDays(DaysFromCivil(t.date.year, month, 1), 0);
}

// date_trunc(unit, ms): the beginning of the second, minute, hour, day, week (Monday), month, year.
Value DateTrunc(const Value* a, size_t, CallContext* c) {
  const std::string_view unit = a[0].s;
  const int64_t ms = a[1].i;
  std::optional<int64_t> result;
  int64_t size = 0;
  if (unit == "second") size = kMsPerSecond;
  if (unit == "minute") size = kMsPerMinute;
  if (unit == "hour") size = kMsPerHour;
  if (unit == "day") size = kMsPerDay;
  if (size != 0) {
    int64_t start = 0;
    if (!__builtin_sub_overflow(ms, FloorMod(ms, size), &start)) result = start;
  } else if (unit == "week" || unit == "month" || unit == "year") {
    result = TruncateDate(unit, CivilFromMs(ms));
  } else {
    return c->Fail(Quote(unit) +
                   " is not a unit, expected second, minute, hour, day, week, month or year");
  }
  if (!result) return c->Fail("the beginning of the " + std::string(unit) + " is beyond int64");
  return Value::Int(*result);
}

Value FormatTime(const Value* a, size_t, CallContext* c) {
  c->text.clear();
  AppendIso(a[0].i, &c->text);
  return Value::String(c->text);
}

Value ParseTime(const Value* a, size_t, CallContext* c) {
  const std::optional<int64_t> ms = ParseIso(TrimSpace(a[0].s));
  if (ms) return Value::Int(*ms);
  return c->Fail(Quote(a[0].s) + " is not an ISO 8601 time such as 2024-05-01T12:00:00Z");
}

constexpr TypeMask kMs = kIntMask;

constexpr FunctionDef kTable[] = {
    {"year", 1, 1, {kMs}, kIntMask, Year},
    {"month", 1, 1, {kMs}, kIntMask, Month},
    {"day", 1, 1, {kMs}, kIntMask, Day},
    {"hour", 1, 1, {kMs}, kIntMask, Part<kMsPerHour, kMsPerDay>},
    {"minute", 1, 1, {kMs}, kIntMask, Part<kMsPerMinute, kMsPerHour>},
    {"second", 1, 1, {kMs}, kIntMask, Part<kMsPerSecond, kMsPerMinute>},
    {"millisecond", 1, 1, {kMs}, kIntMask, Part<1, kMsPerSecond>},
    {"day_of_week", 1, 1, {kMs}, kIntMask, WeekDay},
    {"day_of_year", 1, 1, {kMs}, kIntMask, YearDay},
    {"date_trunc", 2, 2, {kStringMask, kMs}, kIntMask, DateTrunc},
    {"format_time", 1, 1, {kMs}, kStringMask, FormatTime},
    {"parse_time", 1, 1, {kStringMask}, kIntMask, ParseTime},
};

}  // namespace

std::span<const FunctionDef> TimeFunctions() { return kTable; }

}  // namespace rivulet::expr
