// WindowOperator: keyed records in, window results out. One instance per worker, for the keys of its
// share; results do not depend on how keys are shared out or records are batched.
//
// Rules (the design's section 4): W is the watermark just before a record. A window [start, end) closes
// when W >= end. A record is late for a window when end + lateness <= W, and late altogether when it is
// late for all its windows. Between closing and that, it joins and the window is emitted again at
// once with revision + 1.
//
// With per-key time each key has a clock: its own largest event time less the delay. The key's effective
// watermark is the later of its clock and the source's W less the hold; it takes W's place in all of these
// rules, for this key alone. What is called watermark here is then W less the hold: the part that all keys
// have in common.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/record_batch.h"
#include "base/types.h"
#include "base/value.h"
#include "operators/aggregate/aggregate_plan.h"
#include "operators/key/key_codec.h"
#include "operators/state/state_owner.h"
#include "operators/state_view.h"
#include "operators/window/fire_point.h"
#include "operators/window/slice_store.h"

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
  bool own_gaps = false;  // session: each record brings its gap (WindowInput::gap)
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

// Where a result stands in the order of all results of a pipeline. Closings come by (end, key); a
// revision comes after all closings its watermark allowed and before those it did not, by position of the
// record that caused it; so does the closing of a key's windows by a record that moved the key's own clock.
// Early results that a time makes due stand among the closings of that time. This order is the same for
// every number of workers and every batching.
struct ResultOrder {
  int64_t time;        // closing: the window's end; early: when it was due; caused by a record: W just
                       // before it (held, with per-key time)
  uint8_t caused;      // 0: by W; 1: caused by the record at `position`
  uint64_t position;   // of that record within the turn
};

// A result with all there is to say of it.
struct WindowResult {
  ResultOrder order;
  std::string_view key;
  uint64_t hash;
  int64_t start_us, end_us;
  int64_t identity_us;   // what tells it from other windows of its key: mostly its start
  uint32_t revision;
  bool early;            // the window has not closed
  const char* block;
  const Value* fallback = nullptr;  // by output, what stands where the block gives null; null: nothing does
};

// A result that is a row of values instead of a window's accumulators. Rows with one key and place keep the
// order in which they come; several may have one key and time.
struct RowResult {
  ResultOrder order;
  std::string_view key;
  uint64_t hash;
  int64_t start_us, end_us;
  const Value* values;   // valid during the call, as is what they point to
  size_t count;
};

// A record that was taken, but could not be made use of when its time came; it becomes a dead letter.
struct ResultFault {
  ResultOrder order;
  std::string_view key;
  uint64_t hash;
  int64_t time_us;       // of the record
  ErrorCode code;
  std::string detail;
};

// Receives results. `block` is only valid during the call.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  virtual void OnResult(const ResultOrder& order, std::string_view key, uint64_t hash,
                        int64_t start_us, int64_t end_us, uint32_t revision,
                        const char* block) = 0;
  // A result of windows for which OnResult does not say enough.
  virtual void OnWindow(const WindowResult& r) {
    OnResult(r.order, r.key, r.hash, r.start_us, r.end_us, r.revision, r.block);
  }
  // From operators whose results are rows; others never call it.
  virtual void OnRow(const RowResult&) {}
  // Likewise.
  virtual void OnFault(const ResultFault&) {}
  // A record that was late for all its windows.
  virtual void OnLate(const ResultOrder& order, uint32_t row) = 0;
};

struct WindowInput {
  const RecordBatch* batch = nullptr;
  const KeyColumn* keys = nullptr;
  const uint32_t* rows = nullptr;        // this instance's rows, ascending
  uint32_t count = 0;
  const int64_t* watermark = nullptr;    // by row: W just before the record, us; held, with per-key time
  uint64_t position = 0;                 // of row 0 within the turn
  const std::vector<const Column*>* arguments = nullptr;  // by AggregatePlan argument
  // Per-key time: this instance's rows that move the clock of their key, ascending: `rows` and those that a
  // step behind the key has taken out.
  const uint32_t* clock_rows = nullptr;
  uint32_t clock_count = 0;
  const uint8_t* source = nullptr;       // joins: by row, which of several sources it is of
  const Column* gap = nullptr;           // sessions with own gaps: ms by row, int or float, above 0
};

// One thread per instance.
class WindowOperator {
 public:
  virtual ~WindowOperator() = default;

  virtual void Process(const WindowInput& input, ResultSink* sink) = 0;
  // Closes every window up to `point` and forgets what no record can reach any more. Between a point that is
  // not whole and the whole one of the same time, no records may be processed.
  virtual void Advance(const FirePoint& point, ResultSink* sink) = 0;
  // A point at most at `watermark` to which closing gives about `limit` results; the same for all instances
  // can be had as the least of theirs. Closing up to it and then further is the same as at once.
  virtual FirePoint NextPoint(int64_t watermark, size_t limit) = 0;
  // Every window of this instance that ends up to here is closed, us. A late record may have brought it
  // further than the last Advance.
  virtual int64_t closed() const = 0;

  // What it keeps; to be opened before the first record.
  virtual StateOwner& state() = 0;
};

// `fired` is where the operator had got to when the rows in `view` were committed.
std::unique_ptr<WindowOperator> NewWindowOperator(const WindowSpec& spec, const AggregatePlan* plan,
                                                  const PaneLayouts* layouts, std::string prefix,
                                                  const StateView* view, KeyShare share,
                                                  const FirePoint& fired);

}  // namespace rivulet
