// Finishers over what lies outside the block, and of results that are lists.
#include <string>

#include "base/json_writer.h"
#include "operators/aggregate/block_state.h"
#include "operators/aggregate/boxed_accumulators.h"
#include "operators/aggregate/finishers.h"

namespace rivulet::finish {
namespace {

const NumberList* Numbers(const FinishInput& in) {
  const NumberList* numbers = Unboxed<NumberList>(in.state);
  return numbers == nullptr || numbers->count() == 0 ? nullptr : numbers;
}

void Quantile(const FinishInput& in, double p, Column* out, uint32_t row) {
  const NumberList* numbers = Numbers(in);
  if (numbers == nullptr) return out->SetNull(row);
  out->SetFloat(row, numbers->Quantile(static_cast<const NumbersAccumulator*>(in.accumulator)->limits(), p));
}

// Appends to a JSON array: the comma in front.
void Next(std::string* list) {
  if (list->size() > 1) list->push_back(',');
}

}  // namespace

void Median(const FinishInput& in, Column* out, uint32_t row) { Quantile(in, 0.5, out, row); }
void Percentile(const FinishInput& in, Column* out, uint32_t row) {
  Quantile(in, in.parameters[0], out, row);
}

void PercentileExact(const FinishInput& in, Column* out, uint32_t row) {
  Quantile(in, in.parameters[0], out, row);
}
void PercentileDiscrete(const FinishInput& in, Column* out, uint32_t row) {
  const NumberList* numbers = Numbers(in);
  if (numbers == nullptr) return out->SetNull(row);
  const auto& limits = static_cast<const NumbersAccumulator*>(in.accumulator)->limits();
  out->SetFloat(row, numbers->Discrete(limits, in.parameters[0]));
}

void Distinct(const FinishInput& in, Column* out, uint32_t row) {
  const DistinctCounter* counter = Unboxed<DistinctCounter>(in.state);
  out->SetInt(row, counter == nullptr ? 0 : counter->Estimate());
}

void Mode(const FinishInput& in, Column* out, uint32_t row) {
  const FrequentValues* values = Unboxed<FrequentValues>(in.state);
  if (values == nullptr) return out->SetNull(row);
  const auto top = values->Top(1);
  if (top.empty()) return out->SetNull(row);
  out->Set(row, top[0]->value.Get());
}

void TopK(const FinishInput& in, Column* out, uint32_t row) {
  std::string list = "[";
  if (const FrequentValues* values = Unboxed<FrequentValues>(in.state)) {
    for (const auto* entry : values->Top(static_cast<size_t>(in.parameters[0]))) {
      Next(&list);
      list += "{\"value\":";
      AppendJsonValue(&list, entry->value.Get());
      list += ",\"count\":";
      AppendJsonInt(&list, static_cast<int64_t>(entry->count));
      list += '}';
    }
  }
  out->SetString(row, list += ']');
}

void List(const FinishInput& in, Column* out, uint32_t row) {
  std::string list = "[";
  if (const ValueList* values = Unboxed<ValueList>(in.state)) {
    for (const ValueList::Entry& entry : values->entries()) {
      Next(&list);
      AppendJsonValue(&list, entry.value.Get());
    }
  }
  out->SetString(row, list += ']');
}

void Buckets(const FinishInput& in, Column* out, uint32_t row) {
  const auto* counts = As<uint64_t>(in.state);
  std::string list = "[";
  for (size_t i = 0; i < in.accumulator->size() / sizeof(uint64_t); ++i) {
    Next(&list);
    AppendJsonInt(&list, static_cast<int64_t>(counts[i]));
  }
  out->SetString(row, list += ']');
}

}  // namespace rivulet::finish
