// The accumulators that keep an object outside the block, and how finishers get at it. Private to
// the aggregate folder. A state is the pointer; null: nothing seen yet.
#pragma once

#include <cstring>

#include "operators/aggregate/accumulator.h"
#include "operators/aggregate/distinct_counter.h"
#include "operators/aggregate/frequent_values.h"
#include "operators/aggregate/number_list.h"
#include "operators/aggregate/quantile_sketch.h"
#include "operators/aggregate/value_list.h"

namespace rivulet {

// Null when there is none.
template <typename T>
T* Unboxed(const char* state) {
  T* object = nullptr;
  std::memcpy(&object, state, sizeof(object));
  return object;
}

// Of accumulators of the kind kQuantiles.
class QuantileAccumulator : public Accumulator {
 public:
  // As QuantileSketch::Quantile; null when there are no numbers.
  virtual Value Quantile(const char* state, double p) const = 0;
};

}  // namespace rivulet
