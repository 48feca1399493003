// MergeTree: merged panes over runs of slices, so that a sliding window of n slices is put together from
// about 2 log2 n parts instead of n.
//
// Node (level, index) covers the slices with numbers [index << level, (index + 1) << level). Its panes are
// the merge of its two children's, so the value of a window depends only on its slices' contents and on this
// fixed tree - never on when, in which batch or after which restart it was computed: float sums come out
// the same to the last bit. Nodes are a cache: any of them can be dropped and made again.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "operators/aggregate/aggregate_plan.h"
#include "operators/window/pane_table.h"
#include "operators/window/slice_store.h"

namespace rivulet {

class MergeTree {
 public:
  // How nodes are filled: at once for all keys, which needs slices that are complete for all of them, or key
  // by key as MergeKey asks for them, for keys whose slices are complete at different times.
  enum class Fill : uint8_t { kWhole, kByKey };
  // Slice number s ends at offset + (s + 1) * slice_us.
  MergeTree(const AggregatePlan* plan, SliceStore* store, int64_t slice_us, int64_t offset_us,
            Fill fill = Fill::kWhole);

  int64_t SliceNumber(int64_t slice_end) const;
  int64_t SliceEnd(int64_t number) const;

  // Merged panes of the slices [first, last], in key order. The slices must be complete: records that come
  // for them afterwards have to be told by Refresh. Only with Fill::kWhole.
  using Visitor = std::function<void(std::string_view key, uint64_t hash, const char* block)>;
  void VisitWindow(int64_t first, int64_t last, const Visitor& visit);

  // The merged block of one key over [first, last]; false when the key has no pane in any of them. `block`
  // is initialised either way; the caller destroys it.
  bool MergeKey(int64_t first, int64_t last, std::string_view key, uint64_t hash, char* block);

  // The pane of `key` in slice `number` has changed: makes the nodes above it right again.
  void Refresh(int64_t number, std::string_view key, uint64_t hash);

  // Drops nodes that lie wholly before slice `first`.
  void Forget(int64_t first);
  size_t MemoryBytes() const;
  // Drops nodes, the lowest levels first as they are the cheapest to make again, until at most `target`
  // bytes are held.
  void Shrink(size_t target);

 private:
  using NodeId = std::pair<int, int64_t>;  // level, index

  // Cuts [first, last] into the largest aligned nodes, left to right.
  static std::vector<NodeId> Cover(int64_t first, int64_t last);
  bool AnySlice(int64_t first, int64_t last) const;
  // The node's panes (level >= 1), made if need be. Null when no slice in it has data.
  PaneTable* Node(NodeId id);
  void MergeInto(PaneTable* into, NodeId child);
  void MergePane(PaneTable* into, std::string_view key, uint64_t hash, const char* block);
  bool MergeKeyFrom(NodeId id, std::string_view key, uint64_t hash, char* block);
  // Fill::kByKey: the key's pane in the node (level >= 1), made if need be; null when it has no data there.
  const Pane* KeyPane(NodeId id, std::string_view key, uint64_t hash);

  const AggregatePlan* plan_;
  SliceStore* store_;
  int64_t slice_us_, offset_us_;
  Fill fill_;
  std::map<NodeId, std::unique_ptr<PaneTable>> nodes_;
};

}  // namespace rivulet
