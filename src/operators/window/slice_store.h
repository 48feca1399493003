// SliceStore: the panes of a window operator, grouped into slices of event time; a bounded number in
// memory, the rest as rows of the state store, coming back on access.
//
// One row a pane:   prefix | slice end (8 bytes, ordered) | key   ->   layout | revision | block
// So a slice is one contiguous range of rows in the order results are emitted, and dropping a slice is
// one range deletion.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "operators/aggregate/aggregate_plan.h"
#include "operators/state/key_share.h"
#include "operators/state/state_owner.h"
#include "operators/state/state_view.h"
#include "operators/window/pane_layout.h"
#include "operators/window/pane_table.h"

namespace rivulet {

struct Slice {
  explicit Slice(const AggregatePlan* plan) : table(plan) {}
  PaneTable table;
  std::vector<Pane*> dirty;      // panes changed since the last CollectChanges
  size_t dirty_heap = 0;         // what they held outside their blocks when last counted
  bool stored = false;           // rows of this slice may exist in the store
  bool cold = false;             // some stored rows may not be in `table`

 private:
  friend class SliceStore;
  size_t counted_bytes = 0, counted_panes = 0;  // its part of the store's sums
};

// One thread. Errors of the store are kept in status(); after one, results are not to be trusted and
// the caller must stop the pipeline.
class SliceStore final : public StateOwner {
 public:
  // `prefix` names the operator's rows. `view` must outlive this.
  SliceStore(const AggregatePlan* plan, const PaneLayouts* layouts, std::string prefix,
             const StateView* view, KeyShare share);

  // Learns which slices have stored rows. Cost: one seek a slice, whatever the number of keys.
  Status Open() override;

  // The slice that ends at `end`; created when absent.
  Slice* Touch(int64_t end);
  // Null when there is none.
  Slice* Find(int64_t end);
  const std::map<int64_t, std::unique_ptr<Slice>>& slices() const { return slices_; }

  // The pane of a key in a slice, brought back from the store if need be; null when there is none.
  Pane* FindPane(int64_t end, Slice* slice, std::string_view key, uint64_t hash);
  // The same, creating an empty one. Marks it dirty: the caller is about to change it.
  Pane* EditPane(int64_t end, Slice* slice, std::string_view key, uint64_t hash, bool* created);

  // Visits this instance's panes of a slice in key order, stored ones included without keeping them in
  // memory, from the first key behind `*after` (null: from the first), until `visit` returns false.
  using PaneVisitor = std::function<bool(std::string_view key, uint64_t hash, const Pane& pane)>;
  void VisitSorted(int64_t end, Slice* slice, const std::string* after, const PaneVisitor& visit);

  // Forgets a slice and its rows.
  void Drop(int64_t end);

  void CollectChanges(StateChanges* changes) override;
  size_t MemoryBytes() const override { return bytes_; }
  void Evict(size_t target) override;
  // Of panes.
  size_t EntriesInMemory() const override { return panes_; }
  size_t DirtyRows() const override { return dirty_panes_; }
  const Status& status() const override { return status_; }

  // So many records were added to blocks. What changed blocks hold outside themselves is counted anew once in
  // a while, so that it costs little a record: MemoryBytes is behind by at most as many records as there are
  // changed panes, or 8192.
  void AddedRecords(size_t records) {
    if (!plan_->has_heap()) return;
    uncounted_records_ += records;
    if (uncounted_records_ >= std::max<size_t>(8192, dirty_panes_)) CountDirtyHeap();
  }

  // About how many panes the largest slice has. Of slices from before a restart `unknown` is assumed.
  size_t WidestSlice(size_t unknown) const {
    const bool known = slices_.empty() || slices_.begin()->first > loaded_until_;
    return known ? widest_ : std::max(widest_, unknown);
  }

 private:
  void CollectDeletions(StateChanges* changes);
  void EvictSlice(Slice* slice, bool spare_recent);
  std::string RowKey(int64_t end, std::string_view key) const;
  Pane* Bring(int64_t end, Slice* slice, std::string_view key, uint64_t hash);
  void MarkDirty(Slice* slice, Pane* pane);
  // To be called when a slice's table or list has changed its size.
  void Recount(Slice* slice);
  void CountDirtyHeap();
  void Fail(const Status& status);

  const AggregatePlan* plan_;
  const PaneLayouts* layouts_;
  std::string prefix_;
  const StateView* view_;
  KeyShare share_;
  std::map<int64_t, std::unique_ptr<Slice>> slices_;
  // Slices whose rows are to be deleted, from `row` on: large ones go over several commits.
  struct Dropped {
    int64_t end;
    std::string row;
  };
  std::vector<Dropped> dropped_;
  Status status_;
  std::string row_key_, row_value_;  // scratch
  // The slice last visited, sorted; kept as a large one is visited in steps. Null: none.
  std::vector<Pane*> sorted_;
  const Slice* sorted_slice_ = nullptr;
  size_t dirty_panes_ = 0;
  size_t bytes_ = 0, panes_ = 0;       // of all slices
  size_t uncounted_records_ = 0;
  size_t widest_ = 0;
  int64_t loaded_until_ = std::numeric_limits<int64_t>::min();  // ends of slices found by Open
};

}  // namespace rivulet
