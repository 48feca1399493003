// KeyedPlan: the steps between `key` and `window` from the first one on that remembers something of each
// key, compiled. Immutable; shared by all workers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "operators/expr/history_calls.h"
#include "operators/steps/step_chain.h"
#include "operators/time/event_time_column.h"

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

// Something a detector looks at in each record.
struct DetectInput {
  expr::Program program;
  uint32_t column = 0;     // where it is, or is computed to
  TypeMask accepts = 0;    // besides null
};

// Follows one condition of each key; see docs/pipelines.md for the kinds.
struct DetectSpec {
  enum class Kind : uint8_t { kWhen, kChange, kStuck, kGap, kAnomaly } kind = Kind::kWhen;
  std::string name;
  std::optional<DetectInput> of;     // the condition, or the value
  std::optional<DetectInput> limit;  // when: until; change: by; anomaly: score
  int64_t hold_us = 0;               // `for`; gap: how long
  uint32_t over = 0;                 // anomaly: how many values the spread is taken over
  bool all = false;                  // lets every record through
  // `for` is over by time alone as well. Without `all` a record is then made of the key's last one, of which
  // the steps behind need `carried`; each is known by its name's hash.
  bool by_time = false;
  struct Carried {
    uint32_t column;
    uint32_t name;
  };
  std::vector<Carried> carried;
  std::vector<EventTimeColumn> event_times;  // filled in a record that is made
  // What is said: a bool; ms, an int; anomaly: the score.
  uint32_t column = 0, since_column = 0, score_column = 0;
};

struct KeyedPlanStep {
  std::variant<StepChain, DedupSpec, HistorySpec, DetectSpec> what;
  // Not for a StepChain. What is remembered belongs to the step that has this signature.
  std::string signature;
  int64_t keep_us = 0;
};

struct KeyedPlan {
  std::vector<KeyedPlanStep> steps;
  uint32_t columns = 0;            // of a worker's own batch, numbered as those of the source
  std::vector<uint32_t> gathered;  // those it takes over from the source batch

  bool empty() const { return steps.empty(); }
  // What the steps from `step` on, and then `argument_columns` and `arguments`, take over from before.
  std::vector<uint32_t> ReadBehind(size_t step, const StepChain& arguments,
                                   const std::vector<uint32_t>& argument_columns) const;
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
