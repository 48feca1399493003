#include "node/config/sink_paths.h"

#include <filesystem>

namespace rivulet {
namespace {

namespace fs = std::filesystem;

std::string Canonical(const std::string& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  const fs::path found = fs::weakly_canonical(absolute, error);
  return (error ? absolute.lexically_normal() : found).string();
}

// Names of the data directory that are the node's own.
bool IsOwnName(const std::string& name) {
  return name == "." || name == "state" || name == "mqtt" || name.starts_with("lane-") ||
         name.starts_with("refused.ndjson") || name.starts_with("delivery.notes");
}

}  // namespace

bool WritesFile(const SinkSpec& sink) {
  return sink.kind == SinkSpec::Kind::kFile || sink.kind == SinkSpec::Kind::kSqlite;
}

std::string SinkPath(const std::string& data_directory, const SinkSpec& sink) {
  const std::string& path = sink.target.text;
  return path.starts_with('/') ? path : data_directory + "/" + path;
}

SinkPaths::SinkPaths(const NodeSpec& node, const std::vector<std::string>& files)
    : data_directory_(Canonical(node.data_directory)) {
  for (const std::string& file : files) files_.insert(Canonical(file));
  if (!node.file.empty()) files_.insert(Canonical(node.file));
}

std::string SinkPaths::OwnedAs(const std::string& path) const {
  if (files_.contains(path)) return "a node or pipeline file";
  const fs::path inside = fs::path(path).lexically_relative(data_directory_);
  if (!inside.empty() && IsOwnName(inside.begin()->string())) {
    return "the node's own, as its data directory is '" + data_directory_ + "'";
  }
  return "";
}

bool SinkPaths::Check(const PipelineSpec& pipeline, ConfigErrors* errors) {
  const size_t before = errors->size();
  const auto report = [&](const SinkSpec& sink, ErrorCode code, const std::string& what) {
    errors->push_back({pipeline.file, sink.target.mark.line, sink.target.mark.column, code,
                       "'" + sink.target.text + "' " + what});
  };
  for (const std::vector<SinkSpec>* list : {&pipeline.sinks, &pipeline.late, &pipeline.dead_letters}) {
    for (const SinkSpec& sink : *list) {
      if (!WritesFile(sink)) continue;
      const std::string path = Canonical(SinkPath(data_directory_, sink));
      const std::string owned = OwnedAs(path);
      if (!owned.empty()) {
        report(sink, ErrorCode::kBadSettingValue, "is " + owned + "; expected another file");
        continue;
      }
      const std::string target =
          sink.kind == SinkSpec::Kind::kSqlite ? path + "\n" + sink.table : path;
      const auto [first, fresh] = taken_.emplace(target, pipeline.name.text);
      if (!fresh && first->second != pipeline.name.text) {
        report(sink, ErrorCode::kDuplicateSetting,
               "is also written by pipeline '" + first->second + "'; expected one sink a file or table");
      }
    }
  }
  return errors->size() == before;
}

}  // namespace rivulet
