// TimeZone: a named time zone of the IANA database (Europe/Berlin), with its summer times and their history.
// Read from the system's zoneinfo files when it is opened; the same files give the same answers on every
// platform. Times are us since 1970; local ones as if the wall clock showed UTC.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/status.h"

namespace rivulet {

// Immutable: any thread may use one.
class TimeZone {
 public:
  virtual ~TimeZone() = default;

  // Errors: kBadSettingValue, with the nearest name, when there is no such zone.
  static Result<std::shared_ptr<const TimeZone>> Open(std::string_view name);

  // What the wall clock shows ahead of UTC at an instant, us; negative west of Greenwich.
  virtual int64_t OffsetAt(int64_t utc_us) const = 0;
  // The instant at which the wall clock shows `local_us`: the first of two when it is set back over it, the
  // instant it is set forward when it skips it.
  virtual int64_t ToUtc(int64_t local_us) const = 0;
};

}  // namespace rivulet
