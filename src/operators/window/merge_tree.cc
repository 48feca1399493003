#include "operators/window/merge_tree.h"

#include <algorithm>

#include "base/types.h"

namespace rivulet {

MergeTree::MergeTree(const AggregatePlan* plan, SliceStore* store, int64_t slice_us,
                     int64_t offset_us, Fill fill)
    : plan_(plan), store_(store), slice_us_(slice_us), offset_us_(offset_us), fill_(fill) {}

int64_t MergeTree::SliceNumber(int64_t slice_end) const {
  return (slice_end - offset_us_) / slice_us_ - 1;
}

int64_t MergeTree::SliceEnd(int64_t number) const { return (number + 1) * slice_us_ + offset_us_; }

std::vector<MergeTree::NodeId> MergeTree::Cover(int64_t first, int64_t last) {
  std::vector<NodeId> cover;
  while (first <= last) {
    int level = 0;
    while (level < 40 && (first & ((int64_t{2} << level) - 1)) == 0 &&
           first + (int64_t{2} << level) - 1 <= last) {
      ++level;
    }
    cover.emplace_back(level, first >> level);
    first += int64_t{1} << level;
  }
  return cover;
}

bool MergeTree::AnySlice(int64_t first, int64_t last) const {
  const auto it = store_->slices().lower_bound(SliceEnd(first));
  return it != store_->slices().end() && it->first <= SliceEnd(last);
}

void MergeTree::MergePane(PaneTable* into, std::string_view key, uint64_t hash, const char* block) {
  Pane* pane = into->Find(key, hash);
  if (pane == nullptr) {
    pane = into->Add(key, hash);
    plan_->Init(pane->block());
  }
  plan_->Merge(pane->block(), block);
}

void MergeTree::MergeInto(PaneTable* into, NodeId child) {
  if (child.first > 0) {
    if (PaneTable* node = Node(child)) {
      node->ForEach([&](Pane* p) { MergePane(into, node->Key(*p), p->hash, p->block()); });
    }
    return;
  }
  const int64_t end = SliceEnd(child.second);
  Slice* slice = store_->Find(end);
  if (slice == nullptr) return;
  if (!slice->cold) {
    slice->table.ForEach(
        [&](Pane* p) { MergePane(into, slice->table.Key(*p), p->hash, p->block()); });
    return;
  }
  store_->VisitSorted(end, slice, nullptr,
                      [&](std::string_view key, uint64_t hash, const Pane& p) {
                        MergePane(into, key, hash, p.block());
                        return true;
                      });
}

PaneTable* MergeTree::Node(NodeId id) {
  const auto [level, index] = id;
  if (!AnySlice(index << level, ((index + 1) << level) - 1)) return nullptr;
  const auto it = nodes_.find(id);
  if (it != nodes_.end()) return it->second.get();
  auto table = std::make_unique<PaneTable>(plan_);
  MergeInto(table.get(), {level - 1, index * 2});
  MergeInto(table.get(), {level - 1, index * 2 + 1});
  if (plan_->has_heap()) {
    size_t heap = 0;
    table->ForEach([&](Pane* p) { heap += plan_->HeapBytes(p->block()); });
    table->CountHeap(0, heap);
  }
  return (nodes_[id] = std::move(table)).get();
}

void MergeTree::VisitWindow(int64_t first, int64_t last, const Visitor& visit) {
  PaneTable merged(plan_);
  for (const NodeId& id : Cover(first, last)) MergeInto(&merged, id);
  std::vector<Pane*> sorted;
  merged.Sorted(&sorted);
  for (const Pane* p : sorted) visit(merged.Key(*p), p->hash, p->block());
}

bool MergeTree::MergeKeyFrom(NodeId id, std::string_view key, uint64_t hash, char* block) {
  const Pane* pane = nullptr;
  if (id.first > 0 && fill_ == Fill::kByKey) {
    pane = KeyPane(id, key, hash);
  } else if (id.first > 0) {
    PaneTable* node = Node(id);
    if (node != nullptr) pane = node->Find(key, hash);
  } else {
    const int64_t end = SliceEnd(id.second);
    Slice* slice = store_->Find(end);
    if (slice != nullptr) pane = store_->FindPane(end, slice, key, hash);
  }
  if (pane == nullptr) return false;
  plan_->Merge(block, pane->block());
  return true;
}

// That a key has no data is kept too, as a pane with this mark where others have their revision.
constexpr uint32_t kNoData = 1;

const Pane* MergeTree::KeyPane(NodeId id, std::string_view key, uint64_t hash) {
  const auto [level, index] = id;
  if (!AnySlice(index << level, ((index + 1) << level) - 1)) return nullptr;
  std::unique_ptr<PaneTable>& table = nodes_[id];
  if (table == nullptr) table = std::make_unique<PaneTable>(plan_);
  Pane* pane = table->Find(key, hash);
  if (pane == nullptr) {
    pane = table->Add(key, hash);
    plan_->Init(pane->block());
    const bool left = MergeKeyFrom({level - 1, index * 2}, key, hash, pane->block());
    const bool right = MergeKeyFrom({level - 1, index * 2 + 1}, key, hash, pane->block());
    pane->revision = left || right ? 0 : kNoData;
    table->CountHeap(0, plan_->HeapBytes(pane->block()));
  }
  return pane->revision == kNoData ? nullptr : pane;
}

bool MergeTree::MergeKey(int64_t first, int64_t last, std::string_view key, uint64_t hash,
                         char* block) {
  plan_->Init(block);
  bool any = false;
  for (const NodeId& id : Cover(first, last)) any = MergeKeyFrom(id, key, hash, block) || any;
  return any;
}

void MergeTree::Refresh(int64_t number, std::string_view key, uint64_t hash) {
  for (int level = 1; level <= 40; ++level) {
    const int64_t index = number >> level;
    const auto it = nodes_.find({level, index});
    if (it == nodes_.end()) continue;
    PaneTable& table = *it->second;
    Pane* pane = table.Find(key, hash);
    if (pane == nullptr && fill_ == Fill::kByKey) continue;  // made when it is asked for
    size_t before = 0;
    if (pane == nullptr) {
      pane = table.Add(key, hash);
    } else {
      before = plan_->HeapBytes(pane->block());
      plan_->Destroy(pane->block());
    }
    pane->revision = 0;
    plan_->Init(pane->block());
    MergeKeyFrom({level - 1, index * 2}, key, hash, pane->block());
    MergeKeyFrom({level - 1, index * 2 + 1}, key, hash, pane->block());
    table.CountHeap(before, plan_->HeapBytes(pane->block()));
  }
}

void MergeTree::Forget(int64_t first) {
  for (auto it = nodes_.begin(); it != nodes_.end();) {
    const auto [level, index] = it->first;
    it = ((index + 1) << level) <= first ? nodes_.erase(it) : std::next(it);
  }
}

void MergeTree::Shrink(size_t target) {
  // Nodes are ordered by level.
  size_t held = MemoryBytes();
  while (held > target && !nodes_.empty()) {
    const size_t bytes = nodes_.begin()->second->MemoryBytes() + 96;
    held -= std::min(held, bytes);
    nodes_.erase(nodes_.begin());
  }
}

size_t MergeTree::MemoryBytes() const {
  size_t bytes = 0;
  for (const auto& [id, table] : nodes_) bytes += table->MemoryBytes() + 96;
  return bytes;
}

}  // namespace rivulet
