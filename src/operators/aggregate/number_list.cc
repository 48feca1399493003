#include "operators/aggregate/number_list.h"

#include <algorithm>
#include <cmath>

#include "base/coding.h"
#include "operators/aggregate/accumulator_bounds.h"

namespace rivulet {
namespace {

const QuantileMapping& Mapping() {
  static const QuantileMapping mapping(bounds::kErrorBeyond);
  return mapping;
}

}  // namespace

void NumberList::Add(double v) {
  if (std::isnan(v)) return;
  if (sketch_ != nullptr) return sketch_->Add(Mapping(), v);
  numbers_.push_back(v == 0 ? 0 : v);  // one zero
  if (numbers_.size() > bounds::kMostNumbers) BecomeSketch();
}

void NumberList::Merge(const NumberList& other) {
  if (other.sketch_ == nullptr) {
    for (const double v : other.numbers_) Add(v);
    return;
  }
  BecomeSketch();
  sketch_->Merge(Mapping(), *other.sketch_);
}

void NumberList::BecomeSketch() {
  if (sketch_ != nullptr) return;
  sketch_ = std::make_unique<QuantileSketch>();
  for (const double v : numbers_) sketch_->Add(Mapping(), v);
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

double NumberList::Quantile(double p) const {
  if (sketch_ != nullptr) return sketch_->Quantile(Mapping(), p);
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

void NumberList::Encode(std::string* out) const {
  out->push_back(sketch_ != nullptr ? 1 : 0);
  if (sketch_ != nullptr) return sketch_->Encode(out);
  Sort();
  PutVarint(out, numbers_.size());
  for (const double v : numbers_) PutFixed(out, v);
}

bool NumberList::Decode(std::string_view* in) {
  *this = NumberList();
  uint8_t form = 0;
  if (!GetFixed(in, &form) || form > 1) return false;
  if (form == 1) {
    sketch_ = std::make_unique<QuantileSketch>();
    return sketch_->Decode(Mapping(), in);
  }
  uint64_t count = 0;
  if (!GetVarint(in, &count) || count > bounds::kMostNumbers || count > in->size() / 8) return false;
  numbers_.resize(count);
  for (double& v : numbers_) {
    if (!GetFixed(in, &v) || std::isnan(v)) return false;
  }
  if (!std::is_sorted(numbers_.begin(), numbers_.end())) return false;
  sorted_ = numbers_.size();
  return true;
}

size_t NumberList::HeapBytes() const {
  return numbers_.capacity() * sizeof(double) +
         (sketch_ != nullptr ? sizeof(QuantileSketch) + sketch_->HeapBytes() : 0);
}

}  // namespace rivulet
