// The uninterrupted run: what a pipeline publishes when nothing ever fails.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
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
  // Of a pipeline that reads another's results: its W then, which need not come from a result.
  int64_t watermark = std::numeric_limits<int64_t>::min();
};

class ReferenceRun;

// The runs of one life, in which pipelines can read the results of others.
class References {
 public:
  explicit References(Random* random);
  ~References();

  // Runs the pipeline over `entries` in a process of its own, with turns of random lengths.
  // `versions`: ascending, at least one. Errors: what cannot be opened or run.
  Status Run(const std::string& name, const std::vector<PipelineVersion>& versions,
             const std::vector<SeenEntry>& entries);
  // The same over all results of `upstream`, which was run before.
  Status RunReader(const std::string& name, const std::string& upstream,
                   const std::vector<PipelineVersion>& versions);
  bool Has(const std::string& name) const { return runs_.contains(name); }
  // All it published, in order.
  const std::vector<PublishedResult>& published(const std::string& name) const;

 private:
  Random* random_;
  std::map<std::string, std::unique_ptr<ReferenceRun>> runs_;
};

// In place of the topic of what a sink writes to a file, before its path.
inline constexpr std::string_view kFileTopic = "file ";

// Behind the path of a sink's database: another, with what it is to hold.
inline constexpr const char* kReferenceSuffix = ".reference";

// Which sink of which pipeline publishes to this topic: see the templates of scenario.cc.
std::string StreamOf(const std::string& topic);

}  // namespace rivulet::sim
