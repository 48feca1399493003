// What a running node does with its journal: what it keeps of it, and what it says of damage.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "node/config/reader.h"
#include "node/live/node.h"
#include "sim/sim_file_system.h"
#include "state/journal.h"
#include "tests/node/test_link.h"

namespace rivulet {
namespace {

constexpr const char* kPipeline =
    "pipeline: test\nsource: { mqtt: in, time: arrival }\n"
    "steps:\n  - key: k\n  - window: { tumbling: 1s }\n    aggregate: { n: count() }\nsinks: { mqtt: out }\n";

class Bench {
 public:
  Bench() {
    spec_.name = "test";
    spec_.data_directory = "/data";
    spec_.disk_reserve = 0;
    spec_.checkpoint_interval = Duration::Seconds(1);
    spec_.journal.segment_bytes = 1000;
    spec_.journal.retain_bytes = 0;
    Restart();
  }

  // Without a word to the node that ran until now.
  void Restart() {
    node_.reset();
    NodeParts parts;
    parts.files = &files;
    parts.store = store_.get();
    parts.lane_link = &lane;
    parts.sink_link = &sink_;
    parts.runner = runner_.get();
    parts.committer = parts.syncer = background_.get();
    parts.redelivery_window = 0;
    parts.clock = [this] { return clock_; };
    parts.log = [this](char, const LogMessage& message) { log.push_back(message.text); };
    node_ = std::make_unique<Node>(spec_, parts);
    PipelineSource source;
    ConfigErrors errors;
    source.text = kPipeline;
    REQUIRE(ReadPipeline(source.text, "test.yaml", &source.spec, &errors));
    REQUIRE(node_->Open({std::move(source)}, &errors).ok());
  }

  void Deliver(const std::string& key) { REQUIRE(lane.Deliver("in", "{\"k\":\"" + key + "\"}").ok()); }
  void Run(Duration time) {
    for (int64_t left = time.us; left > 0; left -= 1'000'000) {
      while (node_->Step(clock_)) {
      }
      clock_.monotonic.us += 1'000'000;
      clock_.wall.us += 1'000'000;
    }
  }
  NodeStatus Status() const { return node_->Describe(clock_); }

  sim::SimFileSystem files;
  testing::TestLink lane;
  std::vector<std::string> log;

 private:
  NodeSpec spec_;
  std::unique_ptr<Store> store_ = NewMemoryStore();
  std::unique_ptr<TaskRunner> runner_ = NewSerialRunner();
  std::unique_ptr<Background> background_ = NewInlineBackground();
  testing::TestLink sink_;
  Now clock_{{5'000'000'000}, {1'700'000'000'000'000}};
  std::unique_ptr<Node> node_;
};

TEST_CASE("a damaged entry that is met while running is counted and said once, the others are processed") {
  Bench bench;
  for (const char* key : {"first", "second", "third"}) bench.Deliver(key);
  const std::string segment = "/data/lane-0/00000000000000000000.rvj";
  std::string bytes = bench.files.Contents(segment);
  const size_t place = bytes.find("second");
  REQUIRE(place != std::string::npos);
  bytes[place] ^= 1;
  bench.files.SetContents(segment, bytes);
  bench.Run(Duration::Seconds(60));
  CHECK(bench.Status().journal.damaged_entries == 1);
  CHECK(bench.Status().pipelines[0].counters.records == 2);
  CHECK(std::count_if(bench.log.begin(), bench.log.end(), [](const std::string& line) {
          return line.find("journal: 1 entries were found damaged") != line.npos;
        }) == 1);
}

TEST_CASE("of new filters the store knows what has come before the journal is trimmed behind it") {
  for (const LinkState state : {LinkState::kLost, LinkState::kSubscriptionRefused, LinkState::kConnected}) {
    CAPTURE(LinkStateName(state));
    Bench bench;
    bench.lane.stats.state = state;
    bench.lane.stats.connected = state == LinkState::kConnected;
    if (state == LinkState::kSubscriptionRefused) bench.lane.stats.denied = {"in"};
    for (int k = 0; k < 200; ++k) bench.Deliver(std::string(50, 'k') + std::to_string(k));
    bench.Run(Duration::Seconds(60));
    CHECK(bench.Status().journal.begin > Offset{0});
    // Of a life that begins now the broker's repetition is none, whether the journal has the message or not.
    const std::string repeated = "{\"k\":\"" + std::string(50, 'k') + "7\"}";
    bench.Restart();
    MqttMessage message;
    message.topic = "in";
    message.payload = repeated;
    message.retained = message.resumed = true;
    const Offset end = bench.Status().journal.end;
    REQUIRE(bench.lane.Deliver(message).ok());
    CHECK(bench.Status().journal.end == end);
    message.payload = "{\"k\":\"another\"}";
    REQUIRE(bench.lane.Deliver(message).ok());
    CHECK((bench.Status().journal.end == end) == (state == LinkState::kConnected));
  }
}

}  // namespace
}  // namespace rivulet
