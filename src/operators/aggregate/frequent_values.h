// FrequentValues: the most frequent values and how often they came. Misra and Gries ("Finding repeated
// elements", 1982), merged as in Agarwal et al., "Mergeable summaries" (PODS 2012).
//
// Exact while there are at most bounds::kMostCounters different values. With more, the 257th
// largest count is taken off every counter and what is left with nothing is forgotten: a count
// shown is then at most error() too small, never too large, and error() is at most n / 257 for n
// values. Every value more frequent than that is there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "operators/aggregate/kept_value.h"

namespace rivulet {

class FrequentValues {
 public:
  struct Entry {
    uint64_t hash;
    uint64_t count;
    KeptValue value;
  };

  // Equal ints and floats are one value, as are texts that begin with the same kLongestText bytes. Nulls
  // and NaN do not count.
  void Add(const Value& v);
  void Merge(const FrequentValues& other);
  // The `k` most frequent, the most frequent first; among equally frequent ones the smallest first.
  std::vector<const Entry*> Top(size_t k) const;
  uint64_t error() const { return error_; }

  // By value: while counts are exact, the same bytes in whichever order the values came.
  void Encode(std::string* out) const;
  bool Decode(std::string_view* in);
  size_t HeapBytes() const;

 private:
  // Adds to the value's counter, which may be a new one.
  void Count(const Value& canonical, uint64_t hash, uint64_t count);
  void Reduce();
  void Index(size_t entries);

  std::vector<Entry> entries_;
  std::vector<uint16_t> index_;  // open addressing by hash: number of an entry + 1, or 0
  uint64_t error_ = 0;
};

}  // namespace rivulet
