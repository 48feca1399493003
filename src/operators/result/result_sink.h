// What keyed operators put out, and who takes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/value.h"

namespace rivulet {

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

}  // namespace rivulet
