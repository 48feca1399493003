// PipelineHarness: pipelines over messages in memory, run in all ways there are. What each puts out must be
// the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "node/engine/pipeline.h"

namespace rivulet {

// One line of input: a record, a punctuation, or a row of a table.
struct StreamLine {
  std::string text;
  bool punctuation = false;
  int64_t watermark_us = 0;
  uint8_t source = 0;        // of several
  int64_t arrival_us = 0;
  std::optional<uint32_t> table{};  // a row of this table
  bool removes = false;
  bool tick = false, resumes = false;
};

struct Outputs {
  std::vector<std::string> results, late, dead;
  bool operator==(const Outputs&) const = default;
};

// How a run is cut up. Chances are for each round of turns.
struct DriveOptions {
  uint32_t workers = 1;
  bool any_workers = false;   // a restart picks 1 to 4 workers anew
  uint64_t seed = 0;
  size_t longest_turn = 0;    // messages; turns have 1 to so many. 0: one turn
  bool durable = false;
  double commit = 0;
  double overlap = 0;         // of a commit that turns run beside it, before it counts
  double evict = 0;           // of a commit that nothing stays in memory after it
  double crash = 0;           // what was not committed is lost, and read again
  bool flush = true;          // the end of the input closes all windows
  std::vector<std::string> csv_header;
  std::string file = "test.yaml";  // what the pipeline's file would be: tables lie beside it
};

// Plans `yaml`, as a replay does where it reads lines; null with what was wrong in `*why`.
std::unique_ptr<PipelinePlan> PlanText(const std::string& yaml,
                                       const std::vector<std::string>& csv_header,
                                       std::string* why, const std::string& file = "test.yaml",
                                       bool reads_lines = true);

// Runs the pipeline over `lines` to the end of input. Entries that a sink gets again after a crash must have
// the bytes they had before; that and every Status is checked here.
Outputs Drive(const std::string& yaml, const std::vector<StreamLine>& lines,
              const DriveOptions& options);

// Several: the first of `yamls` reads `lines`, each of the others the results of one before it.
std::vector<Outputs> DriveChain(const std::vector<std::string>& yamls,
                                const std::vector<StreamLine>& lines, const DriveOptions& options);

// The first line in which they differ, for messages; "" when there is none.
std::string Difference(const Outputs& a, const Outputs& b);
std::string Difference(const std::vector<std::string>& a, const std::vector<std::string>& b);

}  // namespace rivulet
