#include "operators/aggregate/aggregate_plan.h"

#include <cmath>

#include "base/suggest.h"

namespace rivulet {

enum class AggregatePlan::Finisher : uint8_t {
  kRows,
  kSum,
  kAvg,
  kValue,
  kVariance,
  kVariancePopulation,
  kDeviation,
  kDeviationPopulation,
};

// What a call like `avg(x)` is made of.
struct AggregatePlan::Definition {
  std::string_view name;
  AccumulatorKind accumulator;
  Finisher finisher;
  expr::StaticType accepts;  // types of the argument besides null
};

const std::vector<AggregatePlan::Definition>& AggregatePlan::Definitions() {
  constexpr expr::StaticType kNumber = MaskOf(Type::kInt) | MaskOf(Type::kFloat);
  static const std::vector<Definition> definitions = {
      {"avg", AccumulatorKind::kSum, Finisher::kAvg, kNumber},
      {"count", AccumulatorKind::kRows, Finisher::kRows, kAnyType},
      {"first", AccumulatorKind::kFirst, Finisher::kValue, kAnyType},
      {"last", AccumulatorKind::kLast, Finisher::kValue, kAnyType},
      {"max", AccumulatorKind::kMax, Finisher::kValue, kAnyType},
      {"min", AccumulatorKind::kMin, Finisher::kValue, kAnyType},
      {"stddev", AccumulatorKind::kMoments, Finisher::kDeviation, kNumber},
      {"stddev_pop", AccumulatorKind::kMoments, Finisher::kDeviationPopulation, kNumber},
      {"sum", AccumulatorKind::kSum, Finisher::kSum, kNumber},
      {"var", AccumulatorKind::kMoments, Finisher::kVariance, kNumber},
      {"var_pop", AccumulatorKind::kMoments, Finisher::kVariancePopulation, kNumber},
  };
  return definitions;
}

const AggregatePlan::Definition* AggregatePlan::Find(std::string_view name) {
  for (const Definition& d : Definitions()) {
    if (d.name == name) return &d;
  }
  return nullptr;
}

std::vector<std::string> AggregatePlan::Names() {
  std::vector<std::string> names;
  for (const Definition& d : Definitions()) names.emplace_back(d.name);
  return names;
}

namespace {

std::string ListNames(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& n : names) text += (text.empty() ? "" : ", ") + n;
  return text;
}

}  // namespace

int32_t AggregatePlan::AddArgument(const expr::Program& program, TypeMask accepts) {
  accepts |= MaskOf(Type::kNull);
  for (size_t i = 0; i < arguments_.size(); ++i) {
    if (arguments_[i].canonical() != program.canonical()) continue;
    accepts_[i] &= accepts;
    return static_cast<int32_t>(i);
  }
  arguments_.push_back(program);
  accepts_.push_back(accepts);
  return static_cast<int32_t>(arguments_.size() - 1);
}

Status AggregatePlan::Add(const std::string& name, const expr::AggregateCall& call) {
  const Definition* d = Find(call.function);
  if (d == nullptr) {
    const std::vector<std::string> names = Names();
    return Status(ErrorCode::kUnknownAggregate, "'" + call.function + "'" +
                                                    DidYouMean(call.function, names) +
                                                    "; aggregates are " + ListNames(names));
  }
  const bool is_count = d->finisher == Finisher::kRows;
  const size_t given = call.arguments.size();
  if (given > 1 || (given == 0 && !is_count)) {
    return Status(ErrorCode::kWrongArgumentCount,
                  "'" + call.function + "' takes " + (is_count ? "at most " : "") +
                      "one argument, found " + std::to_string(given));
  }
  if (given == 1) {
    const expr::StaticType type = call.arguments[0].type() & ~MaskOf(Type::kNull);
    if (type != 0 && (type & d->accepts) == 0) {
      return Status(ErrorCode::kWrongArgumentType,
                    "'" + call.function + "' needs a number, '" + call.arguments[0].canonical() +
                        "' is not one");
    }
  }

  AccumulatorSlot slot{d->accumulator, -1, -1, 0, ""};
  if (given == 1) slot.argument = AddArgument(call.arguments[0], d->accepts);
  if (!call.filter.empty()) slot.filter = AddArgument(call.filter[0], MaskOf(Type::kBool));
  slot.signature = std::string(AccumulatorName(slot.kind)) + "(" +
                   (slot.argument >= 0 ? call.arguments[0].canonical() : "") + ")" +
                   (slot.filter >= 0 ? " where " + call.filter[0].canonical() : "");

  uint32_t index = 0;
  while (index < slots_.size() && slots_[index].signature != slot.signature) ++index;
  if (index == slots_.size()) {
    const Accumulator& accumulator = GetAccumulator(slot.kind);
    slot.offset = block_bytes_;
    block_bytes_ += (accumulator.size() + 7) & ~size_t{7};
    has_heap_ = has_heap_ || accumulator.has_heap();
    slots_.push_back(slot);
  }
  outputs_.push_back({name, d->finisher, index});
  return Status::Ok();
}

