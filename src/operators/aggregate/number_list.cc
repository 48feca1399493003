#include "operators/aggregate/number_list.h"

#include <algorithm>
#include <cmath>

#include "base/coding.h"
#include "operators/aggregate/float_coding.h"

namespace rivulet {
void NumberList::Add(const NumberLimits& limits, double v) {
  if (std::isnan(v)) return;
  if (sketch_ != nullptr) return sketch_->Add(limits.mapping, v);
  numbers_.push_back(v == 0 ? 0 : v);  // one zero
  if (numbers_.size() > limits.exact) BecomeSketch(limits);
}

void NumberList::Merge(const NumberLimits& limits, const NumberList& other) {
  if (other.sketch_ == nullptr) {
    for (const double v : other.numbers_) Add(limits, v);
    return;
  }
  BecomeSketch(limits);
  sketch_->Merge(limits.mapping, *other.sketch_);
}

void NumberList::BecomeSketch(const NumberLimits& limits) {
  if (sketch_ != nullptr) return;
  sketch_ = std::make_unique<QuantileSketch>();
  for (const double v : numbers_) sketch_->Add(limits.mapping, v);
  numbers_ = std::vector<double>();
  sorted_ = 0;
}

void NumberList::Sort() const {
  if (sorted_ == numbers_.size()) return;
  const auto middle = numbers_.begin() + static_cast<std::ptrdiff_t>(sorted_);
  std::sort(middle, numbers_.end());
  std::inplace_merge(numbers_.begin(), middle, numbers_.end());
  sorted_ = numbers_.size();
}

double NumberList::Quantile(const NumberLimits& limits, double p) const {
  if (sketch_ != nullptr) return sketch_->Quantile(limits.mapping, p);
  Sort();
  const double place = p * static_cast<double>(numbers_.size() - 1);
  const auto below = static_cast<size_t>(place);
  const double low = numbers_[below];
  const double share = place - static_cast<double>(below);
  if (share == 0) return low;
  const double high = numbers_[below + 1];
  if (low == high) return low;
  return low * (1 - share) + high * share;
}

double NumberList::Discrete(const NumberLimits& limits, double p) const {
  const auto n = static_cast<double>(count());
  auto place = static_cast<uint64_t>(std::ceil(p * n));
  // The product is rounded, perhaps up past a whole number; the quotient of whole numbers is the nearest
  // float to what p stands for.
  while (place > 1 && static_cast<double>(place - 1) / n >= p) --place;
  const uint64_t rank = place > 0 ? place - 1 : 0;
  if (sketch_ != nullptr) return sketch_->Ranked(limits.mapping, rank);
  Sort();
  return numbers_[rank];
}

void NumberList::Encode(std::string* out) const {
  out->push_back(sketch_ != nullptr ? 1 : 0);
  if (sketch_ != nullptr) return sketch_->Encode(out);
  Sort();
  PutVarint(out, numbers_.size());
  for (const double v : numbers_) PutFixed(out, v);
}

bool NumberList::Decode(const NumberLimits& limits, std::string_view* in) {
  *this = NumberList();
  uint8_t form = 0;
  if (!GetFixed(in, &form) || form > 1) return false;
  if (form == 1) return DecodeSketch(limits, in);
  uint64_t count = 0;
  if (!GetVarint(in, &count) || count > limits.exact || count > in->size() / 8) return false;
  numbers_.resize(count);
  for (double& v : numbers_) {
    if (!GetFixed(in, &v) || std::isnan(v)) return false;
  }
  sorted_ = numbers_.size();
  return std::is_sorted(numbers_.begin(), numbers_.end());
}

bool NumberList::DecodeSketch(const NumberLimits& limits, std::string_view* in) {
  *this = NumberList();
  sketch_ = std::make_unique<QuantileSketch>();
  return sketch_->Decode(limits.mapping, in);
}

void NumberList::EncodeFew(std::string* out) const {
  Sort();
  PutVarint(out, numbers_.size());
  uint64_t before = 0;
  for (const double v : numbers_) PutNearFloat(out, v, &before);
}

bool NumberList::DecodeFew(const NumberLimits& limits, std::string_view* in) {
  *this = NumberList();
  uint64_t count = 0, before = 0;
  if (!GetVarint(in, &count) || count > limits.exact || count > in->size()) return false;
  numbers_.resize(count);
  for (double& v : numbers_) {
    if (!GetNearFloat(in, &v, &before) || std::isnan(v)) return false;
  }
  sorted_ = numbers_.size();
  return std::is_sorted(numbers_.begin(), numbers_.end());
}

size_t NumberList::HeapBytes() const {
  return numbers_.capacity() * sizeof(double) +
         (sketch_ != nullptr ? sizeof(QuantileSketch) + sketch_->HeapBytes() : 0);
}

}  // namespace rivulet
