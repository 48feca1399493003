// TriggeredWindows: windows that may be put out before they close, or that differ from key to key: every
// window of a key keeps accumulators of its own, all of a key's windows are one row of state.
//
// Which kinds come here: WindowSpec::keyed. The rules of late records and revisions are
// WindowOperator's. Early results, after Flink's continuous event time and count triggers:
//   - by number and on change: with the record that makes them due, ordered as a revision is;
//   - by interval: a record that changes a window makes it due at the first multiple of the interval
//     behind both W as it was and the window's start. When W reaches that time and the window has not
//     ended by then, it is put out as it is, if no result has shown it since. Only records that came
//     before W got there are in it.
// Each result of a window, early, closing or revision, has the next revision. Accumulating: the closing
// result always comes. Discarding: a result empties the window, and the closing one comes if there is
// something in it.
//
// A global window has no end; it closes at the end of input. Its times are those of its records. With `keep`
// it is forgotten without a result when W, or the time of a record of its key, has passed the key's last use
// by that, which is the later of its record's time and the W it met; early results due by then come first,
// with the record if W has not got there. The end of input makes nothing over.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "operators/window/batch_accumulator.h"
#include "operators/window/key_rows.h"
#include "operators/window/window_calendar.h"
#include "operators/window/window_operator.h"

namespace rivulet {

class TriggeredWindows final : public WindowOperator {
 public:
  TriggeredWindows(const WindowSpec& spec, const AggregatePlan* plan, const PaneLayouts* layouts,
                   std::string prefix, const StateView* view, KeyShare share,
                   const FirePoint& fired);

  void Process(const KeyedRecords& input, ResultSink* sink) override;
  void Advance(const FirePoint& point, ResultSink* sink) override;
  FirePoint NextPoint(int64_t watermark, size_t limit) override;
  StateOwner& state() override { return rows_; }

 private:
  using Span = std::pair<int64_t, int64_t>;  // start, end
  // A record on its way into its windows.
  struct Arrival {
    const KeyedRecords* input;
    uint32_t row;
    int64_t time;
    ResultOrder order;  // its watermark and place
  };
  bool global() const { return spec_.kind == WindowSpec::Kind::kGlobal; }
  bool session() const { return spec_.kind == WindowSpec::Kind::kSession; }
  // When a window closes.
  int64_t EndOf(const WindowPart& part) const;
  bool Expired(int64_t end, int64_t watermark) const;
  // The W from which on the key is over; kNoTimer: it does not come.
  int64_t OverAt(const KeyWindows& key) const {
    return ending_ ? kNoTimer : key.OverAt(spec_.keep_us);
  }
  int64_t Identity(const WindowPart& part) const;

  void AddRecord(const KeyedRecords& input, uint32_t row, ResultSink* sink);
  // The key is over by the time of the record that comes, though not by W.
  void Forget(KeyWindows* key, const Arrival& arrival, ResultSink* sink);
  // False when the record is late for all its windows.
  bool AddAligned(KeyWindows* key, const Arrival& arrival, ResultSink* sink);
  bool AddSession(KeyWindows* key, const Arrival& arrival, ResultSink* sink);
  void AddGlobal(KeyWindows* key, const Arrival& arrival, ResultSink* sink);
  // The windows that hold `t`, by end.
  void FindWindows(int64_t t);
  WindowPart* FindPart(KeyWindows* key, const Span& span);
  // The session that [t, end) belongs to, grown and merged with its neighbours; null: it touches none.
  WindowPart* Join(KeyWindows* key, int64_t t, int64_t end);

  void AddTo(KeyWindows* key, WindowPart* part, const Arrival& arrival, ResultSink* sink);
  void Emit(const KeyWindows& key, WindowPart* part, const ResultOrder& order, bool early,
            ResultSink* sink);
  // Everything that W makes due for a key; forgets windows past their lateness.
  void Settle(KeyWindows* key, int64_t watermark, ResultSink* sink);
  void SettlePart(const KeyWindows& key, WindowPart* part, int64_t watermark, ResultSink* sink);
  void Schedule(KeyWindows* key, int64_t watermark);

  KeyRows rows_;
  std::optional<WindowCalendar> calendar_;  // when edges follow a clock
  bool ending_ = false;         // W goes to the end of input
  std::vector<Span> windows_;   // of the record being added
  Span last_{0, 0};             // tumbling: the window of the last record
};

}  // namespace rivulet
