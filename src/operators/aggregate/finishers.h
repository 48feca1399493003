// Finishers: what an aggregate's result is, given its accumulators. Private to the aggregate folder.
#pragma once

#include <cstdint>

#include "base/record_batch.h"
#include "operators/aggregate/accumulator.h"

namespace rivulet {

struct FinishInput {
  const Accumulator* accumulator;
  const char* state;         // of it
  const char* other;         // state of the second accumulator, where there is one
  const double* parameters;  // the aggregate's, those that do not shape the state, in order
};

// Writes the result into `out` at `row`.
using Finisher = void (*)(const FinishInput& in, Column* out, uint32_t row);

namespace finish {

void Count(const FinishInput& in, Column* out, uint32_t row);
void Sum(const FinishInput& in, Column* out, uint32_t row);
void Average(const FinishInput& in, Column* out, uint32_t row);
void Variance(const FinishInput& in, Column* out, uint32_t row);
void VariancePopulation(const FinishInput& in, Column* out, uint32_t row);
void Deviation(const FinishInput& in, Column* out, uint32_t row);
void DeviationPopulation(const FinishInput& in, Column* out, uint32_t row);

// The value of an accumulator that keeps one; the difference of two such numbers.
void Single(const FinishInput& in, Column* out, uint32_t row);
void Difference(const FinishInput& in, Column* out, uint32_t row);

// In finishers_sketches.cc.
void Median(const FinishInput& in, Column* out, uint32_t row);
void Percentile(const FinishInput& in, Column* out, uint32_t row);       // parameters: p
void PercentileDiscrete(const FinishInput& in, Column* out, uint32_t row);  // p
void PercentileExact(const FinishInput& in, Column* out, uint32_t row);  // p
void Distinct(const FinishInput& in, Column* out, uint32_t row);
void Mode(const FinishInput& in, Column* out, uint32_t row);

// JSON text. In finishers_sketches.cc.
void TopK(const FinishInput& in, Column* out, uint32_t row);  // k
void List(const FinishInput& in, Column* out, uint32_t row);
void Buckets(const FinishInput& in, Column* out, uint32_t row);

void Area(const FinishInput& in, Column* out, uint32_t row);         // 0 linear, 1 step
void TimeAverage(const FinishInput& in, Column* out, uint32_t row);  // likewise
void Increase(const FinishInput& in, Column* out, uint32_t row);
void Rate(const FinishInput& in, Column* out, uint32_t row);

void Slope(const FinishInput& in, Column* out, uint32_t row);
void Correlation(const FinishInput& in, Column* out, uint32_t row);
void Covariance(const FinishInput& in, Column* out, uint32_t row);
void CovariancePopulation(const FinishInput& in, Column* out, uint32_t row);

void All(const FinishInput& in, Column* out, uint32_t row);
void Any(const FinishInput& in, Column* out, uint32_t row);
void DecayedMean(const FinishInput& in, Column* out, uint32_t row);

}  // namespace finish
}  // namespace rivulet
