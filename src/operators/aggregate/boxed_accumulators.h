// The accumulators that keep an object outside the block, and how finishers get at it. Private to
// the aggregate folder. A state is the pointer; null: nothing seen yet.
#pragma once

#include <cstring>

#include "operators/aggregate/accumulator.h"
#include "operators/aggregate/curve.h"
#include "operators/aggregate/distinct_counter.h"
#include "operators/aggregate/frequent_values.h"
#include "operators/aggregate/number_list.h"
#include "operators/aggregate/value_list.h"

namespace rivulet {

// Null when there is none.
template <typename T>
T* Unboxed(const char* state) {
  T* object = nullptr;
  std::memcpy(&object, state, sizeof(object));
  return object;
}

// Of accumulators of the kinds kQuantiles and kNumbers, whose objects are NumberLists.
class NumbersAccumulator : public Accumulator {
 public:
  virtual const NumberLimits& limits() const = 0;
};

// Of the kind kCurve, whose objects are Curves.
class CurveAccumulator : public Accumulator {
 public:
  virtual CurveTotal Total(const Curve& curve) const = 0;
  virtual void AddPoint(char* state, CurvePoint point) const = 0;
};

}  // namespace rivulet
