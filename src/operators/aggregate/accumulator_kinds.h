// Where each kind of accumulator is made. Private to the aggregate folder.
#pragma once

#include <memory>

#include "operators/aggregate/accumulator.h"

namespace rivulet {

using AccumulatorPtr = std::shared_ptr<const Accumulator>;

// numeric_accumulators.cc
AccumulatorPtr NewRows();
AccumulatorPtr NewSum();
AccumulatorPtr NewMoments();

// value_accumulators.cc: those that keep one value.
AccumulatorPtr NewExtreme(bool want_max);
AccumulatorPtr NewEdge(bool want_last);
AccumulatorPtr NewExtremeBy(bool want_max);

// boxed_accumulators.cc: those that keep an object outside the block.
AccumulatorPtr NewQuantiles(double error);
AccumulatorPtr NewNumbers();
AccumulatorPtr NewDistinct();
AccumulatorPtr NewFrequent();
AccumulatorPtr NewList(size_t limit);
AccumulatorPtr NewCurve(double longest_gap_ms);

// fixed_accumulators.cc: of fixed size.
AccumulatorPtr NewComoments();
AccumulatorPtr NewHistogram(double low, double high, uint32_t buckets);
AccumulatorPtr NewTruths();
AccumulatorPtr NewDecay(double half_life_ms);

}  // namespace rivulet
