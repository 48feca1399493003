// WindowCalendar: the edges of tumbling windows that follow a wall clock or the calendar.
//
// Edges are numbered local times: multiples of the length, or the same day of every so many months. A window
// begins at the first moment at which the clock has reached its edge, so that a time the clock skips has no
// window, and one that it shows twice belongs to one window; with `repeated_apart` the edges that it shows
// twice are edges both times. A month that has no such day as the windows begin on has the edge on its last
// day.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "base/status.h"
#include "operators/time/time_zone.h"
#include "operators/window/window_spec.h"

namespace rivulet {

// Any number of threads may use it.
class WindowCalendar {
 public:
  // Errors: kBadSettingValue when the machine does not know the zone (any more).
  static Result<WindowCalendar> Of(const WindowSpec& spec);

  // Start and end of the window that holds `t`; all in us.
  std::pair<int64_t, int64_t> WindowOf(int64_t t) const;

 private:
  WindowCalendar(const WindowSpec& spec, std::optional<TimeZone> zone)
      : size_us_(spec.size_us), offset_us_(spec.offset_us), calendar_(spec.calendar),
        apart_(spec.repeated_apart), zone_(zone) {}

  // The edge with the largest number that is at most `local_us`.
  int64_t EdgeAt(int64_t local_us) const;
  // Its local time.
  int64_t LocalOf(int64_t edge) const;
  // The first and the last moment of an edge; they differ when the clock shows it twice.
  int64_t FirstOf(int64_t edge) const;
  int64_t LastOf(int64_t edge) const;

  int64_t size_us_, offset_us_;
  CalendarLength calendar_;
  bool apart_;
  std::optional<TimeZone> zone_;  // none: UTC
};

}  // namespace rivulet
