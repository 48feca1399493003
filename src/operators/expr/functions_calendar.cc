// Calendar arithmetic on times (ints, milliseconds since 1970-01-01 UTC), and times as text.
//
// Seconds, minutes and hours are stretches of time. Days and longer are the calendar's, in UTC or in a
// zone: a day later is the same time on the next day's clock, be it 23 or 25 hours away.

#include <array>

#include "base/suggest.h"
#include "base/types.h"
#include "base/wide_int.h"
#include "operators/expr/civil_time.h"
#include "operators/expr/convert.h"
#include "operators/expr/function_registry.h"
#include "operators/expr/iso_text.h"
#include "operators/expr/time_format.h"
#include "operators/expr/zone_argument.h"

namespace rivulet::expr {
namespace {

struct Unit {
  std::string_view name;
  int64_t ms;      // 0: months
  int64_t months;  // 0: ms
};
constexpr Unit kUnits[] = {
    {"millisecond", 1, 0}, {"second", kMsPerSecond, 0}, {"minute", kMsPerMinute, 0},
    {"hour", kMsPerHour, 0}, {"day", kMsPerDay, 0}, {"week", 7 * kMsPerDay, 0},
    {"month", 0, 1}, {"quarter", 0, 3}, {"year", 0, 12},
};

struct UnitArgument final : ZoneArgument {
  Unit unit;
  bool calendar() const { return unit.months != 0 || unit.ms >= kMsPerDay; }
};

bool ReadUnit(Preparation* p, Unit* out) {
  if (!p->known(0)) return true;
  const std::string_view name = p->argument(0).s;
  std::vector<std::string> names;
  for (const Unit& unit : kUnits) {
    if (unit.name == name) {
      *out = unit;
      return true;
    }
    names.emplace_back(unit.name);
  }
  p->Fail(0, Quote(name) + " is not a unit" + DidYouMean(name, names) +
                 ", expected millisecond, second, minute, hour, day, week, month, quarter or year");
  return false;
}

template <size_t zone>
std::unique_ptr<const Prepared> PrepareUnit(Preparation* p) {
  auto unit = std::make_unique<UnitArgument>();
  if (!ReadUnit(p, &unit->unit) || !ReadZone(p, zone, unit.get())) return nullptr;
  if (p->pending(0) || p->pending(zone)) return nullptr;
  return unit;
}

// The beginning of the day, week, month, ... in the calendar. None: beyond int64.
std::optional<int64_t> TruncateDate(const Unit& unit, const CivilTime& t) {
  if (unit.ms == kMsPerDay) return MsFromDays(t.days, 0);
  if (unit.months == 0) return MsFromDays(t.days - (DayOfWeek(t.days) - 1), 0);
  const int month = static_cast<int>((t.date.month - 1) / unit.months * unit.months) + 1;
  return MsFromDays(DaysFromCivil(t.date.year, month, 1), 0);
}

// date_trunc(unit, ms[, zone])
Value DateTrunc(const Value* a, size_t, CallContext* c) {
  const auto& unit = c->PreparedAs<UnitArgument>();
  const int64_t ms = a[1].i, local = unit.ToLocal(ms);
  std::optional<int64_t> result;
  if (unit.calendar()) {
    result = TruncateDate(unit.unit, CivilFromMs(local));
    if (result) return Value::Int(unit.ToUtc(*result));
  } else {
    // By the clock's time, but from where it is now: at the end of summer time an hour comes twice.
    int64_t start = 0;
    if (!__builtin_sub_overflow(ms, FloorMod(local, unit.unit.ms), &start)) result = start;
    if (result) return Value::Int(*result);
  }
  return c->Fail("the beginning of the " + std::string(unit.unit.name) + " is beyond int64");
}

// date_add(unit, n, ms[, zone])
Value DateAdd(const Value* a, size_t, CallContext* c) {
  const auto& unit = c->PreparedAs<UnitArgument>();
  const Int128 n = a[1].i;
  std::optional<int64_t> result;
  if (!unit.calendar()) {
    const Int128 sum = n * unit.unit.ms + a[2].i;
    result = static_cast<int64_t>(sum);
    if (*result != sum) result.reset();
  } else {
    const CivilTime t = CivilFromMs(unit.ToLocal(a[2].i));
    std::optional<int64_t> days = AddMonths(t.days, n * unit.unit.months);
    const Int128 more = n * (unit.unit.ms / kMsPerDay);
    constexpr Int128 kFar = static_cast<Int128>(1) << 40;  // days; int64 milliseconds reach 2^37
    if (more > kFar || more < -kFar) days.reset();
    if (days) result = MsFromDays(*days + static_cast<int64_t>(more), t.ms_of_day);
    if (result) result = unit.ToUtc(*result);
  }
  return result ? Value::Int(*result) : c->Fail("the result is beyond int64 milliseconds");
}

// Whole months from `from` on that end at `to` or before; `from` is not the later one.
int64_t MonthsBetween(const CivilTime& from, const CivilTime& to) {
  const int64_t months =
      (to.date.year - from.date.year) * 12 + (to.date.month - from.date.month);
  const int64_t last = *AddMonths(from.days, months);
  const bool reached = last < to.days || (last == to.days && from.ms_of_day <= to.ms_of_day);
  return reached ? months : months - 1;
}

// date_diff(unit, from, to[, zone]): whole units between, negative when `to` is before `from`.
Value DateDiff(const Value* a, size_t, CallContext* c) {
  const auto& unit = c->PreparedAs<UnitArgument>();
  const bool calendar = unit.calendar();
  const int64_t from = calendar ? unit.ToLocal(a[1].i) : a[1].i;
  const int64_t to = calendar ? unit.ToLocal(a[2].i) : a[2].i;
  if (unit.unit.months == 0) {
    const Int128 units = (static_cast<Int128>(to) - from) / unit.unit.ms;
    const auto result = static_cast<int64_t>(units);
    return result == units ? Value::Int(result) : c->Fail("the result is beyond int64");
  }
  const bool forward = from <= to;
  const int64_t months = forward ? MonthsBetween(CivilFromMs(from), CivilFromMs(to))
                                 : -MonthsBetween(CivilFromMs(to), CivilFromMs(from));
  return Value::Int(months / unit.unit.months);
}

struct FormatArgument final : ZoneArgument {
  std::optional<TimeFormat> format;
};

template <TimeFormat::Use use>
std::unique_ptr<const Prepared> PrepareFormat(Preparation* p) {
  auto format = std::make_unique<FormatArgument>();
  if (p->known(1)) {
    std::string error;
    format->format = TimeFormat::Compile(p->argument(1).s, use, &error);
    if (!format->format) return p->Fail(1, std::move(error));
  }
  if (!ReadZone(p, 2, format.get()) || p->pending(1) || p->pending(2)) return nullptr;
  return format;
}

// format_time(ms[, pattern[, zone]])
Value FormatTime(const Value* a, size_t count, CallContext* c) {
  c->text.clear();
  if (count == 1) {
    AppendIso(a[0].i, &c->text);
  } else {
    const auto& argument = c->PreparedAs<FormatArgument>();
    const int64_t offset = argument.OffsetMs(a[0].i);
    argument.format->Append(SaturatingAdd(a[0].i, offset), offset, &c->text);
  }
  return c->Text();
}

// parse_time(s[, pattern[, zone]])
Value ParseTime(const Value* a, size_t count, CallContext* c) {
  if (count == 1) {
    const std::optional<int64_t> ms = ParseIso(TrimSpace(a[0].s));
    if (ms) return Value::Int(*ms);
    return c->Fail(Quote(a[0].s) + " is not an ISO 8601 time such as 2024-05-01T12:00:00Z");
  }
  const auto& argument = c->PreparedAs<FormatArgument>();
  const std::optional<TimeFormat::Parsed> parsed = argument.format->Parse(TrimSpace(a[0].s));
  if (!parsed) return c->Fail(Quote(a[0].s) + " is not a time of the form " + Quote(a[1].s));
  if (!parsed->offset_ms) return Value::Int(argument.ToUtc(parsed->local_ms));
  return Value::Int(SaturatingSub(parsed->local_ms, *parsed->offset_ms));
}

constexpr TypeMask kMs = kIntMask, kText = kStringMask;
constexpr ResultRule kFixed = ResultRule::kFixed;
constexpr CallForm kScalar = CallForm::kScalar;

constexpr FunctionDef kTable[] = {
    {"date_trunc", 2, 3, {kText, kMs, kText}, kIntMask, DateTrunc, kFixed, true, kScalar, nullptr,
     PrepareUnit<2>, PreparedFrom({0, 2})},
    {"date_add", 3, 4, {kText, kIntMask, kMs, kText}, kIntMask, DateAdd, kFixed, true, kScalar,
     nullptr, PrepareUnit<3>, PreparedFrom({0, 3})},
    {"date_diff", 3, 4, {kText, kMs, kMs, kText}, kIntMask, DateDiff, kFixed, true, kScalar,
     nullptr, PrepareUnit<3>, PreparedFrom({0, 3})},
    {"format_time", 1, 3, {kMs, kText, kText}, kText, FormatTime, kFixed, true, kScalar, nullptr,
     PrepareFormat<TimeFormat::Use::kFormat>, PreparedFrom({1, 2})},
    {"parse_time", 1, 3, {kText, kText, kText}, kIntMask, ParseTime, kFixed, true, kScalar, nullptr,
     PrepareFormat<TimeFormat::Use::kParse>, PreparedFrom({1, 2})},
};

}  // namespace

std::span<const FunctionDef> CalendarFunctions() { return kTable; }

}  // namespace rivulet::expr
