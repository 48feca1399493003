// SessionWindows: a session of a key lasts as long as its records are at most `gap` apart.
//
// A record opens [t, t + gap); sessions that overlap or touch are one (exactly gap apart merges). A merged
// session that had parts emitted before is emitted again with the next revision. Late rules follow Flink's
// merging windows: a record is judged by the session it ends up in.
//
// With per-key time a key's clock is kept with its sessions, and stays without any until the held watermark
// has passed it.
#pragma once

#include <string>

#include "operators/window/batch_accumulator.h"
#include "operators/window/key_rows.h"
#include "operators/window/window_operator.h"

namespace rivulet {

class SessionWindows final : public WindowOperator {
 public:
  SessionWindows(const WindowSpec& spec, const AggregatePlan* plan, const PaneLayouts* layouts,
                 std::string prefix, const StateView* view, KeyShare share,
                 const FirePoint& fired);

  void Process(const KeyedRecords& input, ResultSink* sink) override;
  void Advance(const FirePoint& point, ResultSink* sink) override;
  FirePoint NextPoint(int64_t watermark, size_t limit) override;
  StateOwner& state() override { return rows_; }

 private:
  // `joins` false: the record only moves its key's clock.
  void AddRecord(const KeyedRecords& input, uint32_t row, bool joins, ResultSink* sink);
  void JoinSession(const KeyedRecords& input, uint32_t row, const ResultOrder& order,
                   KeyWindows* key, ResultSink* sink);
  void MoveClock(const KeyedRecords& input, uint32_t row, const ResultOrder& order, KeyWindows* key,
                 ResultSink* sink);
  // Emits sessions of the key that have closed at `watermark`, drops those past lateness. `caused` by a
  // record, or null: by the watermark.
  void Settle(KeyWindows* key, int64_t watermark, const ResultOrder* caused, ResultSink* sink);
  // The session that a record at `t` belongs to, grown and merged with its neighbours; null when it touches
  // none.
  WindowPart* Join(KeyWindows* key, int64_t t);
  // When nothing of the key is left to be known at `watermark`, it goes; otherwise its next deadline is set.
  void Schedule(KeyWindows* key, int64_t watermark);

  KeyRows rows_;                // sessions by start; they neither overlap nor touch
};

}  // namespace rivulet
