// PaneTable: the panes of one slice of time, by key. A pane is one key's accumulator block.
//
// Open addressing over 32-bit references into a bump arena: no allocation per record, stable pane
// addresses, about 40 bytes of overhead a pane.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "operators/aggregate/aggregate_plan.h"

namespace rivulet {

// Lives in the table's arena: this header, then the accumulator block, then the key's bytes.
struct Pane {
  enum Flag : uint16_t {
    kDirty = 1,    // differs from the stored row, or has none
    kRecent = 2,   // used since the last eviction pass
  };
  uint64_t hash;
  uint32_t revision;
  uint16_t key_length;
  uint16_t flags;

  char* block() { return reinterpret_cast<char*>(this + 1); }
  const char* block() const { return reinterpret_cast<const char*>(this + 1); }
};
static_assert(sizeof(Pane) == 16);

class PaneTable {
 public:
  explicit PaneTable(const AggregatePlan* plan);
  ~PaneTable();
  PaneTable(const PaneTable&) = delete;
  PaneTable& operator=(const PaneTable&) = delete;

  // Makes room in the index of an empty table for about `panes` panes.
  void Reserve(size_t panes);

  // Null when the key has no pane here. `hash` is Hash64(key).
  Pane* Find(std::string_view key, uint64_t hash) const {
    if (body_ == nullptr) return nullptr;
    const Body& body = *body_;
    for (size_t i = hash & body.mask;; i = (i + 1) & body.mask) {
      const uint32_t ref = body.slots[i];
      if (ref == 0) return nullptr;
      Pane* pane = At(ref);
      if (pane->hash == hash && Key(*pane) == key) return pane;
    }
  }
  // Adds a pane for a key that has none: header cleared, block NOT initialised.
  Pane* Add(std::string_view key, uint64_t hash);

  std::string_view Key(const Pane& pane) const {
    return {pane.block() + plan_->block_bytes(), pane.key_length};
  }

  size_t size() const { return body_ == nullptr ? 0 : body_->count; }
  // Memory held by index and arena, with what the allocator adds, and what CountHeap was told about.
  size_t MemoryBytes() const {
    if (body_ == nullptr) return 0;
    return sizeof(Body) + 16 + body_->slots.capacity() * sizeof(uint32_t) + body_->arena_bytes +
           body_->chunks.size() * 24 + heap_bytes_;
  }
  // What some panes' blocks hold outside themselves was `before` bytes and is `after` now.
  void CountHeap(size_t before, size_t after) { heap_bytes_ += after - before; }

  // All panes, in the order they were added.
  template <typename Visit>
  void ForEach(Visit visit) const {
    ForEachUnit([&](uint32_t unit) { visit(At(unit)); });
  }
  // Panes ordered by key; the pointers stay valid until Retain or destruction.
  void Sorted(std::vector<Pane*>* panes) const;

  // Rebuilds the table with only the panes for which `keep` is true; others, which must not have changed
  // since they were counted, are destroyed.
  template <typename Keep>
  void Retain(Keep keep) {
    PaneTable rest(plan_);
    ForEach([&](Pane* pane) {
      if (!keep(pane)) {
        heap_bytes_ -= std::min(heap_bytes_, plan_->HeapBytes(pane->block()));
        plan_->Destroy(pane->block());
        return;
      }
      Pane* copy = rest.Add(Key(*pane), pane->hash);
      copy->revision = pane->revision;
      copy->flags = pane->flags;
      std::memcpy(copy->block(), pane->block(), plan_->block_bytes());  // moves any heap parts
    });
    body_ = std::move(rest.body_);
  }

 private:
  // Chunk c holds kFirstUnits << c units of 8 bytes; unit numbers run on from chunk to chunk. The first is
  // small, as there may be very many slices with a pane or two each.
  static constexpr int kFirstUnitsLog2 = 4;
  static constexpr uint64_t kFirstUnits = uint64_t{1} << kFirstUnitsLog2;

  Pane* At(uint32_t unit) const {
    const uint64_t u = unit + kFirstUnits;
    const int c = 63 - __builtin_clzll(u) - kFirstUnitsLog2;
    return reinterpret_cast<Pane*>(body_->chunks[static_cast<size_t>(c)].get() +
                                   (u - (kFirstUnits << c)) * 8);
  }
  uint64_t Units(size_t key_length) const {
    return (sizeof(Pane) + plan_->block_bytes() + key_length + 7) / 8;
  }
  template <typename Visit>
  void ForEachUnit(Visit visit) const {
    if (body_ == nullptr) return;
    size_t gap = 0;
    for (uint64_t unit = 1; unit < body_->used_units;) {
      if (gap < body_->gaps.size() && body_->gaps[gap].begin == unit) {
        unit += body_->gaps[gap++].units;
        continue;
      }
      const uint16_t key_length = At(static_cast<uint32_t>(unit))->key_length;
      visit(static_cast<uint32_t>(unit));
      unit += Units(key_length);
    }
  }
  uint32_t Allocate(uint64_t units);
  void Grow(size_t size);

  struct Gap {
    uint32_t begin, units;
  };
  struct Body {
    std::vector<uint32_t> slots;  // 0: free; otherwise the pane's first unit
    size_t mask = 0;
    size_t count = 0;
    std::vector<std::unique_ptr<char[]>> chunks;  // null: too small for the pane that came to it
    std::vector<Gap> gaps;        // ends of chunks that were too short for a pane
    uint64_t used_units = 1;      // unit 0 stays unused, so that 0 can mean "free"
    size_t arena_bytes = 0;       // of all chunks
  };
  const AggregatePlan* plan_;
  std::unique_ptr<Body> body_;    // null until there is a pane: of very many slices most may have none
  size_t heap_bytes_ = 0;         // outside the blocks
};

}  // namespace rivulet
