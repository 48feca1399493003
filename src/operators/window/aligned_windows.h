// AlignedWindows: tumbling, sliding and cumulating windows. Records go into slices of gcd(size, slide); a
// tumbling window is one slice, the others are merged from their slices when they close, so the cost of a
// record does not depend on how many windows it belongs to. A cumulating window [s, s + k slide) is treated
// as a sliding one that begins where its size began.
#pragma once

#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "operators/window/batch_accumulator.h"
#include "operators/window/merge_tree.h"
#include "operators/window/window_operator.h"

namespace rivulet {

class AlignedWindows : public WindowOperator, protected StateOwner {
 public:
  AlignedWindows(const WindowSpec& spec, const AggregatePlan* plan, const PaneLayouts* layouts,
                 std::string prefix, const StateView* view, KeyShare share,
                 const FirePoint& fired);

  void Process(const KeyedRecords& input, ResultSink* sink) override;
  void Advance(const FirePoint& point, ResultSink* sink) override;
  FirePoint NextPoint(int64_t watermark, size_t limit) override;
  StateOwner& state() override { return *this; }

 protected:  // for ClockedWindows, in which keys have a time of their own
  // Slices, what is merged of them, revisions.
  Status Open() override;
  void CollectChanges(StateChanges* changes) override;
  size_t MemoryBytes() const override;
  void Evict(size_t target) override;
  size_t EntriesInMemory() const override { return store_.EntriesInMemory(); }
  size_t DirtyRows() const override { return store_.DirtyRows() + dirty_revisions_.size(); }
  const Status& status() const override { return store_.status(); }

  // A slice and the windows it belongs to.
  struct Place {
    int64_t start = 0, end = 0;            // of the slice
    int64_t first_window = 0, last_window = 0;  // ends of the earliest and latest window with it
    Slice* slice = nullptr;                // null until the first record goes in
  };
  Place Locate(int64_t t) const;
  int64_t FirstWindow(int64_t slice_end) const;
  int64_t LastWindow(int64_t slice_start) const;
  int64_t WindowStart(int64_t end) const;
  bool sliding() const { return spec_.slide_us != spec_.size_us; }

  void AddOnTime(const KeyedRecords& input, uint32_t row);
  void AddLate(const KeyedRecords& input, uint32_t row, ResultSink* sink);
  // For a record at place_, of whose windows the first has closed at `watermark`.
  void JoinOrRefuse(const KeyedRecords& input, uint32_t row, const ResultOrder& order,
                    int64_t watermark, ResultSink* sink);
  void ReviseTumbling(const KeyedRecords& input, uint32_t row, const ResultOrder& order,
                      ResultSink* sink);
  void ReviseSliding(const KeyedRecords& input, uint32_t row, const ResultOrder& order,
                     int64_t watermark, ResultSink* sink);
  void CloseTumbling(const FirePoint& point, ResultSink* sink);
  FirePoint NextPointInSlices(int64_t watermark, size_t limit);
  FirePoint NextPointInWindows(int64_t watermark, size_t limit);
  // The end of the first window after `after` that has data; false when there is none.
  bool NextWindow(int64_t after, int64_t* end) const;
  // The key up to which the slice that ends at `end` has been fired; null: none.
  const std::string* FiredKey(int64_t end) const {
    return !partial_.whole && partial_.time == end ? &partial_.key : nullptr;
  }
  void CloseSliding(int64_t watermark, ResultSink* sink);
  void Purge(int64_t watermark);

  // Revisions of sliding windows, which have no pane of their own to keep them in.
  using RevisionId = std::pair<int64_t, std::string>;  // window end, key
  std::string RevisionRow(int64_t end, std::string_view key) const;
  // The revision last emitted; -1: not emitted so far as is recorded.
  int64_t LastRevision(const RevisionId& id);

  int64_t slice_us_;
  std::string revision_prefix_;
  const StateView* view_;
  SliceStore store_;
  MergeTree tree_;
  int64_t forgotten_;      // last time the tree was pruned
  size_t last_results_ = 0;  // of the window closed last, when sliding
  Place place_;            // where the last record went
  std::map<RevisionId, uint32_t> revisions_;
  std::set<RevisionId> dirty_revisions_;
  bool stored_revisions_ = false;
  int64_t purged_ = std::numeric_limits<int64_t>::min();  // revisions of windows that ended before are gone
  std::vector<int64_t> scratch_block_;
};

}  // namespace rivulet
