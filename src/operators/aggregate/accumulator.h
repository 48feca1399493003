// Accumulators: the running state of aggregates, one fixed-size block per pane, and the functions
// over it. All are incremental (Update), mergeable (Merge: sliding windows and sessions join panes)
// and storable (Encode/Decode).
//
// Nulls are skipped. Numbers keep SQL's types: sum, min and max of ints are ints. Definitions:
//   count   rows with a non-null argument, or all rows
//   sum     ints exactly, whatever their order (a sum beyond int64 is the float nearest to it), floats
//           with Kahan-Babuska two-sum compensation (Knuth 1969, Neumaier 1974)
//   moments count, mean and sum of squared deviations by Welford (1962), merged by Chan, Golub and
//           LeVeque (1979): no catastrophic cancellation
//   min/max of numbers (compared exactly across int and float) or of strings; NaN is ignored
//   first/last by event time; among equal times, by arrival
// The others are described where they are made (accumulator_kinds.h names the files).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/record_batch.h"
#include "base/status.h"

namespace rivulet {

// The rows one Update call adds: row `rows[k]` goes to the block `blocks[k]`.
struct AccumulateInput {
  const Column* argument;  // null pointer: the aggregate has no argument
  const int64_t* time;     // event time by row, us
  const uint32_t* rows;
  char* const* blocks;     // accumulator blocks; the state starts at `offset` in each
  uint32_t count;
  const Column* second = nullptr;  // of aggregates over two values: the other one
};

// One kind of accumulator, with its parameters. Immutable: shared by all panes and threads. The
// state is `size()` bytes at an 8-byte boundary; it may be moved by copying its bytes.
class Accumulator {
 public:
  virtual ~Accumulator() = default;

  virtual size_t size() const = 0;
  virtual void Init(char* state) const = 0;
  // Adds rows in order. `offset` is where this accumulator's state lies in each block.
  virtual void Update(const AccumulateInput& input, size_t offset) const = 0;
  // Adds what `from` has seen, all of it later in arrival, or in event time, than what `into` has
  // seen. Windows merge slices and sessions from left to right: parts that do not overlap in time.
  virtual void Merge(char* into, const char* from) const = 0;
  // Appends a self-delimiting encoding; Decode initialises `state` from it and returns false for
  // bytes that are none: `state` then holds nothing, or what Destroy releases.
  virtual void Encode(const char* state, std::string* out) const = 0;
  virtual bool Decode(std::string_view* in, char* state) const = 0;
  // Releases memory outside the block, if the state has any.
  virtual void Destroy(char* /*state*/) const {}
  virtual bool has_heap() const { return false; }
  virtual size_t HeapBytes(const char* /*state*/) const { return 0; }
};

// What the parts of an aggregate's result are taken from.
enum class AccumulatorKind : uint8_t {
  kRows, kSum, kMoments, kMin, kMax, kFirst, kLast,  // see above
  kQuantiles,    // [error]: a sketch of the distribution of numbers
  kNumbers,      // all numbers, for exact quantiles
  kDistinct,     // how many different values
  kFrequent,     // the most frequent values
  kHistogram,    // [low, high, buckets]: numbers counted in buckets of equal width
  kList,         // [limit]: the first values in order of event time
  kCurve,        // [longest gap, ms; 0: any]: a number over time: area, increase
  kComoments,    // two numbers, or one and event time: variances and covariance
  kMinBy, kMaxBy,  // the value where another one is smallest, largest
  kTruths,       // whether true, false was seen
  kDecay,        // [half-life, ms]: mean of numbers weighted by age
};

// A kind and its parameters, in the order above; those it does not have are 0.
struct AccumulatorSpec {
  AccumulatorKind kind;
  std::array<double, 3> parameters{};
};

// Null when the parameters are out of the bounds that accumulator_bounds.h states.
std::shared_ptr<const Accumulator> NewAccumulator(const AccumulatorSpec& spec);

// Short stable text, part of the stored description of a pane's layout: "rows", "list[100]"; and
// what it says, nothing for a text that is none.
std::string DescribeAccumulator(const AccumulatorSpec& spec);
std::optional<AccumulatorSpec> ParseAccumulator(std::string_view text);

// --- reading results ---

struct SumState {
  double f, c;   // float part and its compensation; of ints alone: a whole multiple of kCarry, and 0
  int64_t i;     // int part, modulo kCarry
  uint64_t n;    // non-null arguments; bit 63: a float was seen
  static constexpr uint64_t kFloatSeen = 1ull << 63;
  static constexpr double kCarry = 0x1p64;
  // Whether `f` can be the carries of ints: of no more than 2^52 of them.
  static bool IsCarries(double f) {
    return f >= -0x1p116 && f <= 0x1p116 &&
           static_cast<double>(static_cast<int64_t>(f / kCarry)) * kCarry == f;
  }
};
struct MomentsState {
  double n, mean, m2;
};
// For kMin, kMax, kFirst, kLast; the value of kMinBy, kMaxBy, whose state begins with one.
struct ValueState {
  Cell cell;      // string: pointer to a heap block
  Type type;      // kNull: nothing seen
  int64_t time;   // not of min and max: they do not have it
};
struct ComomentsState {
  double n, mean_x, mean_y;
  double xx, yy, xy;  // sums of products of deviations; x in seconds when it is event time
  int64_t base;       // event time x counts from, us
};
struct TruthsState {
  uint32_t any_true, any_false;
};
// Weights are halved with each half-life before `time`, the newest event time.
struct DecayState {
  double weight, weighted;  // sums of weights, of weighted values
  int64_t time;
};

// Of a kCurve state: the last reading; false: there is none. A reading more.
bool LastReading(const char* state, int64_t* time_us, double* value);
void AddReading(const Accumulator& curve, char* state, int64_t time_us, double value);

uint64_t RowsCount(const char* state);
// The value of a kMin, kMax, kFirst, kLast, kMinBy or kMaxBy state; strings are views into it.
Value ReadValueState(const char* state);

}  // namespace rivulet
