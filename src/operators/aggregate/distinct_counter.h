// DistinctCounter: how many different values there were. Exact for a few
// (bounds::kMostExactValues); beyond that HyperLogLog (Flajolet et al. 2007) with 4096 registers
// over XXH3, read by Ertl's improved estimator ("New cardinality estimation algorithms for
// HyperLogLog sketches", 2017): standard error 1.6 %.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"

namespace rivulet {

class DistinctCounter {
 public:
  // Equal ints and floats are one value. Nulls and NaN do not count.
  void Add(const Value& v);
  void Merge(const DistinctCounter& other);
  int64_t Estimate() const;

  // The same bytes in whichever order the values came.
  void Encode(std::string* out) const;
  bool Decode(std::string_view* in);
  size_t HeapBytes() const {
    return hashes_.capacity() * sizeof(uint64_t) + registers_.capacity();
  }

 private:
  void AddHash(uint64_t hash);
  void Register(uint64_t hash);
  void BecomeSketch();

  std::vector<uint64_t> hashes_;    // exact form: ascending
  std::vector<uint8_t> registers_;  // sketch form; empty: exact
};

// The hash by which values are told apart; equal ints and floats have the same.
uint64_t HashValue(const Value& canonical);

}  // namespace rivulet
