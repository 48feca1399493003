// Accumulators: the running state of aggregates, one fixed-size block per pane, and the functions
// over it. All are incremental (Update), mergeable (Merge: sliding windows and sessions join panes)
// and storable (Encode/Decode).
//
// Nulls are skipped. Numbers keep SQL's types: sum, min and max of ints are ints. Definitions:
//   count   rows with a non-null argument, or all rows
//   sum     ints exactly in int64 (beyond it: float), floats with Kahan-Babuska two-sum
//           compensation (Knuth 1969, Neumaier 1974)
//   moments count, mean and sum of squared deviations by Welford (1962), merged by Chan, Golub and
//           LeVeque (1979): no catastrophic cancellation
//   min/max of numbers (compared exactly across int and float) or of strings; NaN is ignored
//   first/last by event time; among equal times, by arrival
#pragma once

#include <cstdint>
#include <memory>
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
};

// One kind of accumulator. Stateless and immutable: shared by all panes and threads. The state is
// `size()` bytes at an 8-byte boundary.
class Accumulator {
 public:
  virtual ~Accumulator() = default;

  virtual size_t size() const = 0;
  virtual void Init(char* state) const = 0;
  // Adds rows in order. `offset` is where this accumulator's state lies in each block.
  virtual void Update(const AccumulateInput& input, size_t offset) const = 0;
  // Adds what `from` has seen, all of it later in arrival than what `into` has seen.
  virtual void Merge(char* into, const char* from) const = 0;
  // Appends a self-delimiting encoding; Decode initialises `state` from it and returns false for
  // bytes that are none.
  virtual void Encode(const char* state, std::string* out) const = 0;
  virtual bool Decode(std::string_view* in, char* state) const = 0;
  // Releases memory outside the block, if the state has any.
  virtual void Destroy(char* /*state*/) const {}
  virtual bool has_heap() const { return false; }
  virtual size_t HeapBytes(const char* /*state*/) const { return 0; }
};

// What the parts of an aggregate's result are taken from.
enum class AccumulatorKind : uint8_t { kRows, kSum, kMoments, kMin, kMax, kFirst, kLast };

const Accumulator& GetAccumulator(AccumulatorKind kind);
// Short stable name, part of the stored description of a pane's layout: "rows", "sum", ...
std::string_view AccumulatorName(AccumulatorKind kind);

// --- reading results ---

struct SumState {
  double f, c;   // float part and its compensation
  int64_t i;     // exact int part
  uint64_t n;    // non-null arguments; bit 63: a float was seen
  static constexpr uint64_t kFloatSeen = 1ull << 63;
};
struct MomentsState {
  double n, mean, m2;
};
// For kMin, kMax, kFirst, kLast.
struct ValueState {
  Cell cell;      // string: pointer to a heap block
  Type type;      // kNull: nothing seen
  int64_t time;   // first/last only: min and max do not have it
};

uint64_t RowsCount(const char* state);
// The value of a kMin, kMax, kFirst or kLast state; strings are views into the state.
Value ReadValueState(const char* state);

}  // namespace rivulet
