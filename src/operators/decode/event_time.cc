#include "operators/decode/event_time.h"

#include <cmath>
#include <limits>
#include <string>

#include "base/json_writer.h"
#include "operators/decode/text_value.h"
#include "operators/expr/convert.h"
#include "operators/expr/iso_text.h"

namespace rivulet {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

// us per unit; nanoseconds divide instead.
constexpr int64_t MicrosPer(TimeUnit unit) {
  return unit == TimeUnit::kSeconds ? 1'000'000 : unit == TimeUnit::kMillis ? 1'000 : 1;
}

std::string_view UnitName(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSeconds: return "epoch seconds";
    case TimeUnit::kMillis: return "epoch milliseconds";
    case TimeUnit::kMicros: return "epoch microseconds";
    case TimeUnit::kNanos: return "epoch nanoseconds";
    case TimeUnit::kIso8601: return "an ISO 8601 date-time";
  }
  return "?";
}

// Nanoseconds are cut to the microsecond they lie in, before 1970 too.
bool FromInt(int64_t v, TimeUnit unit, int64_t* us) {
  if (unit == TimeUnit::kNanos) {
    *us = v / 1000 - (v % 1000 < 0 ? 1 : 0);
    return true;
  }
  return !__builtin_mul_overflow(v, MicrosPer(unit), us);
}

// To the nearest microsecond.
bool FromFloat(double v, TimeUnit unit, int64_t* us) {
  const double scaled = std::round(unit == TimeUnit::kNanos
                                       ? v / 1000
                                       : v * static_cast<double>(MicrosPer(unit)));
  // 2^63 itself is out of range. NaN fails both comparisons.
  if (!(scaled >= -0x1p63 && scaled < 0x1p63)) return false;
  *us = static_cast<int64_t>(scaled);
  return true;
}

// A clock's time in the zone, with what is finer than a millisecond, which is as long everywhere.
bool FromLocal(int64_t local_us, const TimeReading& reading, int64_t* us) {
  *us = local_us;
  if (!reading.zone) return true;
  const int64_t fine = FloorMod(local_us, 1000);
  const int64_t ms = reading.zone->ToUtc((local_us - fine) / 1000);
  return !__builtin_mul_overflow(ms, 1000, us) && !__builtin_add_overflow(*us, fine, us);
}

bool FromIso(std::string_view text, const TimeReading& reading, int64_t* us) {
  const std::optional<expr::IsoTime> time = expr::ReadIso(text);
  int64_t read = 0;
  if (!time || __builtin_mul_overflow(time->days, int64_t{86'400'000'000}, &read) ||
      __builtin_add_overflow(read, time->us, &read)) {
    return false;
  }
  if (!time->local) {
    *us = read;
    return true;
  }
  return FromLocal(read, reading, us);
}

bool FromFormat(std::string_view text, const TimeReading& reading, int64_t* us) {
  const std::optional<expr::TimeFormat::Parsed> parsed = reading.format->Parse(text);
  int64_t read = 0;
  if (!parsed || __builtin_mul_overflow(parsed->local_ms, 1000, &read) ||
      __builtin_add_overflow(read, parsed->us, &read)) {
    return false;
  }
  if (!parsed->offset_ms) return FromLocal(read, reading, us);
  return !__builtin_sub_overflow(read, *parsed->offset_ms * 1000, us);
}

bool FromText(std::string_view text, const TimeReading& reading, int64_t* us);

bool FromValue(const Value& v, const TimeReading& reading, int64_t* us) {
  switch (v.type) {
    case Type::kInt: return reading.unit != TimeUnit::kIso8601 && FromInt(v.i, reading.unit, us);
    case Type::kFloat: return reading.unit != TimeUnit::kIso8601 && FromFloat(v.f, reading.unit, us);
    case Type::kString: return FromText(expr::TrimSpace(v.s), reading, us);
    default: return false;
  }
}

bool FromText(std::string_view text, const TimeReading& reading, int64_t* us) {
  if (reading.format) return FromFormat(text, reading, us);
  if (FromIso(text, reading, us)) return true;
  Value number;
  return reading.unit != TimeUnit::kIso8601 && decode::ParseNumber(text, &number) &&
         FromValue(number, reading, us);
}

// What stands in the way, with as much of it as helps.
std::string Describe(const Value& v, const TimeReading& reading) {
  std::string out = reading.name.empty() ? "event time " : "event time '" + reading.name + "' is ";
  if (v.type == Type::kString) {
    out += expr::Quote(v.s);
  } else if (v.is_number()) {
    AppendJsonValue(&out, v);
  } else {
    out += "of type " + std::string(TypeName(v.type));
  }
  out += reading.name.empty() ? " cannot be understood, expected " : ", expected ";
  if (reading.format) return out + "text of the form " + expr::Quote(reading.format->pattern());
  return out + std::string(UnitName(reading.unit)) + " within the range of 64-bit microseconds";
}

// The column of a payload nobody tampered with: ints in every row. False when any row is not, or
// does not fit; then nothing is known about the rows.
bool ConvertInts(const Column& column, const Selection& selection, int64_t factor,
                 int64_t* event_time) {
  const Type* const tags = column.tags();
  const Cell* const cells = column.cells();
  const int64_t limit = kMax / factor;
  bool fits = true;
  for (uint32_t k = 0; k < selection.count; ++k) {
    const uint32_t row = selection[k];
    const int64_t v = cells[row].i;
    fits &= tags[row] == Type::kInt && v <= limit && v >= -limit;
    event_time[row] = static_cast<int64_t>(static_cast<uint64_t>(v) *
                                           static_cast<uint64_t>(factor));
  }
  return fits;
}

}  // namespace

void ExtractEventTime(RecordBatch* batch, Selection selection, const Column& values,
                      const TimeReading& reading, std::vector<RowError>* errors) {
  const TimeUnit unit = reading.unit;
  const bool scales = unit != TimeUnit::kIso8601 && unit != TimeUnit::kNanos;
  if (scales && values.Only(Type::kInt) &&
      ConvertInts(values, selection, MicrosPer(unit), batch->event_time.data())) {
    return;
  }
  for (uint32_t k = 0; k < selection.count; ++k) {
    const uint32_t row = selection[k];
    int64_t us = 0;
    if (values.is_null(row)) {
      const std::string name = reading.name.empty() ? "" : " '" + reading.name + "'";
      errors->push_back({row, ErrorCode::kMissingField, "event time" + name + " is absent or null"});
    } else if (!FromValue(values.Get(row), reading, &us)) {
      us = 0;
      errors->push_back({row, ErrorCode::kBadTime, Describe(values.Get(row), reading)});
    }
    batch->event_time[row] = us;
  }
}

void ExtractEventTime(RecordBatch* batch, Selection selection, uint32_t column, TimeUnit unit,
                      std::vector<RowError>* errors) {
  TimeReading reading;
  reading.unit = unit;
  ExtractEventTime(batch, selection, batch->columns[column], reading, errors);
}

}  // namespace rivulet
