// NumberList: all numbers there were, for exact quantiles. Beyond bounds::kMostNumbers it becomes a sketch.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "operators/aggregate/quantile_sketch.h"

namespace rivulet {

class NumberList {
 public:
  void Add(double v);  // NaN is ignored
  void Merge(const NumberList& other);
  uint64_t count() const { return sketch_ ? sketch_->count() : numbers_.size(); }
  // Between the two numbers nearest to rank p * (count - 1), in proportion; from the sketch, as it gives it.
  // 0 <= p <= 1, count() > 0.
  double Quantile(double p) const;

  // In ascending order: the same bytes in whichever order the numbers came.
  void Encode(std::string* out) const;
  bool Decode(std::string_view* in);
  size_t HeapBytes() const;

 private:
  void Sort() const;
  void BecomeSketch();

  // Sorted as needed: the first `sorted_` are.
  mutable std::vector<double> numbers_;
  mutable size_t sorted_ = 0;
  std::unique_ptr<QuantileSketch> sketch_;
};

}  // namespace rivulet
