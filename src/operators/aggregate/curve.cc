#include "operators/aggregate/curve.h"

#include <algorithm>
#include <numeric>

#include "base/coding.h"
#include "operators/aggregate/accumulator_bounds.h"
#include "operators/aggregate/float_coding.h"

namespace rivulet {
namespace {

constexpr size_t kMostPoints = bounds::kCurvePoints;
constexpr size_t kMostStretches = bounds::kCurveStretches;
constexpr size_t kFirstFormPoints = 8;
// No event time comes near the ends of int64: the source refuses it.
constexpr int64_t kFarthest = int64_t{1} << 61;

bool GoodTime(int64_t time) { return time >= -kFarthest && time <= kFarthest; }

double SecondsBetween(int64_t from, int64_t to) {
  return (static_cast<double>(to) - static_cast<double>(from)) / 1e6;
}

// Behind those of equal time: they came before.
auto PlaceOf(int64_t time, const std::vector<CurvePoint>& points) {
  return std::upper_bound(points.begin(), points.end(), time,
                          [](int64_t t, const CurvePoint& p) { return t < p.time; });
}

}  // namespace

// --- sums ---

void CurveTotal::Append(int64_t longest_gap_us, const CurveTotal& next) {
  if (next.first.time - last.time > longest_gap_us) {
    sums.gaps_us += next.first.time - last.time;
  } else {
    const double seconds = SecondsBetween(last.time, next.first.time);
    sums.linear.Add((last.value / 2 + next.first.value / 2) * seconds);
    sums.step.Add(last.value * seconds);
  }
  const double rise = next.first.value - last.value;
  sums.increase.Add(next.first.value >= last.value ? rise : next.first.value);
  last = next.last;
  count += next.count;
  if (next.count == 1) return;
  sums.linear.Add(next.sums.linear);
  sums.step.Add(next.sums.step);
  sums.increase.Add(next.sums.increase);
  sums.gaps_us += next.sums.gaps_us;
}

double CurveTotal::Seconds() const { return SecondsBetween(first.time, last.time); }

double CurveTotal::CoveredSeconds() const {
  return SecondsBetween(sums.gaps_us, last.time - first.time);
}

CurveTotal Curve::Total(int64_t longest_gap_us) const {
  auto point = points_.begin();
  auto stretch = stretches_.begin();
  // Of equal times the stretch first: what is in it came before.
  const auto next = [&] {
    const bool folded = stretch != stretches_.end() &&
                        (point == points_.end() || stretch->first.time <= point->time);
    return folded ? *stretch++ : CurveTotal(*point++);
  };
  CurveTotal total = next();
  while (point != points_.end() || stretch != stretches_.end()) total.Append(longest_gap_us, next());
  return total;
}

CurvePoint Curve::Last() const {
  const bool folded = points_.empty() || (!stretches_.empty() &&
                                          stretches_.back().last.time > points_.back().time);
  return folded ? stretches_.back().last : points_.back();
}

// --- readings ---

bool Curve::Inside(int64_t time) const {
  return std::any_of(stretches_.begin(), stretches_.end(), [time](const CurveTotal& s) {
    return s.first.time <= time && time < s.last.time;
  });
}

void Curve::Add(int64_t longest_gap_us, CurvePoint point) {
  if (!stretches_.empty() && point.time < stretches_.back().last.time && Inside(point.time)) {
    ++missed_;
    return;
  }
  if (points_.empty() || points_.back().time <= point.time) {
    points_.push_back(point);
  } else {
    points_.insert(PlaceOf(point.time, points_), point);
  }
  if (points_.size() > kMostPoints) Fold(longest_gap_us);
}

void Curve::AddStretch(const CurveTotal& stretch) {
  const auto apart = [&stretch](const CurveTotal& s) {
    return s.last.time <= stretch.first.time || stretch.last.time < s.first.time;
  };
  if (!std::all_of(stretches_.begin(), stretches_.end(), apart)) {
    missed_ += stretch.count;
    return;
  }
  const auto place = std::upper_bound(
      stretches_.begin(), stretches_.end(), stretch.first.time,
      [](int64_t t, const CurveTotal& s) { return t < s.first.time; });
  stretches_.insert(place, stretch);
  missed_ += std::erase_if(points_, [&stretch](const CurvePoint& p) {
    return stretch.first.time <= p.time && p.time < stretch.last.time;
  });
}

void Curve::Merge(int64_t longest_gap_us, const Curve& later) {
  for (const CurveTotal& stretch : later.stretches_) AddStretch(stretch);
  for (const CurvePoint& point : later.points_) Add(longest_gap_us, point);
  missed_ += later.missed_;
  if (stretches_.size() > kMostStretches) Fold(longest_gap_us);
}

void Curve::Fold(int64_t longest_gap_us) {
  FoldPoints(longest_gap_us, points_.size() / 2);
  // So many stretches with readings in between that these must be folded, too.
  if (stretches_.size() > kMostStretches) FoldPoints(longest_gap_us, points_.size());
}

// Folds the oldest `count` points: stretches with no point between them are joined, but for those furthest
// apart.
void Curve::FoldPoints(int64_t longest_gap_us, size_t count) {
  const auto stop = points_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<CurveTotal> parts;
  parts.reserve(stretches_.size() + count);
  auto stretch = stretches_.begin();
  for (auto point = points_.begin(); point != stop; ++point) {
    // Of equal times the stretch first: what is in it came before.
    while (stretch != stretches_.end() && stretch->first.time <= point->time) parts.push_back(*stretch++);
    parts.emplace_back(*point);
  }
  parts.insert(parts.end(), stretch, stretches_.end());
  points_.erase(points_.begin(), stop);
  // Parts [i] and [i + 1] stay apart: those with a point in between, then by width, of equals the later.
  std::vector<size_t> borders(parts.size() - 1);
  std::iota(borders.begin(), borders.end(), size_t{0});
  const auto parted = [&](size_t i) {
    if (points_.empty() || points_.front().time >= parts[i + 1].first.time) return false;
    const auto point = PlaceOf(parts[i].last.time - 1, points_);
    return point != points_.end() && point->time < parts[i + 1].first.time;
  };
  const auto width = [&](size_t i) { return parts[i + 1].first.time - parts[i].last.time; };
  const size_t held = std::min(borders.size(), kMostStretches - 1);
  const auto middle = borders.begin() + static_cast<std::ptrdiff_t>(held);
  std::partial_sort(borders.begin(), middle, borders.end(), [&](size_t a, size_t b) {
    if (parted(a) != parted(b)) return parted(a);
    return width(a) != width(b) ? width(a) > width(b) : a > b;
  });
  const auto beyond = std::partition(middle, borders.end(), parted);
  std::sort(borders.begin(), beyond);
  stretches_.clear();
  auto border = borders.begin();
  for (size_t i = 0; i < parts.size(); ++i) {
    const bool begins = i == 0 || (border != beyond && *border == i - 1);
    if (begins && i > 0) ++border;
    if (begins) {
      stretches_.push_back(parts[i]);
    } else {
      stretches_.back().Append(longest_gap_us, parts[i]);
    }
  }
}

// --- rows ---
//
// mark | missed | stretches | points, where mark is a 0 written in two bytes. Version 0.1 wrote: folded
// points | of 1 its point, of more first, last and sums without gaps | points; it never began so.

void Curve::Encode(std::string* out) const {
  out->append("\x80\x00", 2);
  PutVarint(out, missed_);
  PutVarint(out, stretches_.size());
  for (const CurveTotal& s : stretches_) PutFixed(out, s);
  PutVarint(out, points_.size());
  uint64_t before = 0, step = 0, bits = 0;
  for (const CurvePoint& p : points_) {
    const uint64_t time = static_cast<uint64_t>(p.time);
    PutSignedVarint(out, static_cast<int64_t>(time - before - step));
    step = time - before;
    before = time;
    PutNearFloat(out, p.value, &bits);
  }
}

bool Curve::DecodeStretches(std::string_view* in) {
  uint64_t count = 0;
  if (!GetVarint(in, &count) || count > kMostStretches) return false;
  stretches_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    CurveTotal& s = stretches_[i];
    if (!GetFixed(in, &s) || s.count == 0 || !GoodTime(s.first.time) || !GoodTime(s.last.time) ||
        s.last.time < s.first.time || s.sums.gaps_us < 0 ||
        s.sums.gaps_us > s.last.time - s.first.time) {
      return false;
    }
    if (i > 0 && s.first.time < stretches_[i - 1].last.time) return false;
  }
  return true;
}

