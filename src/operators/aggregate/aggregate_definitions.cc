#include "operators/aggregate/aggregate_definitions.h"

#include <limits>

#include "operators/aggregate/accumulator_bounds.h"

namespace rivulet {
namespace {

using Kind = AggregateParameter::Kind;
using Result = AggregateResult;

constexpr TypeMask kNumbers = MaskOf(Type::kInt) | MaskOf(Type::kFloat);
constexpr TypeMask kBools = MaskOf(Type::kBool);

constexpr double kLowest = std::numeric_limits<double>::lowest();
constexpr double kHighest = std::numeric_limits<double>::max();
constexpr std::string_view kJoins[] = {"linear", "step"};

// In the order in which they are given; those that shape the state in that of the accumulator's.
constexpr AggregateParameter kShare = {"p", Kind::kNumber, 0, 1, false};
constexpr AggregateParameter kError = {
    "error", Kind::kNumber, bounds::kSmallestError, bounds::kLargestError, true,
    bounds::kDefaultError};
constexpr AggregateParameter kMedian[] = {kError};
constexpr AggregateParameter kPercentile[] = {kShare, kError};
constexpr AggregateParameter kExact[] = {kShare};
constexpr AggregateParameter kTopK[] = {{"k", Kind::kWhole, 1, bounds::kMostTopK, false}};
constexpr AggregateParameter kHistogram[] = {
    {"low", Kind::kNumber, kLowest, kHighest, true},
    {"high", Kind::kNumber, kLowest, kHighest, true},
    {"buckets", Kind::kWhole, 1, bounds::kMostBuckets, true}};
constexpr AggregateParameter kCollect[] = {
    {"limit", Kind::kWhole, 1, bounds::kLongestList, true, bounds::kDefaultList}};
constexpr AggregateParameter kJoin[] = {
    {"points", Kind::kWord, 0, 1, false, 0, kJoins},
    {"max_gap", Kind::kDuration, 1, bounds::kLongestDuration, true, 0}};
constexpr AggregateParameter kHalfLife[] = {
    {"half-life", Kind::kDuration, 1, bounds::kLongestDuration, true}};

// The documents' test reads names from the beginnings of these rows.
constexpr AggregateDefinition kDefinitions[] = {
    {"avg", AccumulatorKind::kSum, finish::Average, Result::kFloat, kNumbers, "x"},
    {"bool_and", AccumulatorKind::kTruths, finish::All, Result::kBool, kBools, "x"},
    {"bool_or", AccumulatorKind::kTruths, finish::Any, Result::kBool, kBools, "x"},
    {"collect", AccumulatorKind::kList, finish::List, Result::kList, kAnyType, "x[, limit]", 1, 1,
     kCollect},
    {"corr", AccumulatorKind::kComoments, finish::Correlation, Result::kFloat, kNumbers, "y, x", 2, 2},
    {"count", AccumulatorKind::kRows, finish::Count, Result::kInt, kAnyType, "[x]", 0, 1},
    {"covar", AccumulatorKind::kComoments, finish::Covariance, Result::kFloat, kNumbers, "y, x", 2, 2},
    {"covar_pop", AccumulatorKind::kComoments, finish::CovariancePopulation, Result::kFloat, kNumbers,
     "y, x", 2, 2},
    {"delta", AccumulatorKind::kLast, finish::Difference, Result::kNumber, kNumbers, "x", 1, 1, {},
     AccumulatorKind::kFirst},
    {"distinct", AccumulatorKind::kDistinct, finish::Distinct, Result::kInt, kAnyType, "x"},
    {"ewma", AccumulatorKind::kDecay, finish::DecayedMean, Result::kFloat, kNumbers, "x, half-life",
     1, 1, kHalfLife},
    {"first", AccumulatorKind::kFirst, finish::Single, Result::kArgument, kAnyType, "x"},
    {"histogram", AccumulatorKind::kHistogram, finish::Buckets, Result::kList, kNumbers,
     "x, low, high, buckets", 1, 1, kHistogram},
    {"increase", AccumulatorKind::kCurve, finish::Increase, Result::kFloat, kNumbers, "x"},
    {"integral", AccumulatorKind::kCurve, finish::Area, Result::kFloat, kNumbers,
     "x[, 'linear' or 'step'][, max_gap]", 1, 1, kJoin},
    {"last", AccumulatorKind::kLast, finish::Single, Result::kArgument, kAnyType, "x"},
    {"max", AccumulatorKind::kMax, finish::Single, Result::kArgument, kAnyType, "x"},
    {"max_by", AccumulatorKind::kMaxBy, finish::Single, Result::kArgument, kAnyType, "x, by", 2, 2},
    {"median", AccumulatorKind::kQuantiles, finish::Median, Result::kFloat, kNumbers, "x[, error]", 1,
     1, kMedian},
    {"min", AccumulatorKind::kMin, finish::Single, Result::kArgument, kAnyType, "x"},
    {"min_by", AccumulatorKind::kMinBy, finish::Single, Result::kArgument, kAnyType, "x, by", 2, 2},
    {"mode", AccumulatorKind::kFrequent, finish::Mode, Result::kAny, kAnyType, "x"},
    {"percentile", AccumulatorKind::kQuantiles, finish::Percentile, Result::kFloat, kNumbers,
     "x, p[, error]", 1, 1, kPercentile},
    {"percentile_disc", AccumulatorKind::kQuantiles, finish::PercentileDiscrete, Result::kFloat, kNumbers,
     "x, p[, error]", 1, 1, kPercentile},
    {"percentile_exact", AccumulatorKind::kNumbers, finish::PercentileExact, Result::kFloat, kNumbers,
     "x, p", 1, 1, kExact},
    {"range", AccumulatorKind::kMax, finish::Difference, Result::kNumber, kNumbers, "x", 1, 1, {},
     AccumulatorKind::kMin},
    {"rate", AccumulatorKind::kCurve, finish::Rate, Result::kFloat, kNumbers, "x"},
    {"slope", AccumulatorKind::kComoments, finish::Slope, Result::kFloat, kNumbers, "y[, x]", 1, 2},
    {"stddev", AccumulatorKind::kMoments, finish::Deviation, Result::kFloat, kNumbers, "x"},
    {"stddev_pop", AccumulatorKind::kMoments, finish::DeviationPopulation, Result::kFloat, kNumbers,
     "x"},
    {"sum", AccumulatorKind::kSum, finish::Sum, Result::kNumber, kNumbers, "x"},
    {"top_k", AccumulatorKind::kFrequent, finish::TopK, Result::kList, kAnyType, "x, k", 1, 1, kTopK},
    {"twa", AccumulatorKind::kCurve, finish::TimeAverage, Result::kFloat, kNumbers,
     "x[, 'linear' or 'step'][, max_gap]", 1, 1, kJoin},
    {"var", AccumulatorKind::kMoments, finish::Variance, Result::kFloat, kNumbers, "x"},
    {"var_pop", AccumulatorKind::kMoments, finish::VariancePopulation, Result::kFloat, kNumbers, "x"},
};

}  // namespace

std::span<const AggregateDefinition> AggregateDefinitions() { return kDefinitions; }

const AggregateDefinition* FindAggregate(std::string_view name) {
  for (const AggregateDefinition& d : kDefinitions) {
    if (d.name == name) return &d;
  }
  return nullptr;
}

}  // namespace rivulet
