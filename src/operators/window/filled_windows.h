// FilledWindows: tumbling windows that know what was before them. Each key's last readings, and when it was
// last heard of, are remembered from window to window.
//
// Rules:
//   - `carry`: at each border between windows the key's last reading before it, if it is at most so old,
//     counts as a reading at the border, of both windows. This concerns aggregates over time (integral, twa,
//     increase, rate), each by its own value. Windows share no time and leave none out, so areas and
//     increases add up.
//   - A window that no record is in has a result when its key had a record before it, at most `keep` before
//     its start. The end of the input closes windows with records; others must have been reached by W.
//   - `fill` says what stands in such a result where it has no value: nothing, 0, or what the last window
//     with records had.
//   - Late records: WindowOperator's rules. One that changes what a later window took from before it, or
//     brings a later window about, makes a revision of that one too, if it has closed: behind its own, in
//     order of time. Such a window ends later, so it still takes corrections.
//   - With per-key time a key's windows, with or without records, close by its clock.
//
// Rows are those of KeyRows; while the end of the input closes windows in steps, one more, prefix e, holds W
// as it was before (8 bytes).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "operators/aggregate/curve.h"
#include "operators/window/batch_accumulator.h"
#include "operators/window/key_rows.h"
#include "operators/window/window_operator.h"

namespace rivulet {

class FilledWindows final : public WindowOperator, private StateOwner {
 public:
  FilledWindows(const WindowSpec& spec, const AggregatePlan* plan, const PaneLayouts* layouts,
                const std::string& prefix, const StateView* view, KeyShare share,
                const FirePoint& fired);
  ~FilledWindows() override;

  void Process(const KeyedRecords& input, ResultSink* sink) override;
  void Advance(const FirePoint& point, ResultSink* sink) override;
  FirePoint NextPoint(int64_t watermark, size_t limit) override;
  StateOwner& state() override { return *this; }

 private:
  // Rows of keys, and the one for the end of the input.
  Status Open() override;
  void CollectChanges(StateChanges* changes) override;
  void OnCommitted() override { rows_.OnCommitted(); }
  size_t MemoryBytes() const override { return rows_.MemoryBytes(); }
  void Evict(size_t target) override { rows_.Evict(target); }
  size_t EntriesInMemory() const override { return rows_.EntriesInMemory(); }
  size_t DirtyRows() const override { return rows_.DirtyRows(); }
  const Status& status() const override { return rows_.status(); }

  using Reading = std::optional<CurvePoint>;
  // What a window finds before it.
  struct Past {
    int64_t last_time = kNoClock;    // of the key's last record
    std::vector<Reading> readings;   // by curve
  };
  // What a late record changed of what windows behind its own find.
  struct Change {
    Past before, after;
    int64_t end;                     // of its window
  };
  struct Span {
    int64_t start, end;
  };

  Span WindowOf(int64_t t) const;
  // The place of the first part that starts at `start` or later.
  static size_t PlaceOf(const KeyWindows& key, int64_t start);
  static WindowPart* FindPart(KeyWindows* key, int64_t start);
  // `revision` is the next result's when there is no part yet.
  WindowPart* MakePart(KeyWindows* key, int64_t start, uint32_t revision);
  static const WindowPart* Source(const KeyWindows& key, int64_t start);
  static int64_t LastTime(const KeyWindows& key, int64_t start);
  Reading LastOf(const WindowPart& part, size_t curve) const;
  Past Before(const KeyWindows& key, int64_t start) const;
  bool Carried(const Reading& reading, int64_t border) const {
    return reading && border - reading->time <= spec_.carry_us;
  }
  // Whether a window without records has a result, given when its key was heard of before.
  bool Known(int64_t last_time, const Span& window) const;
  // The end of the key's first window with a result that ends behind `after`; kNoTimer: there is none.
  int64_t NextEnd(const KeyWindows& key, int64_t after) const;

  // The accumulators of a window as its result shows them, valid until the next call. `part` is null when the
  // window has none.
  const char* Complete(const KeyWindows& key, const Span& window, const WindowPart* part);
  void Put(size_t curve, CurvePoint point);
  void TakeValues(const char* from, std::vector<KeptOutput>* values);
  // By output: what stands where a window without records has no value.
  const Value* Fallback(const KeyWindows& key, int64_t start);
  void Emit(const KeyWindows& key, const Span& window, const WindowPart* part, uint32_t revision,
            const ResultOrder& order, ResultSink* sink);

  // `joins` false: the record only moves its key's clock.
  void AddRecord(const KeyedRecords& input, uint32_t row, bool joins, ResultSink* sink);
  void Join(const KeyedRecords& input, uint32_t row, const ResultOrder& order, KeyWindows* key,
            ResultSink* sink);
  void ReviseLater(const Change& change, int64_t watermark, const ResultOrder& order, KeyWindows* key,
                   ResultSink* sink);
  void MoveClock(const KeyedRecords& input, uint32_t row, const ResultOrder& order, KeyWindows* key,
                 ResultSink* sink);

  // Puts out everything that ends up to `to`; forgets what no record can reach.
  void Settle(KeyWindows* key, int64_t to, const ResultOrder* caused, ResultSink* sink);
  void Forget(KeyWindows* key, int64_t watermark);
  static void Remember(const Reading& reading, uint64_t curve, KeyMemory* memory);
  int64_t OverAt(const KeyMemory& memory) const;
  void Schedule(KeyWindows* key, int64_t watermark);

  char* block() { return reinterpret_cast<char*>(scratch_.data()); }

  KeyRows rows_;
  std::vector<size_t> curves_;        // slots that are curves
  std::vector<uint64_t> curve_ids_;   // hashes of their signatures
  std::vector<uint64_t> output_ids_;  // hashes of the outputs' names
  std::vector<Value> zeros_;          // by output
  std::string end_row_;
  const StateView* view_;
  bool ending_ = false;               // W goes to the end of input ...
  int64_t ended_at_ = 0;              // ... from here
  bool end_stored_ = false;
  std::vector<int64_t> scratch_;      // a block
  std::vector<KeptOutput> kept_;       // of Fallback
  std::vector<Value> fallback_;
  Column column_;
};

}  // namespace rivulet