bool Curve::DecodePoints(std::string_view* in) {
  uint64_t count = 0, before = 0, step = 0, bits = 0;
  if (!GetVarint(in, &count) || count > kMostPoints || count > in->size()) return false;
  points_.resize(count);
  for (CurvePoint& p : points_) {
    int64_t change = 0;
    if (!GetSignedVarint(in, &change) || !GetNearFloat(in, &p.value, &bits)) return false;
    step += static_cast<uint64_t>(change);
    before += step;
    p.time = static_cast<int64_t>(before);
  }
  return true;
}

bool Curve::DecodeFirstForm(std::string_view* in) {
  uint64_t kept = 0;
  CurveTotal folded;
  if (!GetVarint(in, &folded.count)) return false;
  if (folded.count > 0) {
    if (!GetFixed(in, &folded.first)) return false;
    folded.last = folded.first;
    auto& sums = folded.sums;
    if (folded.count > 1 && (!GetFixed(in, &folded.last) || !GetFixed(in, &sums.linear) ||
                             !GetFixed(in, &sums.step) || !GetFixed(in, &sums.increase))) {
      return false;
    }
    if (!GoodTime(folded.first.time) || !GoodTime(folded.last.time) ||
        folded.last.time < folded.first.time) {
      return false;
    }
    stretches_.push_back(folded);
  }
  if (!GetVarint(in, &kept) || kept > kFirstFormPoints) return false;
  points_.resize(kept);
  for (CurvePoint& p : points_) {
    if (!GetFixed(in, &p)) return false;
  }
  return true;
}

bool Curve::Decode(std::string_view* in) {
  *this = Curve();
  if (in->starts_with(std::string_view("\x80\x00", 2))) {
    in->remove_prefix(2);
    if (!GetVarint(in, &missed_) || !DecodeStretches(in) || !DecodePoints(in)) return false;
  } else if (!DecodeFirstForm(in)) {
    return false;
  }
  for (size_t i = 0; i < points_.size(); ++i) {
    const int64_t time = points_[i].time;
    if (!GoodTime(time) || Inside(time) || (i > 0 && time < points_[i - 1].time)) return false;
  }
  return true;
}

}  // namespace rivulet
