// DamagedOffsets: entries of a journal found damaged, each counted once however many readers meet it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>

#include "base/types.h"

namespace rivulet {

// Not thread-safe. Bounded: of more places than `kPlaces` the oldest are forgotten.
class DamagedOffsets {
 public:
  static constexpr size_t kPlaces = 4096;

  // Those of [from, to) are damaged.
  void Add(Offset from, Offset to) {
    if (from >= to) return;
    Place merged{from.value, to.value};
    uint64_t known = 0;
    // The first place that can touch it.
    auto it = places_.upper_bound(merged.from);
    if (it != places_.begin() && std::prev(it)->second >= merged.from) --it;
    while (it != places_.end() && it->first <= merged.to) {
      const uint64_t begin = std::max(it->first, from.value), end = std::min(it->second, to.value);
      if (begin < end) known += end - begin;
      merged = {std::min(merged.from, it->first), std::max(merged.to, it->second)};
      it = places_.erase(it);
    }
    places_.emplace(merged.from, merged.to);
    if (places_.size() > kPlaces) places_.erase(places_.begin());
    count_ += to.value - from.value - known;
  }

  uint64_t count() const { return count_; }

 private:
  struct Place {
    uint64_t from, to;
  };
  std::map<uint64_t, uint64_t> places_;  // from -> to; neither overlap nor touch
  uint64_t count_ = 0;
};

}  // namespace rivulet
