#include "operators/aggregate/accumulator.h"

#include "operators/aggregate/accumulator_kinds.h"

namespace rivulet {

const Accumulator& GetAccumulator(AccumulatorKind kind) {
  switch (kind) {
    case AccumulatorKind::kRows: return RowsAccumulator();
    case AccumulatorKind::kSum: return SumAccumulator();
    case AccumulatorKind::kMoments: return MomentsAccumulator();
    case AccumulatorKind::kMin: return ExtremeAccumulator(false);
    case AccumulatorKind::kMax: return ExtremeAccumulator(true);
    case AccumulatorKind::kFirst: return EdgeAccumulator(false);
    case AccumulatorKind::kLast: return EdgeAccumulator(true);
  }
  return RowsAccumulator();
}

std::string_view AccumulatorName(AccumulatorKind kind) {
  switch (kind) {
    case AccumulatorKind::kRows: return "rows";
    case AccumulatorKind::kSum: return "sum";
    case AccumulatorKind::kMoments: return "moments";
    case AccumulatorKind::kMin: return "min";
    case AccumulatorKind::kMax: return "max";
    case AccumulatorKind::kFirst: return "first";
    case AccumulatorKind::kLast: return "last";
  }
  return "?";
}

}  // namespace rivulet
