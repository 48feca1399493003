#include <doctest/doctest.h>

#include <limits>

#include "operators/decode/decoder.h"

namespace rivulet {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

// Extracts the times of a one-column batch of `values`.
struct Extracted {
  Extracted(std::vector<Value> values, TimeUnit unit) {
    batch.Reset(1, static_cast<uint32_t>(values.size()));
    batch.rows = static_cast<uint32_t>(values.size());
    for (uint32_t k = 0; k < batch.rows; ++k) batch.columns[0].Set(k, values[k]);
    ExtractEventTime(&batch, Selection::All(batch.rows), 0, unit, &errors);
  }
  RecordBatch batch;
  std::vector<RowError> errors;
};

int64_t One(const Value& v, TimeUnit unit) {
  const Extracted e({v}, unit);
  REQUIRE(e.errors.empty());
  return e.batch.event_time[0];
}
ErrorCode Fault(const Value& v, TimeUnit unit) {
  const Extracted e({v}, unit);
  REQUIRE(e.errors.size() == 1);
  CHECK(e.errors[0].row == 0);
  CHECK_FALSE(e.errors[0].detail.empty());
  return e.errors[0].code;
}

TEST_CASE("event time: ints in every unit, before 1970 too") {
  CHECK(One(Value::Int(1700000000), TimeUnit::kSeconds) == 1700000000'000000);
  CHECK(One(Value::Int(1700000000123), TimeUnit::kMillis) == 1700000000'123000);
  CHECK(One(Value::Int(1700000000123456), TimeUnit::kMicros) == 1700000000'123456);
  CHECK(One(Value::Int(1700000000123456789), TimeUnit::kNanos) == 1700000000'123456);
  CHECK(One(Value::Int(-1), TimeUnit::kMillis) == -1000);
  CHECK(One(Value::Int(-1), TimeUnit::kNanos) == -1);
  CHECK(One(Value::Int(-1000), TimeUnit::kNanos) == -1);
  CHECK(One(Value::Int(-1001), TimeUnit::kNanos) == -2);
  CHECK(One(Value::Int(kMin), TimeUnit::kNanos) == kMin / 1000 - 1);
  CHECK(One(Value::Int(kMax), TimeUnit::kMicros) == kMax);
  CHECK(One(Value::Int(kMin), TimeUnit::kMicros) == kMin);
  CHECK(One(Value::Int(kMax / 1000), TimeUnit::kMillis) == kMax / 1000 * 1000);
}

TEST_CASE("event time: what does not fit is a bad time") {
  CHECK(Fault(Value::Int(kMax), TimeUnit::kSeconds) == ErrorCode::kBadTime);
  CHECK(Fault(Value::Int(kMin), TimeUnit::kMillis) == ErrorCode::kBadTime);
  CHECK(Fault(Value::Int(kMax / 1000 + 1), TimeUnit::kMillis) == ErrorCode::kBadTime);
  CHECK(Fault(Value::Float(1e13), TimeUnit::kSeconds) == ErrorCode::kBadTime);
  CHECK(Fault(Value::Float(0x1p63), TimeUnit::kMicros) == ErrorCode::kBadTime);
  CHECK(Fault(Value::Float(std::numeric_limits<double>::quiet_NaN()), TimeUnit::kMillis) ==
        ErrorCode::kBadTime);
  CHECK(Fault(Value::Float(std::numeric_limits<double>::infinity()), TimeUnit::kSeconds) ==
        ErrorCode::kBadTime);
  CHECK(Fault(Value::Bool(true), TimeUnit::kSeconds) == ErrorCode::kBadTime);
  CHECK(Fault(Value::String("yesterday"), TimeUnit::kSeconds) == ErrorCode::kBadTime);
  CHECK(Fault(Value::String(""), TimeUnit::kMillis) == ErrorCode::kBadTime);
  CHECK(Fault(Value::Int(5), TimeUnit::kIso8601) == ErrorCode::kBadTime);
  CHECK(Fault(Value::String("5"), TimeUnit::kIso8601) == ErrorCode::kBadTime);
  CHECK(Fault(Value::Null(), TimeUnit::kMillis) == ErrorCode::kMissingField);
}

TEST_CASE("event time: floats keep their precision to the nearest microsecond") {
  CHECK(One(Value::Float(1700000000.123456), TimeUnit::kSeconds) == 1700000000'123456);
  CHECK(One(Value::Float(1700000000123.4), TimeUnit::kMillis) == 1700000000'123400);
  CHECK(One(Value::Float(0.0000004), TimeUnit::kSeconds) == 0);
  CHECK(One(Value::Float(0.0000006), TimeUnit::kSeconds) == 1);
  CHECK(One(Value::Float(-1.5), TimeUnit::kSeconds) == -1500000);
  CHECK(One(Value::Float(1500.0), TimeUnit::kNanos) == 2);
}

TEST_CASE("event time: texts are ISO 8601 in any unit, or a number in the unit") {
  for (const TimeUnit unit : {TimeUnit::kSeconds, TimeUnit::kNanos, TimeUnit::kIso8601}) {
    CHECK(One(Value::String("2017-03-21T00:00:02-05:00"), unit) == 1490072402'000000);
  }
  CHECK(One(Value::String("1700000000"), TimeUnit::kSeconds) == 1700000000'000000);
  CHECK(One(Value::String("1700000000.5"), TimeUnit::kSeconds) == 1700000000'500000);
}

TEST_CASE("event time: mixed rows, one fault does not disturb the others") {
  const Extracted e({Value::Int(1), Value::Null(), Value::Float(2.5), Value::String("x"),
                     Value::String("1970-01-01"), Value::Int(kMax)},
                    TimeUnit::kMillis);
  CHECK(e.batch.event_time[0] == 1000);
  CHECK(e.batch.event_time[2] == 2500);
  CHECK(e.batch.event_time[4] == 0);
  REQUIRE(e.errors.size() == 3);
  CHECK(e.errors[0].row == 1);
  CHECK(e.errors[1].row == 3);
  CHECK(e.errors[1].detail.find("'x'") != std::string::npos);
  CHECK(e.errors[2].row == 5);
}

TEST_CASE("event time: a uniform column with one overflow or null falls back row by row") {
  const Extracted overflow({Value::Int(1), Value::Int(kMax), Value::Int(3)}, TimeUnit::kSeconds);
  REQUIRE(overflow.errors.size() == 1);
  CHECK(overflow.errors[0].row == 1);
  CHECK(overflow.batch.event_time[2] == 3'000'000);
  const Extracted null({Value::Int(1), Value::Null()}, TimeUnit::kSeconds);
  REQUIRE(null.errors.size() == 1);
  CHECK(null.errors[0].code == ErrorCode::kMissingField);
}

TEST_CASE("event time: only the selected rows are touched") {
  RecordBatch batch;
  batch.Reset(1, 4);
  batch.rows = 4;
  for (uint32_t k = 0; k < 4; ++k) batch.columns[0].SetInt(k, k);
  batch.columns[0].SetNull(0);
  batch.event_time.assign(4, -7);
  const uint32_t rows[] = {1, 3};
  std::vector<RowError> errors;
  ExtractEventTime(&batch, Selection{rows, 2}, 0, TimeUnit::kSeconds, &errors);
  CHECK(errors.empty());
  CHECK(batch.event_time == std::vector<int64_t>{-7, 1'000'000, -7, 3'000'000});
}

}  // namespace
}  // namespace rivulet
