#include "node/config/sink_paths.h"

#include <doctest/doctest.h>

#include "tests/node/sink_test_support.h"

namespace rivulet {
namespace {

PipelineSpec Writing(const std::string& name, SinkSpec::Kind kind, const std::string& path) {
  PipelineSpec spec;
  spec.file = name + ".yaml";
  spec.name.text = name;
  SinkSpec sink;
  sink.kind = kind;
  sink.target.text = path;
  sink.table = "t";
  spec.sinks.push_back(sink);
  return spec;
}

// The numbers of what is reported, in order.
std::vector<ErrorCode> Faults(const NodeSpec& node, const std::vector<PipelineSpec>& pipelines) {
  std::vector<std::string> files;
  for (const PipelineSpec& spec : pipelines) files.push_back(spec.file);
  SinkPaths paths(node, files);
  ConfigErrors errors;
  for (const PipelineSpec& spec : pipelines) paths.Check(spec, &errors);
  std::vector<ErrorCode> codes;
  for (const ConfigError& e : errors) codes.push_back(e.code);
  return codes;
}

constexpr auto kFile = SinkSpec::Kind::kFile;
constexpr auto kSqlite = SinkSpec::Kind::kSqlite;

}  // namespace

TEST_CASE("sinks do not write into what is the node's own") {
  const TestFolder folder;
  NodeSpec node;
  node.file = folder.File("node.yaml");
  node.data_directory = folder.File("data");
  std::filesystem::create_directories(node.data_directory + "/state");
  std::filesystem::create_symlink(node.data_directory + "/state", folder.File("link"));
  const std::vector<ErrorCode> refused{ErrorCode::kBadSettingValue};
  for (const std::string& path :
       {std::string("state/data.mdb"), std::string("lane-0/00000.log"), std::string("./x/../lane-3"),
        std::string("mqtt/session"), std::string("refused.ndjson"), std::string("delivery.notes"),
        std::string("../node.yaml"),
        std::string("."), node.data_directory, node.file, folder.File("link/data.mdb"),
        folder.File("p.yaml")}) {
    CAPTURE(path);
    PipelineSpec spec = Writing("p", kFile, path);
    spec.file = folder.File("p.yaml");
    CHECK(Faults(node, {spec}) == refused);
    spec.sinks[0].kind = kSqlite;
    CHECK(Faults(node, {spec}) == refused);
    spec.late.swap(spec.sinks);
    CHECK(Faults(node, {spec}) == refused);
  }
  for (const std::string& path : {std::string("results.db"), std::string("states"), std::string("out/state"),
                                  folder.File("state"), std::string("lanes.ndjson")}) {
    CAPTURE(path);
    CHECK(Faults(node, {Writing("p", kFile, path)}).empty());
  }
}

TEST_CASE("two pipelines do not write into one file or table") {
  NodeSpec node;
  const TestFolder folder;
  node.data_directory = folder.File("data");
  const std::vector<ErrorCode> twice{ErrorCode::kDuplicateSetting};
  CHECK(Faults(node, {Writing("a", kFile, "out"), Writing("b", kFile, "./out")}) == twice);
  CHECK(Faults(node, {Writing("a", kFile, "out"), Writing("b", kFile, "other")}).empty());
  PipelineSpec b = Writing("b", kSqlite, folder.File("data/r.db"));
  CHECK(Faults(node, {Writing("a", kSqlite, "r.db"), b}) == twice);
  b.sinks[0].table = "u";
  CHECK(Faults(node, {Writing("a", kSqlite, "r.db"), b}).empty());
}

}  // namespace rivulet
