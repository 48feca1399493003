// The uninterrupted run: what a pipeline publishes when nothing ever fails.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "sim/journal_scan.h"

namespace rivulet::sim {

struct PublishedResult {
  std::string topic;
  std::string payload;
  std::string id;
  int qos = 0;
  bool retain = false;
  bool operator==(const PublishedResult&) const = default;
};

// An entry of the journal as one pipeline saw it.
struct SeenEntry {
  uint64_t offset = 0;
  ScannedMessage message;
};

// The text a pipeline has from an offset on.
struct PipelineVersion {
  uint64_t from = 0;
  std::string yaml;
};

// Runs the pipeline over `entries` in a process of its own, with turns of random lengths, and
// returns all it publishes, in order. `versions`: ascending, at least one. What cannot be opened or
// run is said in `*error`.
std::vector<PublishedResult> RunReference(const std::vector<PipelineVersion>& versions,
                                          const std::vector<SeenEntry>& entries, Random* random,
                                          std::string* error);

// Which sink of which pipeline publishes to this topic: see the templates of scenario.cc.
std::string StreamOf(const std::string& topic);

}  // namespace rivulet::sim
