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
  if (body_ == nullptr) Grow(16);
  if ((body_->count + 1) * 4 > body_->slots.size() * 3) Grow(body_->slots.size() * 2);
  const uint32_t unit = Allocate(Units(key.size()));
  Pane* pane = At(unit);
  pane->hash = hash;
  pane->revision = 0;
  pane->key_length = static_cast<uint16_t>(key.size());
  pane->flags = 0;
  std::memcpy(pane->block() + plan_->block_bytes(), key.data(), key.size());
  size_t i = hash & body_->mask;
  while (body_->slots[i] != 0) i = (i + 1) & body_->mask;
  body_->slots[i] = unit;
  ++body_->count;
  return pane;
}

uint32_t PaneTable::Allocate(uint64_t units) {
  for (;;) {
    // A pane must lie within one chunk: skip to the next when it does not fit.
    const uint64_t u = body_->used_units + kFirstUnits;
    const int c = 63 - __builtin_clzll(u) - kFirstUnitsLog2;
    const uint64_t end = kFirstUnits << (c + 1);
    const bool fits = u + units <= end;
    if (static_cast<size_t>(c) == body_->chunks.size()) {
      const size_t bytes = (kFirstUnits << c) * 8;
      body_->chunks.push_back(fits ? std::make_unique_for_overwrite<char[]>(bytes) : nullptr);
      if (fits) body_->arena_bytes += bytes;
    }
    if (fits) {
      body_->used_units += units;
      return static_cast<uint32_t>(u - kFirstUnits);
    }
    // Mark the rest of the chunk so that ForEach steps over it.
    body_->gaps.push_back({static_cast<uint32_t>(body_->used_units), static_cast<uint32_t>(end - u)});
    body_->used_units = end - kFirstUnits;
  }
}

void PaneTable::Reserve(size_t panes) {
  if (size() > 0 || panes == 0) return;
  Grow(std::bit_ceil(std::max<size_t>(16, panes * 4 / 3 + 1)));
}

void PaneTable::Grow(size_t size) {
  if (body_ == nullptr) body_ = std::make_unique<Body>();
  body_->slots.assign(size, 0);
  body_->slots.shrink_to_fit();
  body_->mask = size - 1;
  ForEachUnit([&](uint32_t unit) {
    size_t i = At(unit)->hash & body_->mask;
    while (body_->slots[i] != 0) i = (i + 1) & body_->mask;
    body_->slots[i] = unit;
  });
}

void PaneTable::Sorted(std::vector<Pane*>* panes) const {
  panes->clear();
  panes->reserve(size());
  ForEach([panes](Pane* pane) { panes->push_back(pane); });
  std::sort(panes->begin(), panes->end(),
            [this](const Pane* a, const Pane* b) { return Key(*a) < Key(*b); });
}

}  // namespace rivulet
