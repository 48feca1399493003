#include "operators/window/window_calendar.h"

#include <algorithm>
#include <string>

#include "base/types.h"
#include "operators/expr/civil_time.h"

namespace rivulet {
namespace {

constexpr int64_t kDayUs = expr::kMsPerDay * 1000;
// No clock was ever put back by more.
constexpr int64_t kLongestRepeatUs = 26 * expr::kMsPerHour * 1000;

int64_t FloorDiv(int64_t a, int64_t b) { return (a - FloorMod(a, b)) / b; }

}  // namespace

Result<WindowCalendar> WindowCalendar::Of(const WindowSpec& spec) {
  std::optional<TimeZone> zone;
  if (!spec.zone.empty()) {
    std::string error;
    zone = TimeZone::Find(spec.zone, &error);
    if (!zone) return Status(ErrorCode::kBadSettingValue, "'" + spec.zone + "' " + error);
  }
  return WindowCalendar(spec, zone);
}

int64_t WindowCalendar::EdgeAt(int64_t local_us) const {
  const int64_t from_offset = local_us - offset_us_;
  if (calendar_.months == 0) return FloorDiv(from_offset, size_us_);
  const expr::CivilDate date = expr::CivilFromDays(FloorDiv(from_offset, kDayUs));
  const int64_t month = date.year * 12 + date.month - calendar_.first_month;
  const int64_t edge = FloorDiv(month, calendar_.months);
  return LocalOf(edge) > local_us ? edge - 1 : edge;
}

int64_t WindowCalendar::LocalOf(int64_t edge) const {
  if (calendar_.months == 0) return edge * size_us_ + offset_us_;
  const int64_t month = edge * calendar_.months + calendar_.first_month - 1;
  const int64_t year = FloorDiv(month, 12);
  const auto of_year = static_cast<int>(month - year * 12) + 1;
  const int day = std::min(calendar_.day, expr::DaysInMonth(year, of_year));
  return expr::DaysFromCivil(year, of_year, day) * kDayUs + offset_us_;
}

// Edges lie at whole milliseconds of the wall clock, and it is set by whole seconds.
int64_t WindowCalendar::FirstOf(int64_t edge) const {
  const int64_t local = LocalOf(edge);
  return zone_ ? zone_->FirstMoment(local / 1000) * 1000 : local;
}

int64_t WindowCalendar::LastOf(int64_t edge) const {
  const int64_t local = LocalOf(edge);
  return zone_ ? zone_->LastMoment(local / 1000) * 1000 : local;
}

std::pair<int64_t, int64_t> WindowCalendar::WindowOf(int64_t t) const {
  const int64_t offset = zone_ ? zone_->OffsetMs(FloorDiv(t, 1000)) * 1000 : 0;
  int64_t edge = EdgeAt(SaturatingAdd(t, offset));
  // The wall clock may have been set since the edge: step to the window that holds the instant.
  while (FirstOf(edge) > t) --edge;
  int64_t start = FirstOf(edge), end = FirstOf(edge + 1);
  for (; end <= t; end = FirstOf(edge + 1)) {
    start = end;
    ++edge;
  }
  if (!apart_ || end - start <= size_us_) return {start, end};
  // Within a window that is longer than others the clock was put back: to this edge, or to some before it.
  for (int64_t back = 0; back * size_us_ <= kLongestRepeatUs; ++back) {
    const int64_t again = LastOf(edge - back);
    if (again <= t) start = std::max(start, again);
    if (again > t) end = std::min(end, again);
  }
  return {start, end};
}

}  // namespace rivulet