expr::StaticType AggregatePlan::output_type(size_t i) const {
  const expr::StaticType null = MaskOf(Type::kNull);
  switch (outputs_[i].finisher) {
    case Finisher::kRows:
      return MaskOf(Type::kInt);
    case Finisher::kSum:
      return MaskOf(Type::kInt) | MaskOf(Type::kFloat) | null;
    case Finisher::kValue: {
      const int32_t argument = slots_[outputs_[i].slot].argument;
      return static_cast<expr::StaticType>(arguments_[static_cast<size_t>(argument)].type() | null);
    }
    default:
      return MaskOf(Type::kFloat) | null;
  }
}

void AggregatePlan::Init(char* block) const {
  for (const AccumulatorSlot& s : slots_) GetAccumulator(s.kind).Init(block + s.offset);
}

void AggregatePlan::Destroy(char* block) const {
  if (!has_heap_) return;
  for (const AccumulatorSlot& s : slots_) GetAccumulator(s.kind).Destroy(block + s.offset);
}

void AggregatePlan::Merge(char* into, const char* from) const {
  for (const AccumulatorSlot& s : slots_) {
    GetAccumulator(s.kind).Merge(into + s.offset, from + s.offset);
  }
}

void AggregatePlan::Encode(const char* block, std::string* out) const {
  for (const AccumulatorSlot& s : slots_) GetAccumulator(s.kind).Encode(block + s.offset, out);
}

bool AggregatePlan::Decode(std::string_view* in, char* block) const {
  Init(block);
  for (const AccumulatorSlot& s : slots_) {
    if (!GetAccumulator(s.kind).Decode(in, block + s.offset)) {
      Destroy(block);
      return false;
    }
  }
  return true;
}

size_t AggregatePlan::HeapBytes(const char* block) const {
  if (!has_heap_) return 0;
  size_t bytes = 0;
  for (const AccumulatorSlot& s : slots_) {
    bytes += GetAccumulator(s.kind).HeapBytes(block + s.offset);
  }
  return bytes;
}

namespace {

// The float value of a sum: an infinite sum has a meaningless compensation.
double FloatSum(const SumState& s) {
  const double sum = s.f + static_cast<double>(s.i);
  return std::isfinite(s.c) ? sum + s.c : sum;
}

void FinishSum(const SumState& s, Column* out, uint32_t row) {
  if ((s.n & ~SumState::kFloatSeen) == 0) return out->SetNull(row);
  if ((s.n & SumState::kFloatSeen) == 0) return out->SetInt(row, s.i);
  out->SetFloat(row, FloatSum(s));
}

void FinishAvg(const SumState& s, Column* out, uint32_t row) {
  const uint64_t n = s.n & ~SumState::kFloatSeen;
  if (n == 0) return out->SetNull(row);
  out->SetFloat(row, FloatSum(s) / static_cast<double>(n));
}

void FinishMoments(const MomentsState& s, bool population, bool root, Column* out, uint32_t row) {
  const double divisor = population ? s.n : s.n - 1;
  if (divisor <= 0) return out->SetNull(row);
  const double variance = s.m2 / divisor;
  out->SetFloat(row, root ? std::sqrt(variance) : variance);
}

}  // namespace

void AggregatePlan::Finish(const char* block, size_t i, Column* out, uint32_t row) const {
  const char* state = block + slots_[outputs_[i].slot].offset;
  const auto& sum = *reinterpret_cast<const SumState*>(state);
  const auto& moments = *reinterpret_cast<const MomentsState*>(state);
  switch (outputs_[i].finisher) {
    case Finisher::kRows: out->SetInt(row, static_cast<int64_t>(RowsCount(state))); break;
    case Finisher::kSum: FinishSum(sum, out, row); break;
    case Finisher::kAvg: FinishAvg(sum, out, row); break;
    case Finisher::kValue: out->Set(row, ReadValueState(state)); break;
    case Finisher::kVariance: FinishMoments(moments, false, false, out, row); break;
    case Finisher::kVariancePopulation: FinishMoments(moments, true, false, out, row); break;
    case Finisher::kDeviation: FinishMoments(moments, false, true, out, row); break;
    case Finisher::kDeviationPopulation: FinishMoments(moments, true, true, out, row); break;
  }
}

}  // namespace rivulet
