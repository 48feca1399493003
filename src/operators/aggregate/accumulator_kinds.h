// Where each kind of accumulator is made. Private to the aggregate folder.
#pragma once

#include "operators/aggregate/accumulator.h"

namespace rivulet {

const Accumulator& RowsAccumulator();
const Accumulator& SumAccumulator();
const Accumulator& MomentsAccumulator();

// The accumulators that keep one value. In value_accumulators.cc.
const Accumulator& ExtremeAccumulator(bool want_max);
const Accumulator& EdgeAccumulator(bool want_last);

}  // namespace rivulet
