// How event times are read from values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operators/decode/decoder.h"
#include "operators/expr/time_format.h"
#include "operators/time/time_zone.h"

namespace rivulet {

// Numbers are epoch in `unit`. Text is of `format`, or without one ISO 8601 (operators/expr/iso_text.h) or
// a number in `unit`. A local time - text without an offset - is one of `zone`: of a time that clocks show
// twice the earlier moment is meant, one that they leave out counts on from before the change
// (TimeZone::ToUtc).
struct TimeReading {
  TimeUnit unit = TimeUnit::kMillis;
  std::optional<expr::TimeFormat> format;
  std::optional<TimeZone> zone;  // none: UTC
  std::string name;              // of the field, for messages; empty: not said
};

// Converts `values`, which has the rows of `batch`, for the selected rows into batch->event_time (us). Null
// is kMissingField; what cannot be understood or does not fit int64 us is kBadTime.
void ExtractEventTime(RecordBatch* batch, Selection selection, const Column& values,
                      const TimeReading& reading, std::vector<RowError>* errors);

}  // namespace rivulet
