// QuantileSketch: quantiles of any number of numbers, each within a relative error. DDSketch:
// Masson, Rim and Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error
// Guarantees" (VLDB 2019).
//
// A number goes into a bucket by its logarithm, bucket bounds having the ratio (1 + e) / (1 - e) or
// less; the bucket's harmonic middle is then within e of every number in it. The logarithm is a
// cubic in the mantissa (the paper's section 4): only additions and multiplications, so that
// buckets are the same on every platform. Buckets are counted in integers, so neither order nor
// grouping of what is added changes a bit.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace rivulet {

// Numbers above 0 to buckets, and back. Immutable.
class QuantileMapping {
 public:
  // `error` within bounds::kSmallestError to kLargestError.
  explicit QuantileMapping(double error);

  // `v` is finite and at least the smallest normal float.
  int32_t Index(double v) const;
  // A number within the error of all numbers of the bucket.
  double Middle(int32_t index) const;
  // A sketch counts the buckets from the highest one of a sign down to this many.
  int32_t limit() const { return limit_; }

 private:
  double LowerBound(int32_t index) const;

  double multiplier_;
  int32_t limit_;
};

// Counts by bucket, from the highest bucket seen down to the limit; what lies lower counts in the lowest.
class BucketCounts {
 public:
  void Add(int32_t index, uint64_t count, int32_t limit) {
    const auto place = static_cast<uint32_t>(index - base_);
    if (place < counts_.size()) {
      counts_[place] += count;
    } else {
      AddOutside(index, count, limit);
    }
    total_ += count;
  }
  void Merge(const BucketCounts& other, int32_t limit);
  uint64_t total() const { return total_; }
  // The bucket of the number with `rank` numbers below it; rank < total().
  int32_t AtRank(uint64_t rank) const;

  void Encode(std::string* out) const;
  bool Decode(std::string_view* in, int32_t limit);
  size_t HeapBytes() const { return counts_.capacity() * sizeof(uint64_t); }

 private:
  void AddOutside(int32_t index, uint64_t count, int32_t limit);

  std::vector<uint64_t> counts_;  // the last one is the highest bucket seen
  int32_t base_ = 0;              // bucket of counts_[0]
  uint64_t total_ = 0;
};

class QuantileSketch {
 public:
  // NaN is ignored. Magnitudes below the smallest normal float (2.2e-308) count as 0.
  void Add(const QuantileMapping& mapping, double v);
  void Merge(const QuantileMapping& mapping, const QuantileSketch& other);
  uint64_t count() const;
  // The number of rank floor(p * (count - 1)), counted from 0 in ascending order, within the error; the
  // smallest and the largest exactly. 0 <= p <= 1, count() > 0.
  double Quantile(const QuantileMapping& mapping, double p) const;

  // The number with `rank` < count() numbers below it, likewise.
  double Ranked(const QuantileMapping& mapping, uint64_t rank) const;

  void Encode(std::string* out) const;
  bool Decode(const QuantileMapping& mapping, std::string_view* in);
  size_t HeapBytes() const { return positive_.HeapBytes() + negative_.HeapBytes(); }

 private:
  double AtRank(const QuantileMapping& mapping, uint64_t rank) const;

  BucketCounts positive_, negative_;  // finite numbers, by magnitude
  uint64_t zeros_ = 0, minus_infinities_ = 0, plus_infinities_ = 0;
  double min_ = std::numeric_limits<double>::infinity();  // of all
  double max_ = -std::numeric_limits<double>::infinity();
};

}  // namespace rivulet
