// Parts of times: ints, milliseconds since 1970-01-01 UTC. All take a time zone as second argument.

#include "base/types.h"
#include "operators/expr/civil_time.h"
#include "operators/expr/convert.h"
#include "operators/expr/function_registry.h"
#include "operators/expr/zone_argument.h"

namespace rivulet::expr {

bool ReadZone(Preparation* p, size_t i, ZoneArgument* out) {
  if (!p->known(i)) return true;
  std::string error;
  out->zone = TimeZone::Find(p->argument(i).s, &error);
  if (!out->zone) p->Fail(i, Quote(p->argument(i).s) + " " + error);
  return out->zone.has_value();
}

namespace {

std::unique_ptr<const Prepared> PrepareZone(Preparation* p) {
  auto zone = std::make_unique<ZoneArgument>();
  if (!ReadZone(p, 1, zone.get()) || p->pending(1)) return nullptr;
  return zone;
}

// The clock's time in the zone, if there is one.
int64_t Local(const Value* a, size_t count, CallContext* c) {
  return count > 1 ? c->PreparedAs<ZoneArgument>().ToLocal(a[0].i) : a[0].i;
}

CivilTime Civil(const Value* a, size_t count, CallContext* c) {
  return CivilFromMs(Local(a, count, c));
}

Value Year(const Value* a, size_t count, CallContext* c) {
  return Value::Int(Civil(a, count, c).date.year);
}
Value Quarter(const Value* a, size_t count, CallContext* c) {
  return Value::Int((Civil(a, count, c).date.month + 2) / 3);
}
Value Month(const Value* a, size_t count, CallContext* c) {
  return Value::Int(Civil(a, count, c).date.month);
}
Value Day(const Value* a, size_t count, CallContext* c) {
  return Value::Int(Civil(a, count, c).date.day);
}
Value WeekDay(const Value* a, size_t count, CallContext* c) {
  return Value::Int(DayOfWeek(Civil(a, count, c).days));
}
Value YearDay(const Value* a, size_t count, CallContext* c) {
  return Value::Int(DayOfYear(Civil(a, count, c)));
}
Value Week(const Value* a, size_t count, CallContext* c) {
  int week = 0;
  IsoWeekOf(Civil(a, count, c).days, &week);
  return Value::Int(week);
}
Value WeekYear(const Value* a, size_t count, CallContext* c) {
  int week = 0;
  return Value::Int(IsoWeekOf(Civil(a, count, c).days, &week).year);
}

// How many whole `unit`s into the enclosing `span`: minute is Part<kMsPerMinute, kMsPerHour>.
template <int64_t unit, int64_t span>
Value Part(const Value* a, size_t count, CallContext* c) {
  return Value::Int(FloorMod(Local(a, count, c), span) / unit);
}

Value UtcOffset(const Value* a, size_t, CallContext* c) {
  return Value::Int(c->PreparedAs<ZoneArgument>().OffsetMs(a[0].i));
}

constexpr TypeMask kMs = kIntMask, kZone = kStringMask;
constexpr ResultRule kFixed = ResultRule::kFixed;
constexpr CallForm kScalar = CallForm::kScalar;
constexpr uint32_t kFrom = PreparedFrom({1});

constexpr FunctionDef kTable[] = {
    {"year", 1, 2, {kMs, kZone}, kIntMask, Year, kFixed, true, kScalar, nullptr, PrepareZone, kFrom},
    {"quarter", 1, 2, {kMs, kZone}, kIntMask, Quarter, kFixed, true, kScalar, nullptr, PrepareZone,
     kFrom},
    {"month", 1, 2, {kMs, kZone}, kIntMask, Month, kFixed, true, kScalar, nullptr, PrepareZone,
     kFrom},
    {"day", 1, 2, {kMs, kZone}, kIntMask, Day, kFixed, true, kScalar, nullptr, PrepareZone, kFrom},
    {"hour", 1, 2, {kMs, kZone}, kIntMask, Part<kMsPerHour, kMsPerDay>, kFixed, true, kScalar,
     nullptr, PrepareZone, kFrom},
    {"minute", 1, 2, {kMs, kZone}, kIntMask, Part<kMsPerMinute, kMsPerHour>, kFixed, true, kScalar,
     nullptr, PrepareZone, kFrom},
    {"second", 1, 2, {kMs, kZone}, kIntMask, Part<kMsPerSecond, kMsPerMinute>, kFixed, true,
     kScalar, nullptr, PrepareZone, kFrom},
    {"millisecond", 1, 1, {kMs}, kIntMask, Part<1, kMsPerSecond>},
    {"day_of_week", 1, 2, {kMs, kZone}, kIntMask, WeekDay, kFixed, true, kScalar, nullptr,
     PrepareZone, kFrom},
    {"day_of_year", 1, 2, {kMs, kZone}, kIntMask, YearDay, kFixed, true, kScalar, nullptr,
     PrepareZone, kFrom},
    {"week", 1, 2, {kMs, kZone}, kIntMask, Week, kFixed, true, kScalar, nullptr, PrepareZone, kFrom},
    {"week_year", 1, 2, {kMs, kZone}, kIntMask, WeekYear, kFixed, true, kScalar, nullptr,
     PrepareZone, kFrom},
    {"utc_offset", 2, 2, {kMs, kZone}, kIntMask, UtcOffset, kFixed, true, kScalar, nullptr,
     PrepareZone, kFrom},
};

}  // namespace

std::span<const FunctionDef> TimeFunctions() { return kTable; }

}  // namespace rivulet::expr
