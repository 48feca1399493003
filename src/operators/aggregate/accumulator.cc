#include "operators/aggregate/accumulator.h"

#include <charconv>
#include <cmath>

#include "base/json_writer.h"
#include "operators/aggregate/accumulator_bounds.h"
#include "operators/aggregate/accumulator_kinds.h"

namespace rivulet {
namespace {

struct KindName {
  AccumulatorKind kind;
  std::string_view name;
  size_t parameters;
  bool optional = false;  // the parameter: where it is 0 it is not written
};

constexpr KindName kKinds[] = {
    {AccumulatorKind::kRows, "rows", 0},
    {AccumulatorKind::kSum, "sum", 0},
    {AccumulatorKind::kMoments, "moments", 0},
    {AccumulatorKind::kMin, "min", 0},
    {AccumulatorKind::kMax, "max", 0},
    {AccumulatorKind::kFirst, "first", 0},
    {AccumulatorKind::kLast, "last", 0},
    {AccumulatorKind::kQuantiles, "quantiles", 1},
    {AccumulatorKind::kNumbers, "numbers", 0},
    {AccumulatorKind::kDistinct, "distinct", 0},
    {AccumulatorKind::kFrequent, "frequent", 0},
    {AccumulatorKind::kHistogram, "histogram", 3},
    {AccumulatorKind::kList, "list", 1},
    {AccumulatorKind::kCurve, "curve", 1, true},
    {AccumulatorKind::kComoments, "comoments", 0},
    {AccumulatorKind::kMinBy, "min_by", 0},
    {AccumulatorKind::kMaxBy, "max_by", 0},
    {AccumulatorKind::kTruths, "truths", 0},
    {AccumulatorKind::kDecay, "decay", 1},
};

bool WholeWithin(double v, int64_t low, int64_t high) {
  return v >= static_cast<double>(low) && v <= static_cast<double>(high) && v == std::floor(v);
}

bool GoodParameters(const AccumulatorSpec& spec) {
  const auto& p = spec.parameters;
  switch (spec.kind) {
    case AccumulatorKind::kQuantiles:
      return p[0] >= bounds::kSmallestError && p[0] <= bounds::kLargestError;
    case AccumulatorKind::kHistogram:
      return p[0] < p[1] && std::isfinite(p[1] - p[0]) && WholeWithin(p[2], 1, bounds::kMostBuckets);
    case AccumulatorKind::kList: return WholeWithin(p[0], 1, bounds::kLongestList);
    case AccumulatorKind::kDecay: return WholeWithin(p[0], 1, bounds::kLongestDuration);
    case AccumulatorKind::kCurve: return WholeWithin(p[0], 0, bounds::kLongestDuration);
    default: return true;
  }
}

}  // namespace

std::shared_ptr<const Accumulator> NewAccumulator(const AccumulatorSpec& spec) {
  if (!GoodParameters(spec)) return nullptr;
  const auto& p = spec.parameters;
  switch (spec.kind) {
    case AccumulatorKind::kRows: return NewRows();
    case AccumulatorKind::kSum: return NewSum();
    case AccumulatorKind::kMoments: return NewMoments();
    case AccumulatorKind::kMin: return NewExtreme(false);
    case AccumulatorKind::kMax: return NewExtreme(true);
    case AccumulatorKind::kFirst: return NewEdge(false);
    case AccumulatorKind::kLast: return NewEdge(true);
    case AccumulatorKind::kQuantiles: return NewQuantiles(p[0]);
    case AccumulatorKind::kNumbers: return NewNumbers();
    case AccumulatorKind::kDistinct: return NewDistinct();
    case AccumulatorKind::kFrequent: return NewFrequent();
    case AccumulatorKind::kHistogram: return NewHistogram(p[0], p[1], static_cast<uint32_t>(p[2]));
    case AccumulatorKind::kList: return NewList(static_cast<size_t>(p[0]));
    case AccumulatorKind::kCurve: return NewCurve(p[0]);
    case AccumulatorKind::kComoments: return NewComoments();
    case AccumulatorKind::kMinBy: return NewExtremeBy(false);
    case AccumulatorKind::kMaxBy: return NewExtremeBy(true);
    case AccumulatorKind::kTruths: return NewTruths();
    case AccumulatorKind::kDecay: return NewDecay(p[0]);
  }
  return nullptr;
}

std::string DescribeAccumulator(const AccumulatorSpec& spec) {
  for (const KindName& k : kKinds) {
    if (k.kind != spec.kind) continue;
    std::string text(k.name);
    if (k.optional && spec.parameters[0] == 0) return text;
    for (size_t i = 0; i < k.parameters; ++i) {
      text += i == 0 ? '[' : ',';
      AppendJsonFloat(&text, spec.parameters[i]);
    }
    if (k.parameters > 0) text += ']';
    return text;
  }
  return "?";
}

std::optional<AccumulatorSpec> ParseAccumulator(std::string_view text) {
  const std::string_view name = text.substr(0, text.find('['));
  std::string_view rest = text.substr(name.size());
  for (const KindName& k : kKinds) {
    if (k.name != name) continue;
    AccumulatorSpec spec{k.kind, {}};
    if (k.optional && rest.empty()) return spec;
    for (size_t i = 0; i < k.parameters; ++i) {
      if (rest.empty()) return std::nullopt;
      rest.remove_prefix(1);  // the bracket or a comma
      const auto [end, error] =
          std::from_chars(rest.data(), rest.data() + rest.size(), spec.parameters[i]);
      if (error != std::errc()) return std::nullopt;
      rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    }
    if (rest != (k.parameters > 0 ? "]" : "")) return std::nullopt;
    return spec;
  }
  return std::nullopt;
}

}  // namespace rivulet
