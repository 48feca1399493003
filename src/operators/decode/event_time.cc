#include <cmath>
#include <limits>
#include <string>

#include "operators/decode/decoder.h"
#include "operators/decode/text_value.h"

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

bool FromValue(const Value& v, TimeUnit unit, int64_t* us) {
  switch (v.type) {
    case Type::kInt: return unit != TimeUnit::kIso8601 && FromInt(v.i, unit, us);
    case Type::kFloat: return unit != TimeUnit::kIso8601 && FromFloat(v.f, unit, us);
    case Type::kString: {
      if (ParseIso8601(v.s, us)) return true;
      Value number;
      return unit != TimeUnit::kIso8601 && decode::ParseNumber(v.s, &number) &&
             FromValue(number, unit, us);
    }
    default: return false;
  }
}

// What stands in the way, with as much of a text as helps.
std::string Describe(const Value& v, TimeUnit unit) {
  constexpr size_t kShown = 40;
  std::string out = "event time ";
  if (v.type == Type::kString) {
    out += "'" + std::string(v.s.substr(0, kShown)) + (v.s.size() > kShown ? "...'" : "'");
  } else if (v.type == Type::kInt) {
    out += std::to_string(v.i);
  } else {
    out += "of type " + std::string(TypeName(v.type));
  }
  return out + " cannot be understood, expected " + std::string(UnitName(unit)) +
         " within the range of 64-bit microseconds";
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

void ExtractEventTime(RecordBatch* batch, Selection selection, uint32_t column, TimeUnit unit,
                      std::vector<RowError>* errors) {
  const Column& source = batch->columns[column];
  const bool scales = unit != TimeUnit::kIso8601 && unit != TimeUnit::kNanos;
  if (scales && source.Only(Type::kInt) &&
      ConvertInts(source, selection, MicrosPer(unit), batch->event_time.data())) {
    return;
  }
  for (uint32_t k = 0; k < selection.count; ++k) {
    const uint32_t row = selection[k];
    int64_t us = 0;
    if (source.is_null(row)) {
      errors->push_back({row, ErrorCode::kMissingField, "event time is absent or null"});
    } else if (!FromValue(source.Get(row), unit, &us)) {
      us = 0;
      errors->push_back({row, ErrorCode::kBadTime, Describe(source.Get(row), unit)});
    }
    batch->event_time[row] = us;
  }
}

}  // namespace rivulet
