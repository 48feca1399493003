#include "operators/aggregate/aggregate_plan.h"

#include "base/suggest.h"
#include "operators/aggregate/aggregate_arguments.h"
#include "operators/aggregate/aggregate_definitions.h"

namespace rivulet {

std::vector<std::string> AggregatePlan::Names() {
  std::vector<std::string> names;
  for (const AggregateDefinition& d : AggregateDefinitions()) names.emplace_back(d.name);
  return names;
}

namespace {

Status UnknownAggregate(const std::string& name) {
  const std::vector<std::string> names = AggregatePlan::Names();
  std::string list;
  for (const std::string& n : names) list += (list.empty() ? "" : ", ") + n;
  return {ErrorCode::kUnknownAggregate,
          "'" + name + "'" + DidYouMean(name, names) + "; aggregates are " + list};
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
  identifies_.push_back(false);
  return static_cast<int32_t>(arguments_.size() - 1);
}

// The slot of an accumulator over the values and filter of `values`: one that is there, or a new one.
uint32_t AggregatePlan::AddSlot(const AccumulatorSpec& spec, const AccumulatorSlot& values) {
  const auto text = [this](int32_t argument) -> const std::string& {
    return arguments_[static_cast<size_t>(argument)].canonical();
  };
  std::string signature = DescribeAccumulator(spec) + "(";
  if (values.argument >= 0) signature += text(values.argument);
  if (values.second >= 0) signature += ", " + text(values.second);
  signature += ")";
  if (values.filter >= 0) signature += " where " + text(values.filter);
  for (uint32_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].signature == signature) return i;
  }
  AccumulatorSlot slot = values;
  slot.kind = spec.kind;
  slot.accumulator = NewAccumulator(spec);
  slot.offset = block_bytes_;
  slot.signature = std::move(signature);
  block_bytes_ += (slot.accumulator->size() + 7) & ~size_t{7};
  has_heap_ = has_heap_ || slot.accumulator->has_heap();
  slots_.push_back(std::move(slot));
  return static_cast<uint32_t>(slots_.size() - 1);
}

Status AggregatePlan::Add(const std::string& name, const expr::AggregateCall& call,
                          size_t* offset) {
  size_t ignored = 0;
  if (offset == nullptr) offset = &ignored;
  *offset = call.function_offset;
  const AggregateDefinition* d = FindAggregate(call.function);
  if (d == nullptr) return UnknownAggregate(call.function);
  RIVULET_ASSIGN_OR_RETURN(const AggregateArguments given, CheckArguments(*d, call, offset));
  const AccumulatorSpec spec{d->accumulator, given.of_state};
  if (NewAccumulator(spec) == nullptr) {
    return {ErrorCode::kBadArgument,
            "'" + call.canonical + "': 'low' must be less than 'high', and their distance a number"};
  }
  AccumulatorSlot values;
  values.kind = d->accumulator;
  if (given.values > 0) {
    values.argument = AddArgument(call.arguments[0], d->accepts);
    if (d->accumulator == AccumulatorKind::kDistinct || d->accumulator == AccumulatorKind::kFrequent) {
      identifies_[static_cast<size_t>(values.argument)] = true;
    }
  }
  if (given.values > 1) values.second = AddArgument(call.arguments[1], d->accepts);
  if (!call.filter.empty()) values.filter = AddArgument(call.filter[0], MaskOf(Type::kBool));
  const uint32_t slot = AddSlot(spec, values);
  const int32_t other = d->other ? static_cast<int32_t>(AddSlot({*d->other, {}}, values)) : -1;
  outputs_.push_back({name, d, slot, other, given.of_finisher});
  return Status::Ok();
}

expr::StaticType AggregatePlan::output_type(size_t i) const {
  const expr::StaticType null = MaskOf(Type::kNull);
  switch (outputs_[i].definition->result) {
    case AggregateResult::kInt: return MaskOf(Type::kInt);
    case AggregateResult::kFloat: return MaskOf(Type::kFloat) | null;
    case AggregateResult::kNumber: return MaskOf(Type::kInt) | MaskOf(Type::kFloat) | null;
    case AggregateResult::kBool: return MaskOf(Type::kBool) | null;
    case AggregateResult::kList: return MaskOf(Type::kString);
    case AggregateResult::kAny: break;
    case AggregateResult::kArgument: {
      const int32_t argument = slots_[outputs_[i].slot].argument;
      return static_cast<expr::StaticType>(arguments_[static_cast<size_t>(argument)].type() | null);
    }
  }
  return kAnyType;
}

bool AggregatePlan::output_is_json(size_t i) const {
  return outputs_[i].definition->result == AggregateResult::kList;
}

void AggregatePlan::Init(char* block) const {
  for (const AccumulatorSlot& s : slots_) s.accumulator->Init(block + s.offset);
}

void AggregatePlan::Destroy(char* block) const {
  if (!has_heap_) return;
  for (const AccumulatorSlot& s : slots_) s.accumulator->Destroy(block + s.offset);
}

void AggregatePlan::Merge(char* into, const char* from) const {
  for (const AccumulatorSlot& s : slots_) s.accumulator->Merge(into + s.offset, from + s.offset);
}

void AggregatePlan::Encode(const char* block, std::string* out) const {
  for (const AccumulatorSlot& s : slots_) s.accumulator->Encode(block + s.offset, out);
}

bool AggregatePlan::Decode(std::string_view* in, char* block) const {
  Init(block);
  for (const AccumulatorSlot& s : slots_) {
    if (!s.accumulator->Decode(in, block + s.offset)) {
      Destroy(block);
      return false;
    }
  }
  return true;
}

size_t AggregatePlan::HeapBytes(const char* block) const {
  if (!has_heap_) return 0;
  size_t bytes = 0;
  for (const AccumulatorSlot& s : slots_) bytes += s.accumulator->HeapBytes(block + s.offset);
  return bytes;
}

void AggregatePlan::Finish(const char* block, size_t i, Column* out, uint32_t row) const {
  const Output& output = outputs_[i];
  const AccumulatorSlot& slot = slots_[output.slot];
  const char* other =
      output.other < 0 ? nullptr : block + slots_[static_cast<size_t>(output.other)].offset;
  output.definition->finish(
      {slot.accumulator.get(), block + slot.offset, other, output.parameters.data()}, out, row);
}

}  // namespace rivulet
