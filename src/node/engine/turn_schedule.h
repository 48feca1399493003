// TurnSchedule: which pipelines read together, and whose turn it is. Pipelines with equal sources at equal
// positions share a read and a decode; one that was cut short reads on apart until it has caught up.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/log_message.h"
#include "base/status.h"
#include "base/types.h"
#include "node/engine/full_store_care.h"
#include "node/engine/input_log.h"
#include "node/engine/memory_budget.h"
#include "node/engine/output_bound.h"
#include "node/engine/pipeline_set.h"
#include "node/engine/source_group.h"
#include "node/engine/task_runner.h"
#include "node/engine/unquoted_watch.h"
#include "state/store.h"

namespace rivulet {

// What a turn reads at most.
struct TurnOptions {
  size_t entries = 4096;
  size_t bytes = 512 << 10;
  uint32_t workers = 1;
  // Of a large close; see PipelineOptions.
  size_t results_per_step = PipelineOptions().results_per_step;
  size_t outputs_per_step = PipelineOptions().outputs_per_turn;
};

// All must outlive it.
struct ScheduleParts {
  PipelineSet* pipelines = nullptr;
  InputLog* input = nullptr;             // of those that read no others
  TaskRunner* runner = nullptr;
  FullStoreCare* care = nullptr;
  const OutputBound* outputs = nullptr;
  LogFunction log;
};

// What there is of memory, at the beginning of a round.
struct RoundLimits {
  MemoryBudget budget;
  StoreStats store;
  bool commit_under_way = false;
};

// One thread (the engine's).
class TurnSchedule {
 public:
  // Pipelines that share a read and a decode of a log.
  struct Group {
    std::unique_ptr<SourceGroup> source;
    InputLog* log = nullptr;
    Monotonic checkpoint;  // when a commit last took its state along
    const std::vector<Pipeline*>& members() const { return source->members(); }
  };

  TurnSchedule(TurnOptions options, ScheduleParts parts) : options_(options), parts_(std::move(parts)) {}

  // Puts pipelines together. To be called whenever their set changes. Errors: those of the input.
  Status Build(Monotonic now);
  void Clear() { groups_.clear(); }
  std::vector<Group>& groups() { return groups_; }
  // Those that read on their own until now may read together again.
  void MayMerge() { apart_ = true; }

  // A turn of each, as long as `must_wait` is false for what pipelines hold in memory. True when there is
  // more to do. Errors: those of the input, the store and the pipelines.
  Result<bool> Read(const RoundLimits& limits, MemoryUse use,
                    const std::function<bool(const MemoryUse&)>& must_wait, Monotonic now);
  // The turn of one, the next that has something to do; see FullStoreCare.
  struct Taken {
    const Pipeline* pipeline = nullptr;  // null: nobody had anything to do
    bool more = false;
    bool takes_in = false;               // something went into its state
    bool any = false;                    // there were messages, and the first one's position
    uint64_t first = 0;
  };
  Result<Taken> ReadCarefully(const RoundLimits& limits, Monotonic now);
  void RestartCarefully() { careful_next_ = 0; }

 private:
  void ShareSteps(const Group& group) const;
  Status Regroup(bool quiet, Monotonic now);
  Status Turn(Group* group, const RoundLimits& limits, bool* more);
  Status ReadInto(Group* group, const RoundLimits& limits, uint64_t* next);

  const TurnOptions options_;
  const ScheduleParts parts_;
  std::vector<Group> groups_;
  size_t next_ = 0;                     // whose turn it is first
  size_t careful_next_ = 0;
  bool cut_ = false;                    // a pipeline has messages to read again
  bool apart_ = false;                  // and so reads apart from others with the same source
  UnquotedWatch unquoted_watch_;
  std::span<const InputMessage> messages_;  // of the turn under way
};

}  // namespace rivulet
