// KeyedPlan: the steps between `key` and `window` from the first one on that remembers something of each
// key, compiled. Immutable; shared by all workers.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "operators/expr/history_calls.h"
#include "operators/steps/step_chain.h"

namespace rivulet {

// Drops a record whose values some record let through before has, less than `within` away in event time.
struct DedupSpec {
  std::vector<uint32_t> columns;  // empty: the record's bytes as received
  int64_t within_us = 0;
};

// Computes calls of prev, changed and since for every record that comes to this step.
struct HistoryItem {
  expr::HistoryFunction function;
  expr::Program argument;
  uint32_t records = 1;          // prev: how many records back
  uint32_t argument_column = 0;  // where the argument is, or is computed to
  uint32_t column = 0;           // where the call's value goes
  std::string canonical;
};
struct HistorySpec {
  std::vector<HistoryItem> items;
};

struct KeyedPlanStep {
  std::variant<StepChain, DedupSpec, HistorySpec> what;
  // Not for a StepChain. What is remembered belongs to the step that has this signature.
  std::string signature;
  int64_t keep_us = 0;
};

struct KeyedPlan {
  std::vector<KeyedPlanStep> steps;
  uint32_t columns = 0;            // of a worker's own batch, numbered as those of the source
  std::vector<uint32_t> gathered;  // those it takes over from the source batch

  bool empty() const { return steps.empty(); }
  // When all steps are there: fills `columns` and `gathered`. `arguments` run behind the steps, and
  // `argument_columns` are read at the end.
  void Finish(const StepChain& arguments, const std::vector<uint32_t>& argument_columns,
              uint32_t column_count);
  // The stateless steps at the end, to be added to.
  StepChain& chain() {
    if (steps.empty() || !std::holds_alternative<StepChain>(steps.back().what)) {
      steps.push_back({StepChain(), "", 0});
    }
    return std::get<StepChain>(steps.back().what);
  }
};

}  // namespace rivulet
