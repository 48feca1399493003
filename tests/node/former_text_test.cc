// A node that goes down in the middle of a large close, and comes back with another text of the pipeline.
#include <doctest/doctest.h>

#include <algorithm>

#include "node/config/reader.h"
#include "node/live/node.h"
#include "sim/sim_file_system.h"
#include "sim/sim_store.h"
#include "tests/node/test_link.h"

namespace rivulet {
namespace {

using testing::TestLink;

// Keys that have been silent for 2 s; each changes a row of state, so that few make a large close.
PipelineSource Source(const std::string& select) {
  PipelineSource source;
  source.text = "pipeline: silent\nsource:\n  mqtt: in\n  fields: { ts: int, k: string, n: int }\n"
                "  time: { field: ts, max_ahead: 1000d }\nsteps:\n  - key: k\n" + select +
                "sinks: { mqtt: out }\n";
  ConfigErrors errors;
  const bool good = ReadPipeline(source.text, "silent.yaml", &source.spec, &errors);
  REQUIRE_MESSAGE(good, errors.front().ToString());
  return source;
}

PipelineSource Pattern(const std::string& value) {
  return Source("  - pattern: { sequence: [{ name: seen }, { not: any, for: 2s }] }\n    select: { n: " +
                value + " }\n");
}

PipelineSource Windows(const std::string& window) {
  return Source("  - window: " + window + "\n    aggregate: { n: count() }\n");
}

PipelineSource Before() { return Pattern("seen.n"); }

// Closes in the smallest steps.
class Bench {
 public:
  Bench() {
    spec_.name = "test";
    spec_.data_directory = "/data";
    spec_.commit_interval = Duration{0};
    spec_.checkpoint_interval = Duration{0};
    spec_.disk_reserve = 0;
  }

  void Start(const PipelineSource& source) {
    node_.reset();
    files_.Crash();
    NodeParts parts;
    parts.files = &files_;
    parts.store = &store;
    parts.lane_link = &lane_;
    parts.sink_link = &sink;
    parts.runner = runner_.get();
    parts.committer = committer_.get();
    parts.syncer = committer_.get();
    parts.results_per_step = 1;
    parts.clock = [this] { return clock_; };
    parts.log = [this](char level, const std::string&) { warned = warned || level == 'w'; };
    node_ = std::make_unique<Node>(spec_, parts);
    ConfigErrors errors;
    const Status opened = node_->Open({source}, &errors);
    REQUIRE_MESSAGE(opened.ok(), opened.ToString());
  }
  void Record(const std::string& key, int64_t second) {
    const std::string time = std::to_string(second * 1000);
    REQUIRE(lane_.Deliver("in", "{\"k\":\"" + key + "\",\"n\":7,\"ts\":" + time + "}").ok());
  }
  void Step(int times) {
    for (int i = 0; i < times; ++i) (void)node_->Step(clock_);
    REQUIRE(node_->status().ok());
  }
  // Of eight keys that fell silent some have been put out.
  void StopInTheMiddle() {
    Start(Before());
    for (char key = 'a'; key <= 'h'; ++key) Record(std::string(1, key), 1001);
    Step(5);
    Record("late", 1020);
    while (sink.published.size() < 3) Step(1);
    REQUIRE(sink.published.size() < 8);
  }

  sim::SimStore store{true};
  TestLink sink;
  bool warned = false;

 private:
  sim::SimFileSystem files_;
  TestLink lane_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<TaskRunner> runner_ = NewSerialRunner();
  std::unique_ptr<Background> committer_ = NewInlineBackground();
  Now clock_{{5'000'000'000}, {1'000'000'000}};
  NodeSpec spec_;
};

// All eight in order; the last may be sent once more, as its delivery was not committed.
void CheckAllOnce(std::vector<std::string> published) {
  published.erase(std::unique(published.begin(), published.end()), published.end());
  std::vector<std::string> expected;
  for (char key = 'a'; key <= 'h'; ++key) {
    expected.push_back(std::string("out {\"k\":\"") + key +
                       "\",\"window_start\":1001000,\"window_end\":1003000,\"n\":7}");
  }
  CHECK(published == expected);
}

}  // namespace

TEST_CASE("the text before puts out the rest of its close, whatever the new one is") {
  Bench bench;
  bench.StopInTheMiddle();
  SUBCASE("other results") { bench.Start(Pattern("seen.n + 1")); }
  SUBCASE("another kind of window") { bench.Start(Windows("{ tumbling: 1h }")); }
  SUBCASE("the same") { bench.Start(Before()); }
  SUBCASE("edited twice, and down in between") {
    bench.Start(Windows("{ tumbling: 1h }"));
    bench.Start(Pattern("seen.n + 1"));
  }
  bench.Step(50);
  CheckAllOnce(bench.sink.published);
}

TEST_CASE("a former text that cannot be run any more") {
  Bench bench;
  bench.StopInTheMiddle();
  Delta delta;
  SUBCASE("damaged") { delta.Put("xsilent", "pipeline: [\x01"); }
  SUBCASE("of another name") {
    std::string other = Before().text;
    other.replace(other.find("silent"), 6, "another");
    delta.Put("xsilent", other);
  }
  REQUIRE(bench.store.Commit(delta).ok());
  bench.Start(Before());
  CHECK(bench.warned);
  bench.Step(50);
  CheckAllOnce(bench.sink.published);
}

TEST_CASE("a former text that did not write the windows' state leaves them alone") {
  Bench bench;
  bench.StopInTheMiddle();
  Delta delta;
  delta.Put("xsilent", Windows("{ tumbling: 30s }").text);
  REQUIRE(bench.store.Commit(delta).ok());
  bench.Start(Before());
  bench.Step(50);
  CheckAllOnce(bench.sink.published);
}

}  // namespace rivulet
