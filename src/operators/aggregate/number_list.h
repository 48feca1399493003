// NumberList: the numbers there were, for quantiles: all of them up to a bound, a sketch beyond it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "operators/aggregate/quantile_sketch.h"

namespace rivulet {

// The same for all calls over one list.
struct NumberLimits {
  size_t exact;             // so many numbers are kept
  QuantileMapping mapping;  // of the sketch that more become
};

class NumberList {
 public:
  void Add(const NumberLimits& limits, double v);  // NaN is ignored
  void Merge(const NumberLimits& limits, const NumberList& other);
  uint64_t count() const { return sketch_ ? sketch_->count() : numbers_.size(); }
  bool sketched() const { return sketch_ != nullptr; }
  // Between the two numbers nearest to rank p * (count - 1), in proportion; from the sketch, as it gives it.
  // 0 <= p <= 1, count() > 0.
  double Quantile(const NumberLimits& limits, double p) const;
  // The least number such that a share of p or more is not above it, SQL's percentile_disc.
  double Discrete(const NumberLimits& limits, double p) const;

  // The same bytes in whichever order the numbers came. A byte says whether a sketch follows, or numbers in
  // ascending order.
  void Encode(std::string* out) const;
  bool Decode(const NumberLimits& limits, std::string_view* in);
  // The two without that byte; the numbers in few bytes.
  void EncodeSketch(std::string* out) const { sketch_->Encode(out); }
  bool DecodeSketch(const NumberLimits& limits, std::string_view* in);
  void EncodeFew(std::string* out) const;
  bool DecodeFew(const NumberLimits& limits, std::string_view* in);
  size_t HeapBytes() const;

 private:
  void Sort() const;
  void BecomeSketch(const NumberLimits& limits);

  // Sorted as needed: the first `sorted_` are.
  mutable std::vector<double> numbers_;
  mutable size_t sorted_ = 0;
  std::unique_ptr<QuantileSketch> sketch_;
};

}  // namespace rivulet
