#include "operators/window/pane_table.h"

#include <algorithm>
#include <bit>

namespace rivulet {

PaneTable::PaneTable(const AggregatePlan* plan) : plan_(plan) {}

PaneTable::~PaneTable() {
  if (!plan_->has_heap()) return;
  ForEach([this](Pane* pane) { plan_->Destroy(pane->block()); });
}

Pane* PaneTable::Add(std::string_view key, uint64_t hash) {
  if ((count_ + 1) * 4 > slots_.size() * 3) Grow(slots_.empty() ? 16 : slots_.size() * 2);
  const uint32_t unit = Allocate(Units(key.size()));
  Pane* pane = At(unit);
  pane->hash = hash;
  pane->revision = 0;
  pane->key_length = static_cast<uint16_t>(key.size());
  pane->flags = 0;
  std::memcpy(pane->block() + plan_->block_bytes(), key.data(), key.size());
  size_t i = hash & mask_;
  while (slots_[i] != 0) i = (i + 1) & mask_;
  slots_[i] = unit;
  ++count_;
  return pane;
}

uint32_t PaneTable::Allocate(uint64_t units) {
  for (;;) {
    // A pane must lie within one chunk: skip to the next when it does not fit.
    const uint64_t u = used_units_ + kFirstUnits;
    const int c = 63 - __builtin_clzll(u) - 6;
    const uint64_t end = kFirstUnits << (c + 1);
    if (static_cast<size_t>(c) == chunks_.size()) {
      chunks_.push_back(std::make_unique_for_overwrite<char[]>((kFirstUnits << c) * 8));
    }
    if (u + units <= end) {
      used_units_ += units;
      return static_cast<uint32_t>(u - kFirstUnits);
    }
    // Mark the rest of the chunk so that ForEach steps over it.
    gaps_.push_back({static_cast<uint32_t>(used_units_), static_cast<uint32_t>(end - u)});
    used_units_ = end - kFirstUnits;
  }
}

void PaneTable::Reserve(size_t panes) {
  if (count_ > 0 || panes == 0) return;
  Grow(std::bit_ceil(std::max<size_t>(16, panes * 4 / 3 + 1)));
}

void PaneTable::Grow(size_t size) {
  slots_.assign(size, 0);
  slots_.shrink_to_fit();
  mask_ = size - 1;
  ForEachUnit([&](uint32_t unit) {
    size_t i = At(unit)->hash & mask_;
    while (slots_[i] != 0) i = (i + 1) & mask_;
    slots_[i] = unit;
  });
}

void PaneTable::Sorted(std::vector<Pane*>* panes) const {
  panes->clear();
  panes->reserve(count_);
  ForEach([panes](Pane* pane) { panes->push_back(pane); });
  std::sort(panes->begin(), panes->end(),
            [this](const Pane* a, const Pane* b) { return Key(*a) < Key(*b); });
}

void PaneTable::Swap(PaneTable* other) {
  slots_.swap(other->slots_);
  std::swap(mask_, other->mask_);
  std::swap(count_, other->count_);
  chunks_.swap(other->chunks_);
  gaps_.swap(other->gaps_);
  std::swap(used_units_, other->used_units_);
  std::swap(heap_bytes_, other->heap_bytes_);
}

void PaneTable::Forget() {
  slots_.clear();
  chunks_.clear();
  gaps_.clear();
  count_ = 0;
  used_units_ = 1;
}

}  // namespace rivulet
