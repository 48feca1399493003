// CountWindows: windows of so many records of a key, one after the other or moving by a few records.
//
// Records count in the order they arrive at the key's partition, which is that of the input; event time
// and W have no part in it, and no record is late. Window k of a key holds its records [k slide, k slide
// + count), and is put out with the record that fills it, ordered as a revision is. Records are gathered
// in slices of gcd(count, slide), of which a window is merged: a record is added once however many
// windows overlap. A window that is never filled is never put out; its records stay in the state.
//
// With `keep` a key is forgotten when W has passed its last use by that: the later of its record's time and
// the W it met. Whether a record finds it over follows from that alone; a timer takes it out of the state.
#pragma once

#include <string>
#include <vector>

#include "operators/window/batch_accumulator.h"
#include "operators/window/key_rows.h"
#include "operators/window/window_operator.h"

namespace rivulet {

class CountWindows final : public WindowOperator {
 public:
  CountWindows(const WindowSpec& spec, const AggregatePlan* plan, const PaneLayouts* layouts,
               std::string prefix, const StateView* view, KeyShare share, const FirePoint& fired);

  void Process(const KeyedRecords& input, ResultSink* sink) override;
  void Advance(const FirePoint& point, ResultSink* sink) override;
  FirePoint NextPoint(int64_t watermark, size_t limit) override;
  StateOwner& state() override { return rows_; }

 private:
  void AddRecord(const KeyedRecords& input, uint32_t row, ResultSink* sink);
  // The slice that takes the key's next record.
  WindowPart* Slice(KeyWindows* key, int64_t time);
  void Emit(const KeyWindows& key, const ResultOrder& order, ResultSink* sink);

  uint64_t slice_records_;
  size_t slices_;               // of a window
  KeyRows rows_;
  std::vector<int64_t> scratch_block_;
};

}  // namespace rivulet
