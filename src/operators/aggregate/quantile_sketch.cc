#include "operators/aggregate/quantile_sketch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/coding.h"
#include "operators/aggregate/accumulator_bounds.h"

namespace rivulet {
namespace {

constexpr double kSmallest = std::numeric_limits<double>::min();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Of numbers added to one sketch: far from overflow, also when damaged rows are merged.
constexpr uint64_t kMostCounted = uint64_t{1} << 56;
// No bucket of any mapping lies beyond.
constexpr int64_t kFarthestBucket = 1 << 20;

// ln((1 + e) / (1 - e)) = 2 artanh(e), by its series: the C library's log differs between platforms.
double LogOfRatio(double e) {
  double sum = 0, power = e;
  for (int n = 1; n < 40; n += 2) {
    sum += power / n;
    power *= e * e;
  }
  return 2 * sum;
}

}  // namespace

// The cubic below grows by at least 10/7 for each factor of Euler's number, so with this multiplier
// a bucket is no wider than the ratio.
QuantileMapping::QuantileMapping(double error)
    : multiplier_(7.0 / 10 / LogOfRatio(error)),
      limit_(static_cast<int32_t>(bounds::kSketchOctaves * multiplier_) + 2) {}

int32_t QuantileMapping::Index(double v) const {
  const auto bits = std::bit_cast<uint64_t>(v);
  const auto exponent = static_cast<double>(static_cast<int64_t>(bits >> 52) - 1023);
  const double s = std::bit_cast<double>((bits & 0x000fffffffffffff) | 0x3ff0000000000000) - 1;
  const double log = exponent + ((6.0 / 35 * s - 3.0 / 5) * s + 10.0 / 7) * s;
  const double index = log * multiplier_;
  const auto whole = static_cast<int32_t>(index);
  return whole - (static_cast<double>(whole) > index ? 1 : 0);
}

// The smallest float whose bucket is `index` or higher. Floats above 0 are ordered as their bits are.
double QuantileMapping::LowerBound(int32_t index) const {
  uint64_t low = std::bit_cast<uint64_t>(kSmallest);
  uint64_t high = std::bit_cast<uint64_t>(std::numeric_limits<double>::max());
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    if (Index(std::bit_cast<double>(middle)) >= index) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return std::bit_cast<double>(low);
}

double QuantileMapping::Middle(int32_t index) const {
  const double low = LowerBound(index);
  const double high = LowerBound(index + 1);
  return low * (2 / (1 + low / high));  // 2 * low * high / (low + high), without overflow
}

void BucketCounts::AddOutside(int32_t index, uint64_t count, int32_t limit) {
  // Room for numbers near those before.
  const int32_t margin = std::min(8 + static_cast<int32_t>(counts_.size()) / 4, limit - 1);
  if (counts_.empty()) {
    counts_.reserve(static_cast<size_t>(2 * margin));
    base_ = index - margin;
    counts_.assign(static_cast<size_t>(margin + 1), 0);
    counts_.back() = count;
    return;
  }
  const int32_t highest = base_ + static_cast<int32_t>(counts_.size()) - 1;
  if (index < base_) {
    const int32_t lowest = highest - limit + 1;
    const int32_t base = std::min(base_, std::max(lowest, index - margin));
    counts_.insert(counts_.begin(), static_cast<size_t>(base_ - base), 0);
    base_ = base;
    counts_[static_cast<size_t>(std::max(index, base) - base)] += count;
    return;
  }
  const int32_t lowest = index - limit + 1;
  if (lowest > base_) {
    const auto fold = static_cast<size_t>(std::min(lowest - base_, highest - base_ + 1));
    uint64_t folded = 0;
    for (size_t i = 0; i < fold; ++i) folded += counts_[i];
    counts_.erase(counts_.begin(), counts_.begin() + static_cast<std::ptrdiff_t>(fold));
    base_ = lowest;
    counts_.resize(static_cast<size_t>(index - base_ + 1));
    counts_.front() += folded;
  } else {
    counts_.resize(static_cast<size_t>(index - base_ + 1));
  }
  counts_.back() += count;
}

void BucketCounts::Merge(const BucketCounts& other, int32_t limit) {
  if (other.counts_.empty()) return;
  // The highest first, so that nothing is folded twice; then room down to the lowest.
  const size_t last = other.counts_.size() - 1;
  Add(other.base_ + static_cast<int32_t>(last), other.counts_[last], limit);
  Add(other.base_, 0, limit);
  for (size_t i = 0; i < last; ++i) {
    const int32_t index = std::max(base_, other.base_ + static_cast<int32_t>(i));
    counts_[static_cast<size_t>(index - base_)] += other.counts_[i];
  }
  total_ += other.total_ - other.counts_[last];
}

int32_t BucketCounts::AtRank(uint64_t rank) const {
  size_t i = 0;
  for (; i + 1 < counts_.size() && rank >= counts_[i]; ++i) rank -= counts_[i];
  return base_ + static_cast<int32_t>(i);
}

// The number of buckets with counts, then each as its distance from the one before, and its count.
void BucketCounts::Encode(std::string* out) const {
  const auto used = std::count_if(counts_.begin(), counts_.end(), [](uint64_t c) { return c > 0; });
  PutVarint(out, static_cast<uint64_t>(used));
  int64_t before = 0;
  bool first = true;
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    const int64_t index = base_ + static_cast<int64_t>(i);
    if (first) {
      PutSignedVarint(out, index);
    } else {
      PutVarint(out, static_cast<uint64_t>(index - before));
    }
    PutVarint(out, counts_[i]);
    before = index;
    first = false;
  }
}

