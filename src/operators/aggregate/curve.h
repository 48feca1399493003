// Curve: a number over event time. Area under it, its increase as a counter.
//
// Readings are taken in order of event time, in whichever order they come; among equal times in order of
// arrival. Up to bounds::kCurvePoints are kept one by one. With more, the older half of them is folded into
// stretches, of which only the sums and both ends are kept: at most bounds::kCurveStretches, parted where
// readings lie furthest apart, as that is where others may be to come (a backlog behind what is live). A
// reading that belongs inside a stretch has no place any more: it is counted as missed, and the curve has no
// result from then on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "operators/aggregate/block_state.h"

namespace rivulet {

struct CurvePoint {
  int64_t time;  // us
  double value;
};

// Over the readings of a stretch of time, one after the other. What lies between two of them that are
// further apart than the longest gap has no area.
struct CurveTotal {
  struct Sums {
    CompensatedSum linear;    // area with straight lines between the points (trapezoids), value * s
    CompensatedSum step;      // area with each value holding until the next one, value * s
    CompensatedSum increase;  // rises added up; a fall is a counter that began again at 0
    int64_t gaps_us = 0;      // time without area
  };
  CurvePoint first, last;
  uint64_t count;
  Sums sums{};

  explicit CurveTotal(CurvePoint p) : first(p), last(p), count(1) {}
  CurveTotal() : CurveTotal(CurvePoint{0, 0}) {}
  // `next` is behind this one.
  void Append(int64_t longest_gap_us, const CurveTotal& next);
  // From the first point to the last one; without gaps, s.
  double Seconds() const;
  double CoveredSeconds() const;
};

// The longest gap is the same in all calls, us.
class Curve {
 public:
  void Add(int64_t longest_gap_us, CurvePoint point);
  // `later` has seen points behind all of this one's, in time or in arrival.
  void Merge(int64_t longest_gap_us, const Curve& later);
  bool empty() const { return points_.empty() && stretches_.empty(); }
  // Readings that had no place any more.
  uint64_t missed() const { return missed_; }
  // Neither when empty.
  CurvePoint Last() const;
  CurveTotal Total(int64_t longest_gap_us) const;

  void Encode(std::string* out) const;
  // Also of rows of version 0.1.
  bool Decode(std::string_view* in);
  size_t HeapBytes() const {
    return points_.capacity() * sizeof(CurvePoint) + stretches_.capacity() * sizeof(CurveTotal);
  }

 private:
  bool Inside(int64_t time) const;
  void AddStretch(const CurveTotal& stretch);
  void Fold(int64_t longest_gap_us);
  void FoldPoints(int64_t longest_gap_us, size_t count);
  bool DecodeStretches(std::string_view* in);
  bool DecodePoints(std::string_view* in);
  bool DecodeFirstForm(std::string_view* in);

  std::vector<CurvePoint> points_;      // by time
  std::vector<CurveTotal> stretches_;   // by time; none overlap, and no point lies inside one
  uint64_t missed_ = 0;
};

}  // namespace rivulet
