// Curve: a number over event time. Area under it, its increase as a counter.
//
// Readings are taken in order of event time; among equal times in order of arrival. The newest
// bounds::kCurvePoints are kept one by one, so that one which comes out of order among them is put
// in its place; older ones are folded into sums. A reading older than all that are kept, when
// something was folded already, is left out: its place in the curve is gone. Parts of a window are
// joined in order of time (slices, sessions), so this matters within a slice only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "operators/aggregate/accumulator_bounds.h"
#include "operators/aggregate/block_state.h"

namespace rivulet {

struct CurvePoint {
  int64_t time;  // us
  double value;
};

// Sums over the stretch between two points. Plain bytes; all zeros: nothing yet.
struct Curve {
  struct Sums {
    CompensatedSum linear;    // area with straight lines between the points (trapezoids), value * s
    CompensatedSum step;      // area with each value holding until the next one, value * s
    CompensatedSum increase;  // rises added up; a fall is a counter that began again at 0
  };
  CurvePoint first, last;     // of the folded points
  uint64_t folded;            // how many
  Sums sums;
  uint64_t kept;
  CurvePoint points[bounds::kCurvePoints];  // in order of time, behind the folded ones

  void Add(CurvePoint point);
  // `later` has seen points behind all of this one's.
  void Merge(const Curve& later);
  // All points folded.
  Curve Folded() const;
  // From the first point to the last one, s.
  double Seconds() const;

  void Encode(std::string* out) const;
  bool Decode(std::string_view* in);

 private:
  void Fold(CurvePoint point);
};

}  // namespace rivulet