bool BucketCounts::Decode(std::string_view* in, int32_t limit) {
  *this = BucketCounts();
  uint64_t used = 0;
  if (!GetVarint(in, &used) || used > static_cast<uint64_t>(limit)) return false;
  int64_t first = 0, index = 0;
  for (uint64_t i = 0; i < used; ++i) {
    uint64_t step = 0, count = 0;
    if (i == 0 ? !GetSignedVarint(in, &first) : !GetVarint(in, &step)) return false;
    if (i == 0 && (first < -kFarthestBucket || first > kFarthestBucket)) return false;
    if (i > 0 && (step == 0 || step > static_cast<uint64_t>(limit))) return false;
    index = i == 0 ? first : index + static_cast<int64_t>(step);
    if (index - first >= limit || !GetVarint(in, &count)) return false;
    if (count == 0 || count > kMostCounted || total_ + count > kMostCounted) return false;
    Add(static_cast<int32_t>(index), count, limit);
  }
  return true;
}

void QuantileSketch::Add(const QuantileMapping& mapping, double v) {
  if (std::isnan(v)) return;
  const double magnitude = std::fabs(v);
  if (magnitude < kSmallest) v = 0;
  min_ = std::min(min_, v);
  max_ = std::max(max_, v);
  if (v == 0) {
    ++zeros_;
  } else if (magnitude == kInfinity) {
    ++(v > 0 ? plus_infinities_ : minus_infinities_);
  } else {
    (v > 0 ? positive_ : negative_).Add(mapping.Index(magnitude), 1, mapping.limit());
  }
}

void QuantileSketch::Merge(const QuantileMapping& mapping, const QuantileSketch& other) {
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  positive_.Merge(other.positive_, mapping.limit());
  negative_.Merge(other.negative_, mapping.limit());
  zeros_ += other.zeros_;
  minus_infinities_ += other.minus_infinities_;
  plus_infinities_ += other.plus_infinities_;
}

uint64_t QuantileSketch::count() const {
  return positive_.total() + negative_.total() + zeros_ + minus_infinities_ + plus_infinities_;
}

double QuantileSketch::AtRank(const QuantileMapping& mapping, uint64_t rank) const {
  if (rank < minus_infinities_) return -kInfinity;
  rank -= minus_infinities_;
  if (rank < negative_.total()) {  // the largest magnitudes first
    return -mapping.Middle(negative_.AtRank(negative_.total() - 1 - rank));
  }
  rank -= negative_.total();
  if (rank < zeros_) return 0;
  rank -= zeros_;
  if (rank < positive_.total()) return mapping.Middle(positive_.AtRank(rank));
  return kInfinity;
}

double QuantileSketch::Quantile(const QuantileMapping& mapping, double p) const {
  const uint64_t last = count() - 1;
  return Ranked(mapping, static_cast<uint64_t>(std::floor(p * static_cast<double>(last))));
}

double QuantileSketch::Ranked(const QuantileMapping& mapping, uint64_t rank) const {
  if (rank == 0) return min_;
  if (rank >= count() - 1) return max_;
  return std::clamp(AtRank(mapping, rank), min_, max_);
}

void QuantileSketch::Encode(std::string* out) const {
  PutVarint(out, zeros_);
  PutVarint(out, minus_infinities_);
  PutVarint(out, plus_infinities_);
  positive_.Encode(out);
  negative_.Encode(out);
  if (count() == 0) return;
  PutFixed(out, min_);
  PutFixed(out, max_);
}

bool QuantileSketch::Decode(const QuantileMapping& mapping, std::string_view* in) {
  *this = QuantileSketch();
  for (uint64_t* n : {&zeros_, &minus_infinities_, &plus_infinities_}) {
    if (!GetVarint(in, n) || *n > kMostCounted) return false;
  }
  if (!positive_.Decode(in, mapping.limit()) || !negative_.Decode(in, mapping.limit())) return false;
  if (count() == 0) return true;
  return GetFixed(in, &min_) && GetFixed(in, &max_) && min_ <= max_;
}

}  // namespace rivulet
