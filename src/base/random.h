// Random: the seam for randomness. Everything random below node/ takes one of these.
#pragma once

#include <cstdint>

#include "base/wide_int.h"

namespace rivulet {

// SplitMix64 (Steele, Lea, Flood 2014): small, fast, the same on every platform. Not for secrets.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  // Uniform in [0, n); n must be positive. The bias of the 128-bit product is below 2^-64 * n.
  uint64_t Below(uint64_t n) {
    return MultiplyHigh(Next(), n);
  }
  // Uniform in [0, 1), 53 bits.
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  bool Chance(double p) { return Unit() < p; }

 private:
  uint64_t state_;
};

}  // namespace rivulet
