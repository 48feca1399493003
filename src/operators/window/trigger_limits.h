// What windows that keep accumulators of their own may cost a key, so that one key's row stays small.
#pragma once

#include <cstdint>
#include <numeric>

namespace rivulet {

// Slices of a count window.
inline constexpr uint64_t kMaxCountSlices = 1000;
// Windows with early results that hold one moment.
inline constexpr int64_t kMaxEarlyOverlap = 1000;

// Slices that a window of `count` records moving by `slide` is made of.
constexpr uint64_t CountSlices(uint64_t count, uint64_t slide) {
  return count / std::gcd(count, slide);
}

}  // namespace rivulet
