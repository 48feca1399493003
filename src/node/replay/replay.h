// Replay: a pipeline over a file, without a broker. What `rivulet replay` does.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/types.h"
#include "node/config/config_error.h"
#include "node/config/spec.h"
#include "node/engine/pipeline_task.h"

namespace rivulet {

struct ReplayOptions {
  std::string input = "-";
  // Where what comes out goes: with {pipeline} in it, which stands for the name, of each pipeline; otherwise
  // of the one that no other reads.
  std::string output = "-";
  // Rows of tables from topics, taken in before the input: the table's name, and a file of JSON objects.
  std::vector<std::pair<std::string, std::string>> tables;
  std::string late;              // empty: only counted
  std::string dead_letters;
  std::string state;             // directory; empty: nothing is kept
  uint32_t workers = 1;
  bool flush = true;             // end of file closes every window
  uint64_t state_memory = 256ull << 20;
  uint64_t state_size = sizeof(void*) == 4 ? 1ull << 30 : 16ull << 30;  // most on disk; is mapped at once
  Duration commit_interval = Duration::Seconds(1);

  // Called between turns. `done` and `total` in bytes of input; total 0: not known. Returns false to stop.
  std::function<bool(uint64_t done, uint64_t total, const PipelineCounters&)> progress;
  std::function<Monotonic()> clock;
};

struct ReplaySummary {
  PipelineCounters counters;     // of the pipeline that reads the input
  // Of all, by name, each behind the one it reads.
  struct OfPipeline {
    std::string name;
    PipelineCounters counters;
    DeadReasons dead_reasons;
    ConfigErrors warnings;       // of names without back quotes, where records have the field
  };
  std::vector<OfPipeline> pipelines;
  bool interrupted = false;      // progress said stop; with a state directory, run again to go on
};

// The names of a pipeline's sources, by which the lines of a replay say where they come from; empty when it
// has but one, without a name.
std::vector<std::string> SourceNames(const PipelineSpec& spec);

// Errors: those of the input, the state and the outputs. Faults of the pipeline go to `errors` (then the
// status is kBadSettingValue).
Result<ReplaySummary> Replay(PipelineSpec spec, const ReplayOptions& options, ConfigErrors* errors);
// Of several, one reads the input, and each of the others the results of one of them; otherwise kUsage.
Result<ReplaySummary> Replay(std::vector<PipelineSpec> specs, const ReplayOptions& options,
                             ConfigErrors* errors);

}  // namespace rivulet
