// WindowSpec: what windows a pipeline has, as the plan says it.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "base/types.h"

namespace rivulet {

// Per-key time (`per`, `hold`).
struct PerKeyTime {
  bool on = false;
  int64_t delay_us = 0;   // a key's clock is its largest event time less this
  int64_t hold_us = 0;

  // W as far as it concerns a key whatever its clock says; the end of the input is the end for all.
  int64_t Held(int64_t watermark) const {
    if (!on || watermark == std::numeric_limits<int64_t>::max()) return watermark;
    return SaturatingSub(watermark, hold_us);
  }
};

// Results besides that of a window's closing.
struct EmitSpec {
  bool on_change = false;    // with each record
  uint64_t records = 0;      // with each `records`-th record of a window; 0: not
  int64_t interval_us = 0;   // when W passes a multiple of this, for windows that changed; 0: not
  // Each result holds only what came since the last one. Without early results that concerns revisions: each
  // holds the record that caused it.
  bool discarding = false;
  bool any() const { return on_change || records > 0 || interval_us > 0; }
};

// Tumbling windows of so many months of the calendar.
struct CalendarLength {
  int64_t months = 0;    // 0: a length in time
  int day = 1;           // of the month on which they begin; its last one where it is shorter
  int first_month = 1;   // one in which a window begins, 1..12
};

struct WindowSpec {
  enum class Kind : uint8_t {
    kTumbling = 0, kSliding = 1, kSession = 2, kCumulate = 3, kCount = 4, kGlobal = 5
  } kind = Kind::kTumbling;
  int64_t size_us = 0;    // length, with `calendar` about; session: gap, or the longest gap
  int64_t slide_us = 0;   // sliding, cumulate; equals size for tumbling
  int64_t offset_us = 0;
  int64_t lateness_us = 0;
  PerKeyTime per_key{};
  uint64_t count = 0;     // count: records of a window ...
  uint64_t count_slide = 0;  // ... and how many of them it moves; equals count for tumbling
  bool own_gaps = false;  // session: each record brings its gap (KeyedRecords::gap)
  std::string zone{};     // tumbling: time zone whose wall clock the edges follow; empty: UTC
  bool repeated_apart = false;  // with a zone: edges that its clock shows twice are two edges
  CalendarLength calendar{};  // tumbling
  EmitSpec emit{};
  // count, global: a key is forgotten so long after its last use, 0: never; filled: its windows without
  // records have results so long.
  int64_t keep_us = 0;
  // tumbling: the last reading of a key counts at its windows' borders, when at most so old; 0: not.
  int64_t carry_us = 0;
  // tumbling: what stands in the result of a window without records, where it has no value; kNone: no result.
  enum class Fill : uint8_t { kNone, kNull, kLast, kZero } fill = Fill::kNone;

  // Windows that know what was before them.
  bool filled() const { return carry_us > 0 || fill != Fill::kNone; }
  // Windows that keep accumulators of their own, one row of state a key, instead of sharing slices.
  bool keyed() const {
    return filled() || emit.any() || emit.discarding || own_gaps || follows_clock() ||
           kind == Kind::kCount || kind == Kind::kGlobal;
  }
  // Edges of a wall clock or the calendar.
  bool follows_clock() const { return !zone.empty() || calendar.months > 0; }
};

}  // namespace rivulet
