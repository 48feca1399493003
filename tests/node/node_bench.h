// A node over simulated files, store and links, whose clock stands still.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "node/config/reader.h"
#include "node/live/node.h"
#include "sim/sim_file_system.h"
#include "sim/sim_store.h"
#include "tests/node/test_link.h"

namespace rivulet::testing {

// `steps` behind the key, in line 5.
inline PipelineSource NodeSource(const std::string& name, const std::string& source,
                                 const std::string& steps) {
  PipelineSource one;
  one.text = "pipeline: " + name + "\nsource: " + source + "\nsteps:\n" + steps + "\nsinks: { mqtt: " + name +
             " }\n";
  ConfigErrors errors;
  REQUIRE(ReadPipeline(one.text, name + ".yaml", &one.spec, &errors));
  return one;
}

// A node with these pipelines, and what it logs of records that come.
class NodeBench {
 public:
  explicit NodeBench(std::vector<PipelineSource> sources, uint32_t workers = 1) {
    spec_.data_directory = "/data";
    spec_.commit_interval = Duration{0};
    spec_.checkpoint_interval = Duration{0};
    spec_.disk_reserve = 0;
    spec_.workers = workers;
    parts_.files = &files_;
    parts_.store = &store_;
    parts_.lane_link = &lane_;
    parts_.sink_link = &sink;
    parts_.runner = runner_.get();
    parts_.committer = committer_.get();
    parts_.syncer = committer_.get();
    parts_.clock = [this] { return clock_; };
    parts_.log = [this](char level, const LogMessage& message) {
      if (level == 'w' && message.code == ErrorCode::kUnknownName) lines.push_back(message);
    };
    node_ = std::make_unique<Node>(spec_, parts_);
    ConfigErrors errors;
    const Status opened = node_->Open(std::move(sources), &errors);
    REQUIRE_MESSAGE(opened.ok(), (errors.empty() ? opened.ToString() : errors[0].ToString()));
    warned = lines.size();
    lines.clear();
  }
  void Deliver(const std::vector<std::string>& payloads, const std::string& topic = "in") {
    for (const std::string& payload : payloads) REQUIRE(lane_.Deliver(topic, payload).ok());
    for (int i = 0; i < 20; ++i) (void)node_->Step(clock_);
    REQUIRE(node_->status().ok());
  }
  void Reload(std::vector<PipelineSource> sources) {
    ConfigErrors errors;
    REQUIRE(node_->Reload(std::move(sources), clock_, &errors).ok());
    REQUIRE(errors.empty());
    lines.clear();
  }
  const PipelineCounters& Counters(const std::string& name) {
    described_ = node_->Describe(clock_);
    for (const PipelineStatus& p : described_.pipelines) {
      if (p.name == name) return p.counters;
    }
    FAIL("no such pipeline");
    return described_.pipelines.front().counters;
  }
  // What it has stored of pipelines.
  std::string Stored() const {
    std::string all;
    REQUIRE(store_.Scan("", "\xff", [&all](std::string_view key, std::string_view value) {
      if (!key.starts_with('x')) all.append(key).append("=").append(value).append("\n");  // not their texts
      return true;
    }).ok());
    return all;
  }

  TestLink sink;
  std::vector<LogMessage> lines;  // warnings about names since the start
  size_t warned = 0;              // before it

 private:
  sim::SimFileSystem files_;
  sim::SimStore store_{true};
  TestLink lane_;
  std::unique_ptr<TaskRunner> runner_ = NewSerialRunner();
  std::unique_ptr<Background> committer_ = NewInlineBackground();
  Now clock_{{5'000'000'000}, {1'000'000'000}};
  NodeSpec spec_;
  NodeParts parts_;
  std::unique_ptr<Node> node_;
  NodeStatus described_;
};

}  // namespace rivulet::testing
