// When a node commits: for results soon, for window state alone seldom.
#include "node/live/node.h"

#include <doctest/doctest.h>

#include "base/random.h"
#include "node/config/reader.h"
#include "sim/sim_file_system.h"
#include "sim/sim_store.h"
#include "tests/node/test_link.h"

namespace rivulet {
namespace {

using testing::TestLink;

PipelineSource Source(const std::string& name, const std::string& topic) {
  PipelineSource source;
  source.text = "pipeline: " + name + "\nsource: { mqtt: " + topic +
                ", time: { field: ts, max_ahead: 1000d } }\n"
                "steps:\n  - key: k\n  - window: { tumbling: 5s }\n    aggregate: { n: count() }\n"
                "sinks: { mqtt: out/" + name + " }\n";
  ConfigErrors errors;
  REQUIRE(ReadPipeline(source.text, name + ".yaml", &source.spec, &errors));
  return source;
}

class Bench {
 public:
  Bench() {
    spec_.name = "test";
    spec_.data_directory = "/data";
    spec_.commit_interval = Duration::Seconds(1);
    spec_.checkpoint_interval = Duration::Seconds(10);
    spec_.disk_reserve = 0;
    NodeParts parts;
    parts.files = &files_;
    parts.store = &store;
    parts.lane_link = &lane;
    parts.sink_link = &sink;
    parts.runner = runner_.get();
    parts.committer = committer_.get();
    parts.syncer = committer_.get();
    parts.clock = [this] { return clock_; };
    parts.log = [](char, const std::string&) {};
    node = std::make_unique<Node>(spec_, parts);
    ConfigErrors errors;
    std::vector<PipelineSource> sources = {Source("one", "a/+"), Source("two", "b/+"),
                                           Source("three", "a/+")};
    REQUIRE(node->Open(std::move(sources), &errors).ok());
    Advance(0);
  }

  // Commits made while the clock goes on by `ms`.
  uint64_t Advance(int64_t ms) {
    const uint64_t before = store.commits();
    for (int64_t k = 0; k <= ms; k += 100) {
      while (node->Step(clock_)) {
      }
      if (k == ms) break;
      clock_.monotonic.us += 100'000;
      clock_.wall.us += 100'000;
    }
    return store.commits() - before;
  }
  void Record(const std::string& topic, int64_t second) {
    const std::string text = "{\"k\":\"x\",\"ts\":" + std::to_string(second * 1000) + "}";
    REQUIRE(lane.Deliver(topic, text).ok());
  }

  sim::SimStore store;
  TestLink lane, sink{TestLink::Acknowledges::kWhenTold};
  std::unique_ptr<Node> node;

 private:
  sim::SimFileSystem files_;
  std::unique_ptr<TaskRunner> runner_ = NewSerialRunner();
  std::unique_ptr<Background> committer_ = NewInlineBackground();
  Now clock_{{5'000'000'000}, {1'000'000'000}};
  NodeSpec spec_;
};

}  // namespace

TEST_CASE("commit: window state alone waits for the checkpoint") {
  Bench bench;
  CHECK(bench.Advance(30'000) == 0);  // nothing happened
  bench.Record("a/1", 1000);
  CHECK(bench.Advance(1000) == 1);  // the last checkpoint is long ago
  bench.Record("a/1", 1001);
  CHECK(bench.Advance(8'900) == 0);
  CHECK(bench.Advance(200) == 1);
  CHECK(bench.Advance(30'000) == 0);
}

TEST_CASE("commit: results do not wait when the last commit is long ago, and one interval otherwise") {
  Bench bench;
  bench.Record("a/1", 1000);
  bench.Advance(15'000);
  bench.Record("a/1", 1006);
  CHECK(bench.Advance(0) == 1);
  CHECK(bench.sink.published.size() == 2);  // of the two pipelines that read it
  bench.Record("a/1", 1012);
  CHECK(bench.Advance(900) == 0);
  CHECK(bench.sink.published.size() == 2);
  CHECK(bench.Advance(200) == 1);
  CHECK(bench.sink.published.size() == 4);
}

TEST_CASE("commit: deliveries wait for the checkpoint, or go with the commit of another") {
  Bench bench;
  bench.Record("a/1", 1000);
  bench.Record("a/1", 1006);
  bench.Advance(1000);
  const uint64_t entries = bench.store.Stats().entries;
  bench.sink.Acknowledge();
  CHECK(bench.Advance(2000) == 0);
  CHECK(bench.store.Stats().entries == entries);
  bench.Record("b/1", 1000);
  bench.Record("b/1", 1006);
  CHECK(bench.Advance(100) == 1);
  // Two output log entries are gone; there are a result of "two", and its open window.
  CHECK(bench.store.Stats().entries == entries - 2 + 2);
  bench.sink.Acknowledge();
  CHECK(bench.Advance(12'000) == 1);
  CHECK(bench.store.Stats().entries == entries - 2 + 1);
}

TEST_CASE("commit: pipelines of one source are committed together, others on their own") {
  Bench bench;
  bench.Record("a/1", 1000);
  bench.Record("b/1", 1000);
  bench.Advance(12'000);
  const uint64_t entries = bench.store.Stats().entries;
  bench.Record("b/1", 1001);
  bench.Record("a/1", 1001);
  bench.Record("a/1", 1006);
  CHECK(bench.Advance(1000) == 1);
  // For each reader of a/+ one result more and the one window in place of the other.
  CHECK(bench.store.Stats().entries == entries + 2);
}

TEST_CASE("commit: very many messages are not left to the checkpoint") {
  Bench bench;
  bench.Record("a/1", 1000);
  bench.Advance(2000);
  for (int k = 0; k < 65'534; ++k) bench.Record("a/1", 1001);
  CHECK(bench.Advance(1000) == 0);
  bench.Record("a/1", 1001);
  CHECK(bench.Advance(1000) == 1);
}

}  // namespace rivulet
