#include "operators/window/slice_store.h"

#include <algorithm>

#include "base/coding.h"
#include "base/hash.h"

namespace rivulet {
namespace {

// The smallest string greater than every string that starts with `prefix`.
std::string AfterPrefix(std::string prefix) {
  while (!prefix.empty()) {
    if (static_cast<unsigned char>(prefix.back()) != 0xff) {
      ++prefix.back();
      return prefix;
    }
    prefix.pop_back();
  }
  return prefix;
}

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

Status SliceStore::Load() {
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
    Slice* slice = Touch(end);
    slice->stored = slice->cold = true;
    from = AfterPrefix(RowKey(end, ""));
  }
}

Slice* SliceStore::Touch(int64_t end) {
  std::unique_ptr<Slice>& slice = slices_[end];
  if (slice == nullptr) slice = std::make_unique<Slice>(plan_);
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
  return pane;
}

Pane* SliceStore::FindPane(int64_t end, Slice* slice, std::string_view key, uint64_t hash) {
  Pane* pane = slice->table.Find(key, hash);
  if (pane == nullptr && slice->cold) pane = Bring(end, slice, key, hash);
  if (pane != nullptr) pane->flags |= Pane::kRecent;
  return pane;
}

void SliceStore::MarkDirty(Slice* slice, Pane* pane) {
  if ((pane->flags & Pane::kDirty) == 0) slice->dirty.push_back(pane);
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
  }
  MarkDirty(slice, pane);
  return pane;
}

void SliceStore::VisitSorted(int64_t end, Slice* slice, const PaneVisitor& visit) {
  slice->table.Sorted(&sorted_);
  size_t next = 0;
  const auto visit_memory = [&] {
    Pane* pane = sorted_[next++];
    visit(slice->table.Key(*pane), pane->hash, *pane);
  };
  if (slice->cold) {
    // Merge the rows with what is in memory; memory is newer where both have a key. Pairs are
    // decoded into one scratch pane.
    std::vector<char> scratch(sizeof(Pane) + plan_->block_bytes() + 8);
    Pane* cold = reinterpret_cast<Pane*>(scratch.data());
    const std::string from = RowKey(end, "");
    const Status status =
        view_->Scan(from, AfterPrefix(from), [&](std::string_view row, std::string_view value) {
          const std::string_view key = row.substr(from.size());
          const uint64_t hash = Hash64(key);
          if (!share_.Owns(hash)) return true;
          while (next < sorted_.size() && slice->table.Key(*sorted_[next]) < key) visit_memory();
          if (next < sorted_.size() && slice->table.Key(*sorted_[next]) == key) return true;
          *cold = Pane{hash, 0, static_cast<uint16_t>(key.size()), 0};
          const Status decoded = layouts_->Decode(value, &cold->revision, cold->block());
          if (!decoded.ok()) {
            Fail(decoded);
            return false;
          }
          visit(key, hash, *cold);
          plan_->Destroy(cold->block());
          return true;
        });
    if (!status.ok()) Fail(status);
  }
  while (next < sorted_.size()) visit_memory();
}

void SliceStore::Drop(int64_t end) {
  const auto it = slices_.find(end);
  if (it == slices_.end()) return;
  if (it->second->stored) dropped_.push_back(end);
  slices_.erase(it);
}

void SliceStore::CollectChanges(StateChanges* changes) {
  for (const int64_t end : dropped_) {
    // All instances of an operator pass the same watermark within one commit, so all of them drop
    // the slice in this one: its whole range may go.
    const std::string from = RowKey(end, "");
    changes->DeleteRange(from, AfterPrefix(from));
  }
  dropped_.clear();
  for (auto& [end, slice] : slices_) {
    if (slice->dirty.empty()) continue;
    // In key order, so that neighbours in the store are written together.
    std::sort(slice->dirty.begin(), slice->dirty.end(), [&s = *slice](Pane* a, Pane* b) {
      return s.table.Key(*a) < s.table.Key(*b);
    });
    row_key_.assign(prefix_);
    PutOrderedI64(&row_key_, end);
    const size_t fixed = row_key_.size();
    for (Pane* pane : slice->dirty) {
      row_key_.resize(fixed);
      row_key_.append(slice->table.Key(*pane));
      row_value_.clear();
      layouts_->Encode(pane->revision, pane->block(), &row_value_);
      changes->Put(row_key_, row_value_);
      pane->flags &= static_cast<uint16_t>(~Pane::kDirty);
    }
    slice->dirty.clear();
    slice->stored = true;
  }
}

size_t SliceStore::MemoryBytes() const {
  size_t bytes = 0;
  for (const auto& [end, slice] : slices_) {
    bytes += slice->table.MemoryBytes() + sizeof(Slice) + 64;
  }
  return bytes;
}

size_t SliceStore::PanesInMemory() const {
  size_t panes = 0;
  for (const auto& [end, slice] : slices_) panes += slice->table.size();
  return panes;
}

void SliceStore::Evict(size_t target) {
  // Two passes of second chance: first what was not used since the last eviction, then the rest.
  for (const bool spare_recent : {true, false}) {
    size_t held = MemoryBytes();
    for (auto& [end, slice] : slices_) {
      if (held <= target) return;
      const size_t before = slice->table.MemoryBytes();
      const size_t panes = slice->table.size();
      slice->dirty.clear();
      slice->table.Retain([&](Pane* pane) {
        const bool dirty = (pane->flags & Pane::kDirty) != 0;
        const bool keep = dirty || (spare_recent && (pane->flags & Pane::kRecent) != 0);
        pane->flags &= static_cast<uint16_t>(~Pane::kRecent);
        return keep;
      });
      slice->table.ForEach([&](Pane* pane) {
        if ((pane->flags & Pane::kDirty) != 0) slice->dirty.push_back(pane);
      });
      if (slice->table.size() < panes) slice->cold = true;
      held -= before - std::min(before, slice->table.MemoryBytes());
    }
  }
}

}  // namespace rivulet
