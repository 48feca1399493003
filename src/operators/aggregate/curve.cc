#include "operators/aggregate/curve.h"

#include <algorithm>

#include "base/coding.h"
#include "operators/aggregate/accumulator_kinds.h"

namespace rivulet {
namespace {

double SecondsBetween(int64_t from, int64_t to) {
  return (static_cast<double>(to) - static_cast<double>(from)) / 1e6;
}

void AddStretch(const CurvePoint& from, const CurvePoint& to, Curve::Sums* sums) {
  const double seconds = SecondsBetween(from.time, to.time);
  sums->linear.Add((from.value / 2 + to.value / 2) * seconds);
  sums->step.Add(from.value * seconds);
  sums->increase.Add(to.value >= from.value ? to.value - from.value : to.value);
}

}  // namespace

void Curve::Fold(CurvePoint point) {
  if (folded == 0) {
    first = point;
  } else {
    AddStretch(last, point, &sums);
  }
  last = point;
  ++folded;
}

void Curve::Add(CurvePoint point) {
  uint64_t place = kept;
  while (place > 0 && point.time < points[place - 1].time) --place;
  if (place == 0 && folded > 0 && point.time < last.time) return;
  if (kept == bounds::kCurvePoints) {
    if (place == 0) return Fold(point);
    Fold(points[0]);
    std::copy(points + 1, points + place, points);
    points[place - 1] = point;
    return;
  }
  std::copy_backward(points + place, points + kept, points + kept + 1);
  points[place] = point;
  ++kept;
}

Curve Curve::Folded() const {
  Curve all = *this;
  for (uint64_t i = 0; i < kept; ++i) all.Fold(points[i]);
  all.kept = 0;
  return all;
}

void Curve::Merge(const Curve& later) {
  if (later.folded == 0) {
    for (uint64_t i = 0; i < later.kept; ++i) Add(later.points[i]);
    return;
  }
  if (folded == 0 && kept == 0) {
    *this = later;
    return;
  }
  const Curve all = Folded();
  *this = later;
  first = all.first;
  folded += all.folded;
  sums = all.sums;
  AddStretch(all.last, later.first, &sums);
  sums.linear.Add(later.sums.linear);
  sums.step.Add(later.sums.step);
  sums.increase.Add(later.sums.increase);
}

double Curve::Seconds() const {
  const int64_t from = folded > 0 ? first.time : points[0].time;
  const int64_t to = kept > 0 ? points[kept - 1].time : last.time;
  return folded + kept == 0 ? 0 : SecondsBetween(from, to);
}

void Curve::Encode(std::string* out) const {
  PutVarint(out, folded);
  if (folded > 0) {
    PutFixed(out, first);
    if (folded > 1) {
      PutFixed(out, last);
      PutFixed(out, sums);
    }
  }
  PutVarint(out, kept);
  for (uint64_t i = 0; i < kept; ++i) PutFixed(out, points[i]);
}

bool Curve::Decode(std::string_view* in) {
  *this = Curve{};
  if (!GetVarint(in, &folded)) return false;
  if (folded > 0) {
    if (!GetFixed(in, &first)) return false;
    last = first;
    if (folded > 1 && (!GetFixed(in, &last) || !GetFixed(in, &sums))) return false;
  }
  if (!GetVarint(in, &kept) || kept > bounds::kCurvePoints) return false;
  for (uint64_t i = 0; i < kept; ++i) {
    if (!GetFixed(in, &points[i])) return false;
    const int64_t before = i > 0 ? points[i - 1].time : folded > 0 ? last.time : points[i].time;
    if (points[i].time < before) return false;
  }
  return true;
}

namespace {

class CurveAccumulator final : public Accumulator {
 public:
  size_t size() const override { return sizeof(Curve); }
  void Init(char* state) const override { *As<Curve>(state) = Curve{}; }
  void Update(const AccumulateInput& in, size_t offset) const override {
    for (uint32_t k = 0; k < in.count; ++k) {
      const uint32_t row = in.rows[k];
      double v = 0;
      if (ReadNumber(*in.argument, row, &v)) As<Curve>(in.blocks[k] + offset)->Add({in.time[row], v});
    }
  }
  void Merge(char* into, const char* from) const override {
    As<Curve>(into)->Merge(*As<Curve>(from));
  }
  void Encode(const char* state, std::string* out) const override { As<Curve>(state)->Encode(out); }
  bool Decode(std::string_view* in, char* state) const override {
    return As<Curve>(state)->Decode(in);
  }
};

}  // namespace

AccumulatorPtr NewCurve() { return std::make_shared<CurveAccumulator>(); }

}  // namespace rivulet
