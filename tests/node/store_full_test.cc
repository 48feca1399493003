// A node whose state store is small: what fills it neither stops it nor loses anything.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "node/config/reader.h"
#include "node/live/node.h"
#include "sim/sim_file_system.h"
#include "tests/base/temporary_directory.h"
#include "tests/node/test_link.h"

namespace rivulet {
namespace {

using nlohmann::json;
using testing::TemporaryDirectory;
using testing::TestLink;

constexpr uint64_t kMegabyte = 1 << 20;

class Bench {
 public:
  Bench(std::string pipeline, uint64_t map_size,
        TestLink::Acknowledges when = TestLink::Acknowledges::kAtOnce)
      : text_(std::move(pipeline)), when_(when) {
    spec_.name = "test";
    spec_.data_directory = "/data";
    spec_.commit_interval = Duration::Millis(100);
    spec_.checkpoint_interval = Duration::Seconds(1);
    spec_.disk_reserve = 0;
    spec_.state_map_size = map_size;
    spec_.state_memory = 4 * kMegabyte;
    Start();
  }

  // Anew, as after a crash.
  void Start() {
    node.reset();
    store_.reset();
    LmdbOptions options;
    options.directory = directory_.path() + "/store";
    options.map_size = spec_.state_map_size;
    options.sync_each_commit = false;
    auto opened = OpenLmdbStore(options);
    REQUIRE(opened.ok());
    store_ = std::move(*opened);
    published.insert(published.end(), sink.published.begin(), sink.published.end());
    lane = TestLink();
    sink = TestLink(when_);
    NodeParts parts;
    parts.files = &files_;
    parts.store = store_.get();
    parts.lane_link = &lane;
    parts.sink_link = &sink;
    parts.runner = runner_.get();
    parts.committer = committer_.get();
    parts.syncer = committer_.get();
    parts.clock = [this] { return clock_; };
    parts.log = [this](char, const LogMessage& message) { log.push_back(message.text); };
    node = std::make_unique<Node>(spec_, parts);
    ConfigErrors errors;
    PipelineSource source;
    source.text = text_;
    REQUIRE(ReadPipeline(source.text, "test.yaml", &source.spec, &errors));
    REQUIRE(node->Open({std::move(source)}, &errors).ok());
  }

  void Advance(int64_t ms) {
    for (int64_t k = 0; k <= ms; k += 50) {
      for (int steps = 0; steps < 10'000 && node->Step(clock_); ++steps) {
      }
      clock_.monotonic.us += 50'000;
      clock_.wall.us += 50'000;
    }
    REQUIRE(node->status().ok());
  }
  // Until everything is processed, committed and delivered.
  void Finish() {
    const auto busy = [this] {
      const NodeStatus s = node->Describe(clock_);
      return s.pipelines[0].lag > 0 || s.pipelines[0].outputs_waiting > 0;
    };
    for (int k = 0; k < 10'000 && busy(); ++k) {
      sink.Acknowledge();
      Advance(50);
    }
    CHECK_FALSE(busy());
    Advance(2000);
    published.insert(published.end(), sink.published.begin(), sink.published.end());
    sink.published.clear();
  }
  void Deliver(const std::string& payload) { REQUIRE(lane.Deliver("in", payload).ok()); }
  uint64_t Lag() { return node->Describe(clock_).pipelines[0].lag; }
  // Of what was published on `topic`.
  std::vector<json> On(const std::string& topic) {
    std::vector<json> all;
    for (const std::string& line : published) {
      if (line.starts_with(topic + " ")) all.push_back(json::parse(line.substr(topic.size() + 1)));
    }
    return all;
  }
  bool Logged(std::string_view text) const {
    return std::any_of(log.begin(), log.end(), [&](const std::string& l) { return l.find(text) != l.npos; });
  }

  TestLink lane, sink;
  std::unique_ptr<Node> node;
  std::vector<std::string> published, log;

