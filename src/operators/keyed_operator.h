// KeyedOperator: what a pipeline does with keyed records, behind all steps: windows, a pattern, a join, or
// nothing, where records are the results. One instance per worker, for the keys of its share; results do not
// depend on how keys are shared out or records are batched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/record_batch.h"
#include "operators/key/key_codec.h"
#include "operators/result/result_sink.h"
#include "operators/state/fire_point.h"
#include "operators/state/state_owner.h"

namespace rivulet {

// Records of one batch, as an operator gets them.
struct KeyedRecords {
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
class KeyedOperator {
 public:
  virtual ~KeyedOperator() = default;

  // What it keeps; to be opened before the first record.
  virtual StateOwner& state() = 0;
  virtual void Process(const KeyedRecords& input, ResultSink* sink) = 0;
  // Puts out everything due up to `point`, such as windows that end by then, and forgets what no record can
  // reach any more. Between a point that is not whole and the whole one of the same time, no records may be
  // processed.
  virtual void Advance(const FirePoint& point, ResultSink* sink) = 0;
  // A point at most at `watermark` up to which about `limit` results are due; the same for all instances can
  // be had as the least of theirs. Advancing to it and then further is the same as at once.
  virtual FirePoint NextPoint(int64_t watermark, size_t limit) = 0;
  // Everything of this instance that is due up to here has been put out, us.
  int64_t closed() const { return fired_; }

 protected:
  // `fired` is where the operator had got to when the rows that it finds were committed.
  explicit KeyedOperator(const FirePoint& fired) { Reach(fired); }
  void Reach(const FirePoint& point) {
    partial_ = point;
    fired_ = point.WholeTime();
  }

  int64_t fired_ = 0;  // everything due up to here has been put out ...
  FirePoint partial_;  // ... and if not whole, of its time what concerns keys up to its key
};

}  // namespace rivulet
