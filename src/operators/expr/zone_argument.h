// The optional time zone of the functions on times: in which zone's local time they compute.
#pragma once

#include <optional>

#include "operators/expr/preparation.h"
#include "operators/time/time_zone.h"

namespace rivulet::expr {

struct ZoneArgument : Prepared {
  std::optional<TimeZone> zone;  // none: UTC

  int64_t ToLocal(int64_t utc_ms) const { return zone ? zone->ToLocal(utc_ms) : utc_ms; }
  int64_t ToUtc(int64_t local_ms) const { return zone ? zone->ToUtc(local_ms) : local_ms; }
  int64_t OffsetMs(int64_t utc_ms) const { return zone ? zone->OffsetMs(utc_ms) : 0; }
};

// Looks up the zone named by argument `i`, if that is known. False: there is none, and `p` has failed.
bool ReadZone(Preparation* p, size_t i, ZoneArgument* out);

}  // namespace rivulet::expr