 private:
  TemporaryDirectory directory_;
  sim::SimFileSystem files_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<TaskRunner> runner_ = NewSerialRunner();
  std::unique_ptr<Background> committer_ = NewInlineBackground();
  Now clock_{{5'000'000'000}, {1'700'000'000'000'000}};
  NodeSpec spec_;
  std::string text_;
  TestLink::Acknowledges when_;
};

constexpr const char* kCounts =
    "pipeline: test\nsource: { mqtt: in, time: { field: ts, unit: s, max_ahead: 10000d } }\n"
    "steps:\n  - key: k\n  - window: { tumbling: 10s }\n    aggregate: { n: count() }\nsinks: { mqtt: out }\n"
    "dead_letters: { mqtt: dead }\n";

constexpr const char* kExploded =
    "pipeline: test\nsource: { mqtt: in, time: { field: ts, unit: s, max_ahead: 10000d } }\nsteps:\n"
    "  - explode: { field: list, as: e }\n  - key: e\n"
    "  - window: { tumbling: 10s }\n    aggregate: { n: count() }\nsinks: { mqtt: out }\n"
    "dead_letters: { mqtt: dead }\nlate: { mqtt: late }\n";

std::string Record(const std::string& key, int64_t second) {
  return "{\"k\":\"" + key + "\",\"ts\":" + std::to_string(second) + "}";
}

std::string List(int64_t second, size_t elements, const std::string& prefix) {
  std::string list;
  for (size_t k = 0; k < elements; ++k) {
    list += (k == 0 ? "\"" : ",\"") + prefix + std::to_string(k) + "\"";
  }
  return "{\"ts\":" + std::to_string(second) + ",\"list\":[" + list + "]}";
}

TEST_CASE("store full: a sink is away for long, and all its results come when it is back") {
  for (const bool restarted : {false, true}) {
    CAPTURE(restarted);
    Bench bench(kCounts, kMegabyte, TestLink::Acknowledges::kWhenTold);
    constexpr int64_t kWindows = 400, kKeys = 20;
    for (int64_t w = 0; w < kWindows; ++w) {
      for (int64_t k = 0; k < kKeys; ++k) bench.Deliver(Record("key-" + std::to_string(k), w * 10));
      bench.Advance(100);
      if (restarted && w % 150 == 149) bench.Start();
    }
    CHECK(bench.Lag() > 0);  // the journal holds what the store has no room for
    CHECK(bench.Logged("have reached 'state.outputs'"));
    bench.Finish();
    std::set<std::string> results;
    for (const json& r : bench.On("out")) results.insert(r.dump());
    CHECK(results.size() == (kWindows - 1) * kKeys);
    if (!restarted) CHECK(bench.On("out").size() == results.size());
    CHECK(bench.On("dead").empty());
  }
}

TEST_CASE("store full: a message that never fits is put aside, and the node goes on") {
  Bench bench(kExploded, kMegabyte);
  bench.Deliver(List(1, 3, "a"));
  bench.Deliver(List(2, 40'000, std::string(20, 'x')));
  bench.Deliver(List(3, 3, "a"));
  bench.Deliver(List(20, 1, "end"));
  bench.Finish();
  const std::vector<json> dead = bench.On("dead");
  REQUIRE(dead.size() == 1);
  CHECK(dead[0]["reason"].get<std::string>().starts_with("E4018 "));
  CHECK(dead[0]["offset"] == 1);
  CHECK(dead[0]["topic"] == "in");
  CHECK(dead[0]["record_bytes"] > 800'000);
  const std::vector<json> results = bench.On("out");
  REQUIRE(results.size() == 3);
  for (const json& r : results) CHECK(r["n"] == 2);
  CHECK(bench.Logged("E4018"));
  bench.Start();
  bench.Deliver(List(40, 1, "more"));
  bench.Finish();
  CHECK(bench.On("out").size() == 4);
}

TEST_CASE("store full: many messages at once are taken in smaller commits") {
  Bench bench(kExploded, 2 * kMegabyte);
  // Each fits, and what they have open together, but not the changes of all in one commit.
  for (int64_t k = 0; k < 40; ++k) bench.Deliver(List(k * 10, 2'000, "element-" + std::to_string(k) + "-"));
  bench.Finish();
  CHECK(bench.On("dead").empty());
  CHECK(bench.On("out").size() == 39 * 2'000);
}

TEST_CASE("store full: of state, it takes in what fits until windows close") {
  Bench bench(kCounts, kMegabyte / 4);
  constexpr int64_t kKeys = 1100;
  const std::string prefix(50, 'x');
  for (int64_t k = 0; k < kKeys; ++k) bench.Deliver(Record(prefix + std::to_string(k), 1));
  bench.Finish();
  CHECK(bench.Logged("E4018"));
  bench.Deliver(Record("end", 100));
  bench.Finish();
  const size_t results = bench.On("out").size(), dead = bench.On("dead").size();
  CHECK(results > kKeys / 4);
  // The last message of all may find no room either; its time counts.
  const std::vector<json> of_dead = bench.On("dead");
  const auto is_end = [](const json& d) { return d["record"]["k"] == "end"; };
  const size_t refused = std::count_if(of_dead.begin(), of_dead.end(), is_end) > 0 ? 1 : 0;
  CHECK(results + dead == kKeys + refused);
  bench.Deliver(Record("more", 200));
  bench.Deliver(Record("end", 300));
  bench.Finish();
  CHECK(bench.On("dead").size() == dead);
  CHECK(bench.On("out").size() == results + 2 - refused);
}

TEST_CASE("one message: late elements take memory and disk in proportion to it") {
  Bench bench(kExploded, 8 * kMegabyte);
  bench.Deliver(List(1000, 1, "now"));
  const std::string late = List(1, 20'000, "reading-");
  bench.Deliver(late);
  bench.Deliver(List(2000, 1, "end"));
  bench.Finish();
  size_t bytes = 0;
  const std::vector<json> lines = bench.On("late");
  for (const json& line : lines) bytes += line.dump().size();
  CHECK(lines.size() == 20'000);
  CHECK(lines[19'999]["element"] == 19'999);
  CHECK(bytes < 16 * late.size());
  CHECK(bench.On("dead").empty());
  CHECK(bench.On("out").size() == 1);
}

TEST_CASE("one message: larger than max_payload, it is a dead letter with its length") {
  Bench bench(kCounts, 8 * kMegabyte);
  bench.Deliver(Record("a", 1));
  bench.Deliver(std::string(6'000'000, '\x01'));
  bench.Deliver(Record("a", 2));
  bench.Deliver(Record("a", 20));
  bench.Finish();
  const std::vector<json> dead = bench.On("dead");
  REQUIRE(dead.size() == 1);
  CHECK(dead[0]["reason"].get<std::string>().starts_with("E4017 "));
  CHECK(dead[0]["record_bytes"] == 6'000'000);
  CHECK(dead[0]["record"].get<std::string>().size() == 64 << 10);
  REQUIRE(bench.On("out").size() == 1);
  CHECK(bench.On("out")[0]["n"] == 2);
}

}  // namespace
}  // namespace rivulet
