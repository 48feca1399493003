#include "operators/window/slice_store.h"

#include <algorithm>

#include "base/coding.h"
#include "base/hash.h"

namespace rivulet {
namespace {

// Rows deleted in one commit for slices that are over.
constexpr size_t kDeletionsPerCommit = 8192;

}  // namespace

SliceStore::SliceStore(const AggregatePlan* plan, const PaneLayouts* layouts, std::string prefix,
                       const StateView* view, KeyShare share)
    : plan_(plan), layouts_(layouts), prefix_(std::move(prefix)), view_(view), share_(share) {}

std::string SliceStore::RowKey(int64_t end, std::string_view key) const {
  std::string row = prefix_;
  PutOrderedI64(&row, end);
  row.append(key);
  return row;
}

void SliceStore::Fail(const Status& status) {
  if (status_.ok()) status_ = status;
}

Status SliceStore::Open() {
  const std::string stop = AfterPrefix(prefix_);
  std::string from = prefix_;
  for (;;) {
    bool found = false;
    int64_t end = 0;
    RIVULET_RETURN_IF_ERROR(view_->Scan(from, stop, [&](std::string_view key, std::string_view) {
      key.remove_prefix(prefix_.size());
      found = GetOrderedI64(&key, &end);
      return false;
    }));
    if (!found) return Status::Ok();
    // No event time comes near the ends of int64 (the source refuses it), so no slice does.
    constexpr int64_t kFarthest = int64_t{1} << 62;
    if (end < -kFarthest || end > kFarthest) {
      return Status(ErrorCode::kCorrupt, "a stored slice of time ends beyond all event times");
    }
    Slice* slice = Touch(end);
    slice->stored = slice->cold = true;
    loaded_until_ = std::max(loaded_until_, end);
    from = AfterPrefix(RowKey(end, ""));
  }
}

Slice* SliceStore::Touch(int64_t end) {
  std::unique_ptr<Slice>& slice = slices_[end];
  if (slice != nullptr) return slice.get();
  slice = std::make_unique<Slice>(plan_);
  // The slice before tells about how many keys there will be. Not more than a few thousand on trust: a slice
  // that stays small must not cost much.
  const auto it = slices_.find(end);
  if (it != slices_.begin()) {
    const size_t panes = std::min<size_t>(std::prev(it)->second->table.size(), 4096);
    slice->table.Reserve(panes);
    slice->dirty.reserve(panes);
  }
  Recount(slice.get());
  return slice.get();
}

Slice* SliceStore::Find(int64_t end) {
  const auto it = slices_.find(end);
  return it == slices_.end() ? nullptr : it->second.get();
}

Pane* SliceStore::Bring(int64_t end, Slice* slice, std::string_view key, uint64_t hash) {
  row_key_.assign(prefix_);
  PutOrderedI64(&row_key_, end);
  row_key_.append(key);
  const Result<bool> found = view_->Get(row_key_, &row_value_);
  if (!found.ok()) {
    Fail(found.status());
    return nullptr;
  }
  if (!*found) return nullptr;
  Pane* pane = slice->table.Add(key, hash);
  const Status status = layouts_->Decode(row_value_, &pane->revision, pane->block());
  if (!status.ok()) {
    plan_->Init(pane->block());
    Fail(status);
  }
  slice->table.CountHeap(0, plan_->HeapBytes(pane->block()));
  Recount(slice);
  return pane;
}

Pane* SliceStore::FindPane(int64_t end, Slice* slice, std::string_view key, uint64_t hash) {
  Pane* pane = slice->table.Find(key, hash);
  if (pane == nullptr && slice->cold) pane = Bring(end, slice, key, hash);
  if (pane != nullptr) pane->flags |= Pane::kRecent;
  return pane;
}

void SliceStore::MarkDirty(Slice* slice, Pane* pane) {
  if ((pane->flags & Pane::kDirty) == 0) {
    slice->dirty.push_back(pane);
    slice->dirty_heap += plan_->HeapBytes(pane->block());
    ++dirty_panes_;
    Recount(slice);
  }
  pane->flags |= Pane::kDirty | Pane::kRecent;
}

Pane* SliceStore::EditPane(int64_t end, Slice* slice, std::string_view key, uint64_t hash,
                           bool* created) {
  Pane* pane = slice->table.Find(key, hash);
  if (pane == nullptr && slice->cold) pane = Bring(end, slice, key, hash);
  *created = pane == nullptr;
  if (pane == nullptr) {
    pane = slice->table.Add(key, hash);
    plan_->Init(pane->block());
    widest_ = std::max(widest_, slice->table.size());
  }
  MarkDirty(slice, pane);
  return pane;
}

void SliceStore::VisitSorted(int64_t end, Slice* slice, const std::string* after,
                             const PaneVisitor& visit) {
  if (sorted_slice_ != slice || sorted_.size() != slice->table.size()) {
    slice->table.Sorted(&sorted_);
    sorted_slice_ = slice;
  }
  const PaneTable& table = slice->table;
  auto next = sorted_.begin();
  if (after != nullptr) {
    next = std::upper_bound(next, sorted_.end(), std::string_view(*after),
                            [&table](std::string_view key, Pane* p) { return key < table.Key(*p); });
  }
  bool more = true;
  const auto visit_memory = [&] {
    Pane* pane = *next++;
    more = visit(table.Key(*pane), pane->hash, *pane);
  };
  if (slice->cold) {
    // Merge the rows with what is in memory; memory is newer where both have a key. Rows are decoded into
    // one scratch pane.
    std::vector<char> scratch(sizeof(Pane) + plan_->block_bytes() + 8);
    Pane* cold = reinterpret_cast<Pane*>(scratch.data());
    const std::string prefix = RowKey(end, "");
    const std::string from = after == nullptr ? prefix : prefix + *after + '\0';
    const Status status =
        view_->Scan(from, AfterPrefix(prefix), [&](std::string_view row, std::string_view value) {
          const std::string_view key = row.substr(prefix.size());
          const uint64_t hash = Hash64(key);
          if (!share_.Owns(hash)) return true;
          while (more && next != sorted_.end() && table.Key(**next) < key) visit_memory();
          if (!more) return false;
          if (next != sorted_.end() && table.Key(**next) == key) return true;
          *cold = Pane{hash, 0, static_cast<uint16_t>(key.size()), 0};
          const Status decoded = layouts_->Decode(value, &cold->revision, cold->block());
          if (!decoded.ok()) {
            Fail(decoded);
            return false;
          }
          more = visit(key, hash, *cold);
          plan_->Destroy(cold->block());
          return more;
        });
    if (!status.ok()) Fail(status);
  }
  while (more && next != sorted_.end()) visit_memory();
}

void SliceStore::Drop(int64_t end) {
  const auto it = slices_.find(end);
  if (it == slices_.end()) return;
  if (it->second->stored) dropped_.push_back({end, RowKey(end, "")});
  dirty_panes_ -= it->second->dirty.size();
  bytes_ -= it->second->counted_bytes;
  panes_ -= it->second->counted_panes;
  sorted_slice_ = nullptr;
  slices_.erase(it);
}

// All instances of an operator pass the same watermark within one commit, so all of them drop a slice in
// the same one: its whole range may go. A deleted row costs the store a copy of its page, so a slice of very
// many rows goes in parts; what a restart finds of it then is dropped again.
void SliceStore::CollectDeletions(StateChanges* changes) {
  size_t left = kDeletionsPerCommit;
  while (!dropped_.empty() && left > 0) {
    Dropped& dropped = dropped_.front();
    const std::string stop = AfterPrefix(RowKey(dropped.end, ""));
    std::string until;
    const Status status =
        view_->Scan(dropped.row, stop, [&](std::string_view row, std::string_view) {
          if (left > 0) {
            --left;
            return true;
          }
          until = row;
          return false;
        });
    if (!status.ok()) return Fail(status);
    changes->DeleteRange(dropped.row, until.empty() ? stop : until);
    if (until.empty()) {
      dropped_.erase(dropped_.begin());
    } else {
      dropped.row = until;
    }
  }
}

void SliceStore::CollectChanges(StateChanges* changes) {
  CollectDeletions(changes);
  for (auto& [end, slice] : slices_) {
    if (slice->dirty.empty()) continue;
    // In key order, so that neighbours in the store are written together.
    std::sort(slice->dirty.begin(), slice->dirty.end(), [&s = *slice](Pane* a, Pane* b) {
      return s.table.Key(*a) < s.table.Key(*b);
    });
    row_key_.assign(prefix_);
    PutOrderedI64(&row_key_, end);
    const size_t fixed = row_key_.size();
    size_t heap = 0;
    for (Pane* pane : slice->dirty) {
      heap += plan_->HeapBytes(pane->block());
      row_key_.resize(fixed);
      row_key_.append(slice->table.Key(*pane));
      row_value_.clear();
      layouts_->Encode(pane->revision, pane->block(), &row_value_);
      changes->Put(row_key_, row_value_);
      pane->flags &= static_cast<uint16_t>(~Pane::kDirty);
    }
    slice->table.CountHeap(slice->dirty_heap, heap);
    slice->dirty_heap = 0;
    slice->dirty.clear();
    slice->stored = true;
    Recount(slice.get());
  }
  dirty_panes_ = 0;
  uncounted_records_ = 0;
}

void SliceStore::Recount(Slice* slice) {
  const size_t bytes =
      slice->table.MemoryBytes() + sizeof(Slice) + slice->dirty.capacity() * sizeof(Pane*) + 80;
  bytes_ += bytes - slice->counted_bytes;
  panes_ += slice->table.size() - slice->counted_panes;
  slice->counted_bytes = bytes;
  slice->counted_panes = slice->table.size();
}

void SliceStore::CountDirtyHeap() {
  uncounted_records_ = 0;
  for (const auto& [end, slice] : slices_) {
    if (slice->dirty.empty()) continue;
    size_t heap = 0;
    for (const Pane* pane : slice->dirty) heap += plan_->HeapBytes(pane->block());
    slice->table.CountHeap(slice->dirty_heap, heap);
    slice->dirty_heap = heap;
    Recount(slice.get());
  }
}

void SliceStore::EvictSlice(Slice* slice, bool spare_recent) {
  const size_t panes = slice->table.size();
  slice->dirty.clear();
  slice->table.Retain([spare_recent](Pane* pane) {
    const bool keep = (pane->flags & Pane::kDirty) != 0 ||
                      (spare_recent && (pane->flags & Pane::kRecent) != 0);
    pane->flags &= static_cast<uint16_t>(~Pane::kRecent);
    return keep;
  });
  slice->table.ForEach([slice](Pane* pane) {
    if ((pane->flags & Pane::kDirty) != 0) slice->dirty.push_back(pane);
  });
  if (slice->table.size() < panes) slice->cold = true;
  slice->dirty.shrink_to_fit();
  Recount(slice);
}

void SliceStore::Evict(size_t target) {
  sorted_slice_ = nullptr;
  const size_t held = MemoryBytes();
  if (held <= target) return;
  // Second chance: what was used since the last time stays, if that is enough. Copying more than that to
  // throw it away right after would need the memory twice.
  size_t panes = 0, recent = 0;
  for (const auto& [end, slice] : slices_) {
    panes += slice->table.size();
    slice->table.ForEach([&recent](Pane* p) { recent += (p->flags & Pane::kRecent) != 0 ? 1 : 0; });
  }
  const bool spare_recent = panes > 0 && held / panes * recent <= target;
  for (auto& [end, slice] : slices_) EvictSlice(slice.get(), spare_recent);
}

}  // namespace rivulet
