// KeyIndex: what is kept of keys in memory, found by key. Private to KeyStateTable.
//
// Open addressing with linear probing, half full at most: a key is found with one look at the index and one
// at its state. What is taken out leaves no mark: those behind it move up (Knuth, vol. 3, 6.4, algorithm R).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace rivulet {

// `State` has a `key` and its `hash`. Addresses of states hold until they are taken out.
template <typename State>
class KeyIndex {
 public:
  // Null when there is none.
  State* Find(std::string_view key, uint64_t hash) const {
    if (slots_.empty()) return nullptr;
    for (size_t i = Home(hash);; i = Next(i)) {
      const Slot& slot = slots_[i];
      if (slot.state == nullptr) return nullptr;
      if (slot.hash == hash && slot.state->key == key) return slot.state.get();
    }
  }
  // Of a key that is not in it.
  State* Insert(std::unique_ptr<State> state) {
    if ((count_ + 1) * 2 > slots_.size()) Rehash(slots_.empty() ? kFewSlots : slots_.size() * 2);
    State* const inserted = state.get();
    Place({inserted->hash, std::move(state)});
    ++count_;
    return inserted;
  }
  // Of one that is in it.
  std::unique_ptr<State> Take(const State* state) {
    size_t gap = Home(state->hash);
    while (slots_[gap].state.get() != state) gap = Next(gap);
    std::unique_ptr<State> taken = std::move(slots_[gap].state);
    for (size_t i = Next(gap); slots_[i].state != nullptr; i = Next(i)) {
      // It may move up unless its home lies behind the gap.
      if (((i - Home(slots_[i].hash)) & mask_) < ((i - gap) & mask_)) continue;
      slots_[gap] = std::move(slots_[i]);
      gap = i;
    }
    --count_;
    return taken;
  }
  // Deletes those for which `goes` is true, in any order; size() tells in between how many are left.
  template <typename Goes>
  void DeleteIf(Goes goes) {
    const size_t before = count_;
    for (Slot& slot : slots_) {
      if (slot.state == nullptr || !goes(slot.state.get())) continue;
      slot.state.reset();
      --count_;
    }
    if (count_ == before) return;
    size_t slots = kFewSlots;
    while (slots < count_ * 2) slots *= 2;
    Rehash(slots);
  }
  size_t size() const { return count_; }

 private:
  static constexpr size_t kFewSlots = 16;
  struct Slot {
    uint64_t hash = 0;
    std::unique_ptr<State> state;
  };

  // The low bits say which worker's the key is: they are the same for many of an index.
  size_t Home(uint64_t hash) const { return static_cast<size_t>(hash >> 32) & mask_; }
  size_t Next(size_t i) const { return (i + 1) & mask_; }
  void Place(Slot slot) {
    size_t i = Home(slot.hash);
    while (slots_[i].state != nullptr) i = Next(i);
    slots_[i] = std::move(slot);
  }
  void Rehash(size_t slots) {
    std::vector<Slot> before(slots);
    before.swap(slots_);
    mask_ = slots - 1;
    for (Slot& slot : before) {
      if (slot.state != nullptr) Place(std::move(slot));
    }
  }

  std::vector<Slot> slots_;
  size_t mask_ = 0;
  size_t count_ = 0;
};

}  // namespace rivulet
