// PipelineTask: what one pipeline does with the decoded records of a turn: steps, keys, windows,
// results.
//
// A turn is: Prepare(slot) in parallel over source slots, then BeginStep, Process and Close
// (worker) in parallel
// over workers, then Collect, which puts the workers' results in their one order. What comes out
// is the same for every number
// of slots and workers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "node/engine/dead_reasons.h"
#include "node/engine/source_task.h"
#include "node/engine/turn_parts.h"
#include "node/engine/unquoted_counts.h"
#include "node/plan/pipeline_plan.h"
#include "operators/keyed_operator.h"
#include "operators/window/pane_layout.h"

namespace rivulet {

// A finished result: what an output log stores.
struct PipelineResult {
  ResultOrder order;
  int64_t identity_us;    // see WindowResult
  uint32_t revision;
  std::string_view key;   // encoded
  std::string_view json;
  int64_t time_us;        // its event time, where it is read as a record
};

// A record or result for the late output or the dead letters, as a worker leaves it.
struct RejectedRecord {
  std::string reason;
  std::string_view record;             // lives as long as the turn; unused where there is a `result`
  const SourceSlot* source = nullptr;  // null for a result
  uint32_t row = 0;                    // of `source`
  ResultOrder order{};                 // where it stands; for sorting within a turn
  std::string key{};                   // of a result, encoded
  std::string result{};                // its JSON
};

struct PreparedSlot;
class PipelineWorker;

struct PipelineCounters {
  uint64_t records = 0;      // decoded, with a good time
  uint64_t results = 0;
  uint64_t late = 0;
  uint64_t dead = 0;
  uint64_t ahead = 0;        // of the dead, those whose time was over max_ahead in the future
  uint64_t duplicates = 0;   // dropped by dedup steps
  uint64_t unquoted = 0;     // with a field that an expression names without back quotes: see UnquotedName
};

class PipelineTask {
 public:
  // `plan`, `layouts` and `view` must outlive the task. `prefix` and `keyed_prefix` name the rows of the
  // operator and of the keyed steps in the store.
  PipelineTask(const PipelinePlan* plan, const PaneLayouts* layouts, std::string prefix,
               const std::string& keyed_prefix, const StateView* view, uint16_t partitions,
               uint32_t workers, uint32_t slots, const FirePoint& fired);
  ~PipelineTask();

  // What joins with tables look at; must outlive the task.
  void SetTables(const std::vector<LookupContext::Table>* tables);

  void Prepare(uint32_t slot, SourceSlot* source);
  // The records of messages in [begin, end) of the log; in order, all of the turn or up to where it is cut.
  void Process(uint32_t worker, SourceTask* source, uint64_t begin = 0, uint64_t end = TurnParts::kEnd);
  // Results that the workers have so far in this step.
  size_t ResultsSoFar() const;
  // Closes windows up to `point`; further calls, each with a later point and BeginStep before it,
  // close more.
  void Close(uint32_t worker, const FirePoint& point);
  void BeginStep(uint32_t worker);
  // See KeyedOperator::NextPoint: the least of the workers'.
  FirePoint NextPoint(int64_t watermark, size_t limit);
  // Whether closing up to `watermark` would find anything to do, or might.
  bool DueBy(int64_t watermark) const;
  // Fills results(), late() and dead() for the step. `source` null: the step processed no records; otherwise
  // those of messages before `end`.
  void Collect(SourceTask* source, uint64_t end = TurnParts::kEnd);

  // Valid until the next turn.
  const std::vector<PipelineResult>& results() const { return results_; }
  // JSON lines; see RejectedLines.
  const std::vector<std::string>& late() const { return late_; }
  const std::vector<std::string>& dead() const { return dead_; }

  // What the workers keep; to be opened before the first turn.
  StateOwner& state() { return state_; }
  const PipelineCounters& counters() const { return counters_; }
  const DeadReasons& dead_reasons() const { return dead_reasons_; }
  const UnquotedCounts& unquoted() const { return unquoted_; }
  const PipelinePlan& plan() const { return *plan_; }

 private:
  void CollectLate();
  void CollectDead(SourceTask* source, uint64_t end);
  void PrepareSources(SourceSlot* source, PreparedSlot* slot) const;
  void PrepareClocks(const SourceSlot& source, PreparedSlot* slot);
  void KeepKeyed(PreparedSlot* slot) const;
  // The source's W as the windows see it.
  int64_t Held(int64_t watermark) const { return plan_->window.per_key.Held(watermark); }

  const PipelinePlan* plan_;
  uint16_t partitions_;
  ResultEncoder encoder_;
  std::vector<std::unique_ptr<PreparedSlot>> slots_;
  std::vector<std::unique_ptr<PipelineWorker>> workers_;
  StateOwners state_;
  std::vector<PipelineResult> results_;
  std::vector<std::string> late_, dead_;
  PipelineCounters counters_;
  DeadReasons dead_reasons_;
  UnquotedCounts unquoted_;
};

}  // namespace rivulet
