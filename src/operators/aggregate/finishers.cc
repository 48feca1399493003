#include "operators/aggregate/finishers.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/wide_int.h"
#include "operators/aggregate/block_state.h"
#include "operators/aggregate/boxed_accumulators.h"

namespace rivulet::finish {
namespace {

uint64_t CountOf(const SumState& s) { return s.n & ~SumState::kFloatSeen; }

bool OnlyInts(const SumState& s) { return (s.n & SumState::kFloatSeen) == 0; }

// The float nearest to a sum of ints; of a sum with floats its value, where an infinite one has a
// meaningless compensation.
double FloatSum(const SumState& s) {
  if (OnlyInts(s)) {
    const auto carries = static_cast<int64_t>(s.f / SumState::kCarry);
    return static_cast<double>((static_cast<Int128>(carries) << 64) + static_cast<Int128>(s.i));
  }
  const double sum = s.f + static_cast<double>(s.i);
  return std::isfinite(s.c) ? sum + s.c : sum;
}

void Moments(const FinishInput& in, bool population, bool root, Column* out, uint32_t row) {
  const auto& s = *As<MomentsState>(in.state);
  const double divisor = population ? s.n : s.n - 1;
  if (!(divisor > 0)) return out->SetNull(row);
  const double variance = s.m2 / divisor;
  out->SetFloat(row, root ? std::sqrt(variance) : variance);
}

// Of nothing, and where a reading could not be put in its place, there is no result.
std::optional<CurveTotal> TotalOf(const FinishInput& in) {
  const Curve* curve = Unboxed<Curve>(in.state);
  if (curve == nullptr || curve->empty() || curve->missed() > 0) return std::nullopt;
  return static_cast<const CurveAccumulator*>(in.accumulator)->Total(*curve);
}

double AreaOf(const CurveTotal& total, const FinishInput& in) {
  return in.parameters[0] == 0 ? total.sums.linear.Value() : total.sums.step.Value();
}

}  // namespace

void Count(const FinishInput& in, Column* out, uint32_t row) {
  out->SetInt(row, static_cast<int64_t>(RowsCount(in.state)));
}

void Sum(const FinishInput& in, Column* out, uint32_t row) {
  const auto& s = *As<SumState>(in.state);
  if (CountOf(s) == 0) return out->SetNull(row);
  if (OnlyInts(s) && s.f == 0) return out->SetInt(row, s.i);
  out->SetFloat(row, FloatSum(s));
}

void Average(const FinishInput& in, Column* out, uint32_t row) {
  const auto& s = *As<SumState>(in.state);
  if (CountOf(s) == 0) return out->SetNull(row);
  out->SetFloat(row, FloatSum(s) / static_cast<double>(CountOf(s)));
}

void Variance(const FinishInput& in, Column* out, uint32_t row) {
  Moments(in, false, false, out, row);
}
void VariancePopulation(const FinishInput& in, Column* out, uint32_t row) {
  Moments(in, true, false, out, row);
}
void Deviation(const FinishInput& in, Column* out, uint32_t row) {
  Moments(in, false, true, out, row);
}
void DeviationPopulation(const FinishInput& in, Column* out, uint32_t row) {
  Moments(in, true, true, out, row);
}

void Single(const FinishInput& in, Column* out, uint32_t row) {
  out->Set(row, ReadValueState(in.state));
}

// Of ints an int, unless that is beyond 64 bits.
void Difference(const FinishInput& in, Column* out, uint32_t row) {
  const Value a = ReadValueState(in.state);
  const Value b = ReadValueState(in.other);
  if (!a.is_number() || !b.is_number()) return out->SetNull(row);
  int64_t whole = 0;
  if (a.type == Type::kInt && b.type == Type::kInt && !__builtin_sub_overflow(a.i, b.i, &whole)) {
    return out->SetInt(row, whole);
  }
  out->SetFloat(row, a.AsFloat() - b.AsFloat());
}

void Area(const FinishInput& in, Column* out, uint32_t row) {
  const std::optional<CurveTotal> total = TotalOf(in);
  if (!total) return out->SetNull(row);
  out->SetFloat(row, AreaOf(*total, in));
}

// Of one reading, or several at one time: the last.
void TimeAverage(const FinishInput& in, Column* out, uint32_t row) {
  const std::optional<CurveTotal> total = TotalOf(in);
  if (!total) return out->SetNull(row);
  if (total->first.time == total->last.time) return out->SetFloat(row, total->last.value);
  const double seconds = total->CoveredSeconds();
  if (!(seconds > 0)) return out->SetNull(row);
  out->SetFloat(row, AreaOf(*total, in) / seconds);
}

void Increase(const FinishInput& in, Column* out, uint32_t row) {
  const std::optional<CurveTotal> total = TotalOf(in);
  if (!total) return out->SetNull(row);
  out->SetFloat(row, total->sums.increase.Value());
}

void Rate(const FinishInput& in, Column* out, uint32_t row) {
  const std::optional<CurveTotal> total = TotalOf(in);
  if (!total || total->first.time == total->last.time) return out->SetNull(row);
  out->SetFloat(row, total->sums.increase.Value() / total->Seconds());
}

void Slope(const FinishInput& in, Column* out, uint32_t row) {
  const auto& s = *As<ComomentsState>(in.state);
  if (!(s.n > 1) || !(s.xx > 0)) return out->SetNull(row);
  out->SetFloat(row, s.xy / s.xx);
}

void Correlation(const FinishInput& in, Column* out, uint32_t row) {
  const auto& s = *As<ComomentsState>(in.state);
  if (!(s.n > 1) || !(s.xx > 0) || !(s.yy > 0)) return out->SetNull(row);
  const double product = s.xx * s.yy;  // where it over- or underflows, its root is made of roots
  const double scale =
      std::isnormal(product) ? std::sqrt(product) : std::sqrt(s.xx) * std::sqrt(s.yy);
  out->SetFloat(row, std::clamp(s.xy / scale, -1.0, 1.0));
}

void Covariance(const FinishInput& in, Column* out, uint32_t row) {
  const auto& s = *As<ComomentsState>(in.state);
  if (!(s.n > 1)) return out->SetNull(row);
  out->SetFloat(row, s.xy / (s.n - 1));
}

void CovariancePopulation(const FinishInput& in, Column* out, uint32_t row) {
  const auto& s = *As<ComomentsState>(in.state);
  if (!(s.n > 0)) return out->SetNull(row);
  out->SetFloat(row, s.xy / s.n);
}

void All(const FinishInput& in, Column* out, uint32_t row) {
  const auto& s = *As<TruthsState>(in.state);
  if (s.any_true + s.any_false == 0) return out->SetNull(row);
  out->SetBool(row, s.any_false == 0);
}

void Any(const FinishInput& in, Column* out, uint32_t row) {
  const auto& s = *As<TruthsState>(in.state);
  if (s.any_true + s.any_false == 0) return out->SetNull(row);
  out->SetBool(row, s.any_true != 0);
}

void DecayedMean(const FinishInput& in, Column* out, uint32_t row) {
  const auto& s = *As<DecayState>(in.state);
  if (!(s.weight > 0)) return out->SetNull(row);
  out->SetFloat(row, s.weighted / s.weight);
}

}  // namespace rivulet::finish
