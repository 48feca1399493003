// Which files sinks write, and whether they may.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "node/config/config_error.h"
#include "node/config/spec.h"

namespace rivulet {

bool WritesFile(const SinkSpec& sink);

// The file of such a sink: relative paths start at the data directory.
std::string SinkPath(const std::string& data_directory, const SinkSpec& sink);

// Looks at the pipelines of a node one after the other. Links in paths are followed.
class SinkPaths {
 public:
  // `files`: of the pipelines.
  SinkPaths(const NodeSpec& node, const std::vector<std::string>& files);

  // Reports sinks that would write into what is the node's own (its state, journal, sessions, the node file,
  // pipeline files), and those that write where a sink of a pipeline before does. True: none.
  bool Check(const PipelineSpec& pipeline, ConfigErrors* errors);

 private:
  // What of the node's `path` is; empty: nothing.
  std::string OwnedAs(const std::string& path) const;

  std::string data_directory_;
  std::set<std::string> files_;
  std::map<std::string, std::string> taken_;  // file, or file and table -> pipeline
};

}  // namespace rivulet
