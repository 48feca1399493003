// ClockedWindows: tumbling and sliding windows with per-key time. Slices and panes are those of
// AlignedWindows; what differs is when a window closes: key by key, by the key's own clock or, for those that
// have fallen silent, when the held watermark gets there.
#pragma once

#include <string>

#include "operators/window/aligned_windows.h"
#include "operators/window/key_clocks.h"

namespace rivulet {

class ClockedWindows final : public AlignedWindows {
 public:
  ClockedWindows(const WindowSpec& spec, const AggregatePlan* plan, const PaneLayouts* layouts,
                 const std::string& prefix, const StateView* view, KeyShare share,
                 const FirePoint& fired);

  void Process(const KeyedRecords& input, ResultSink* sink) override;
  void Advance(const FirePoint& point, ResultSink* sink) override;
  FirePoint NextPoint(int64_t watermark, size_t limit) override;

 private:
  // What AlignedWindows keeps, and clocks.
  Status Open() override;
  void CollectChanges(StateChanges* changes) override;
  void OnCommitted() override { clocks_.OnCommitted(); }
  size_t MemoryBytes() const override { return AlignedWindows::MemoryBytes() + clocks_.MemoryBytes(); }
  void Evict(size_t target) override;
  size_t DirtyRows() const override { return AlignedWindows::DirtyRows() + clocks_.DirtyRows(); }
  const Status& status() const override;

  // `joins` false: the record only moves its key's clock.
  void Take(const KeyedRecords& input, uint32_t row, bool joins, ResultSink* sink);
  void Join(const KeyedRecords& input, uint32_t row, const ResultOrder& order, int64_t effective,
            KeyClock* clock, ResultSink* sink);
  // Closes the key's windows up to `to`; `caused` by a record, or null: by the held watermark.
  void CloseKey(KeyClock* clock, int64_t to, const ResultOrder* caused, ResultSink* sink);
  void CloseTumblingOf(KeyClock* clock, int64_t last, const ResultOrder* caused, ResultSink* sink);
  void CloseSlidingOf(KeyClock* clock, int64_t last, const ResultOrder* caused, ResultSink* sink);

  KeyClocks clocks_;
};

}  // namespace rivulet
