// A node whose pipelines read each other: what a reload may do to them.
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

constexpr const char* kMessages = "{ mqtt: in, time: { field: ts, max_ahead: 1000d } }";

// `sink` empty: none.
PipelineSource Source(const std::string& name, const std::string& source, int seconds,
                      const std::string& sink) {
  PipelineSource one;
  one.text = "pipeline: " + name + "\nsource: " + source + "\nsteps:\n  - key: k\n  - window: { tumbling: " +
             std::to_string(seconds) + "s }\n    aggregate: { n: " +
             (source == kMessages ? "count()" : "sum(n)") + " }\n" +
             (sink.empty() ? "" : "sinks: { mqtt: " + sink + " }\n");
  ConfigErrors errors;
  REQUIRE(ReadPipeline(one.text, name + ".yaml", &one.spec, &errors));
  return one;
}

PipelineSource Written(const std::string& text) {
  PipelineSource one;
  one.text = text;
  ConfigErrors errors;
  REQUIRE(ReadPipeline(text, "written.yaml", &one.spec, &errors));
  return one;
}

class Bench {
 public:
  explicit Bench(std::vector<PipelineSource> sources) {
    spec_.name = "test";
    spec_.data_directory = "/data";
    spec_.commit_interval = Duration{0};
    spec_.checkpoint_interval = Duration{0};
    spec_.disk_reserve = 0;
    Start(std::move(sources));
  }

  void Start(std::vector<PipelineSource> sources) {
    node.reset();
    NodeParts parts;
    parts.files = &files_;
    parts.store = &store_;
    parts.lane_link = &lane_;
    parts.sink_link = &sink;
    parts.runner = runner_.get();
    parts.committer = committer_.get();
    parts.syncer = committer_.get();
    parts.clock = [this] { return clock_; };
    parts.log = [](char, const std::string&) {};
    node = std::make_unique<Node>(spec_, parts);
    ConfigErrors errors;
    opened = node->Open(std::move(sources), &errors);
    faults = errors;
  }
  // The numbers of the faults.
  std::vector<int> Reload(std::vector<PipelineSource> sources) {
    ConfigErrors errors;
    REQUIRE(node->Reload(std::move(sources), clock_, &errors).ok());
    std::vector<int> numbers;
    for (const ConfigError& e : errors) numbers.push_back(static_cast<int>(e.code));
    return numbers;
  }
  void Record(int64_t second) {
    REQUIRE(lane_.Deliver("in", "{\"k\":\"x\",\"ts\":" + std::to_string(second * 1000) + "}").ok());
    for (int i = 0; i < 20; ++i) (void)node->Step(clock_);
    REQUIRE(node->status().ok());
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const PipelineStatus& p : node->Describe(clock_).pipelines) names.push_back(p.name);
    return names;
  }
  size_t OutputRows() const {
    size_t rows = 0;
    REQUIRE(store_.Scan("o", "p", [&](std::string_view, std::string_view) { return ++rows > 0; }).ok());
    return rows;
  }

  TestLink sink;
  std::unique_ptr<Node> node;
  Status opened;
  ConfigErrors faults;

 private:
  sim::SimFileSystem files_;
  sim::SimStore store_{true};
  TestLink lane_;
  std::unique_ptr<TaskRunner> runner_ = NewSerialRunner();
  std::unique_ptr<Background> committer_ = NewInlineBackground();
  Now clock_{{5'000'000'000}, {1'000'000'000}};
  NodeSpec spec_;
};

std::string Line(const std::string& topic, int64_t start, int64_t end, int n) {
  return topic + " {\"k\":\"x\",\"window_start\":" + std::to_string(start * 1000) +
         ",\"window_end\":" + std::to_string(end * 1000) + ",\"n\":" + std::to_string(n) + "}";
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("chain: two readers of a pipeline without sinks, whose W follows it") {
  // The readers are declared in front of what they read.
  const std::vector<PipelineSource> all = {Source("a-long", "{ pipeline: short }", 20, "long"),
                                           Source("b-mid", "{ pipeline: short }", 10, "mid"),
                                           Source("short", kMessages, 5, "")};
  Bench bench(all);
  REQUIRE(bench.opened.ok());
  for (int s = 0; s < 20; ++s) bench.Record(100 + s);
  CHECK(bench.sink.published == Names{Line("mid", 100, 110, 10)});
  // [115, 120) closes, and with it both windows, although no result of a later window has come.
  bench.Record(120);
  CHECK(bench.sink.published ==
        Names{Line("mid", 100, 110, 10), Line("long", 100, 120, 20), Line("mid", 110, 120, 10)});
  bench.Record(121);
  CHECK(bench.OutputRows() == 0);  // every reader has committed having read them
  for (const PipelineStatus& p : bench.node->Describe({{0}, {0}}).pipelines) {
    CHECK(p.lag == 0);
    CHECK(p.reads == (p.name == "short" ? "" : "short"));
  }
  // A restart goes on.
  bench.Start(all);
  bench.sink.published.clear();
  for (int s = 2; s <= 20; ++s) bench.Record(120 + s);
  CHECK(bench.sink.published.size() == 3);
}

TEST_CASE("chain: event_time() to the microsecond, of messages that two pipelines share, and of results") {
  const std::string source =
      "source: { mqtt: in, time: { value: ts * 1000 + 7, unit: us, max_ahead: 1000d } }\n";
  Bench bench({Written("pipeline: fine\n" + source +
                       "steps:\n  - key: k\n  - select: [{ us: event_time('us') }, { s: event_time('s') }]\n"
                       "sinks: { mqtt: fine }\n"),
               Written("pipeline: coarse\n" + source +
                       "steps:\n  - key: k\n  - window: { tumbling: 1s }\n"
                       "    aggregate: { ms: max(event_time()), n: count(ts) }\n"),
               Written("pipeline: of-fine\nsource: { pipeline: fine }\nsteps:\n  - key: k\n"
                       "  - select: [{ same: us = event_time('us') }]\nsinks: { mqtt: of-fine }\n"),
               Written("pipeline: of-coarse\nsource: { pipeline: coarse }\nsteps:\n  - key: k\n"
                       "  - select: [ms, n, { us: event_time('us') }]\nsinks: { mqtt: of-coarse }\n")});
  REQUIRE(bench.opened.ok());
  bench.Record(100);
  bench.Record(101);
  std::vector<std::string>& published = bench.sink.published;
  std::sort(published.begin(), published.end());
  const std::string at = "{\"k\":\"x\",\"window_start\":", first = at + "100000,\"window_end\":100000,",
                    second = at + "101000,\"window_end\":101000,";
  CHECK(published == Names{"fine " + first + "\"us\":100000007,\"s\":100}",
                           "fine " + second + "\"us\":101000007,\"s\":101}",
                           "of-coarse " + at + "100999,\"window_end\":100999,\"ms\":100000,\"n\":1," +
                               "\"us\":100999999}",
                           "of-fine " + first + "\"same\":true}", "of-fine " + second + "\"same\":true}"});
}

TEST_CASE("chain: sets of pipelines that cannot run are refused") {
  Bench bench({Source("a", "{ pipeline: b }", 5, "a"), Source("b", "{ pipeline: a }", 5, "b")});
  CHECK_FALSE(bench.opened.ok());
  REQUIRE(bench.faults.size() == 1);
  CHECK(bench.faults[0].code == ErrorCode::kPipelineCycle);
  bench.Start({Source("a", "{ pipeline: c }", 5, "a")});
  REQUIRE(bench.faults.size() == 1);
  CHECK(bench.faults[0].code == ErrorCode::kUnknownPipeline);
  bench.Start({Source("a", kMessages, 5, "")});
  REQUIRE(bench.faults.size() == 1);
  CHECK(bench.faults[0].code == ErrorCode::kMissingSetting);
}

TEST_CASE("chain: what is still read goes on, and a circle is not entered, when files change") {
  const PipelineSource low = Source("low", kMessages, 5, "low");
  const PipelineSource high = Source("high", "{ pipeline: low }", 10, "high");
  Bench bench({low, high});
  REQUIRE(bench.opened.ok());
  // The file of the one that is read is gone.
  CHECK(bench.Reload({high}) == std::vector<int>{1014});
  CHECK(bench.Names() == Names{"low", "high"});
  for (int s = 100; s <= 110; ++s) bench.Record(s);
  CHECK(bench.sink.published.size() == 3);
  // It would read its own reader.
  CHECK(bench.Reload({Source("low", "{ pipeline: high }", 5, "low"), high}) == std::vector<int>{1015});
  CHECK(bench.Names() == Names{"low", "high"});
  for (int s = 111; s <= 120; ++s) bench.Record(s);
  CHECK(bench.sink.published.size() == 6);
  // A new reader begins with the next result; the old one's text changes in the same turn.
  const PipelineSource higher = Source("high", "{ pipeline: low }", 20, "high");
  CHECK(bench.Reload({low, higher, Source("top", "{ pipeline: low }", 5, "top")}).empty());
  bench.sink.published.clear();
  for (int s = 121; s <= 125; ++s) bench.Record(s);
  CHECK(bench.sink.published == Names{Line("low", 120, 125, 5), Line("top", 120, 125, 5)});
  // All readers gone, and the sinks: nothing is kept for anybody.
  CHECK(bench.Reload({low}).empty());
  CHECK(bench.Names() == Names{"low"});
  for (int s = 126; s <= 140; ++s) bench.Record(s);
  CHECK(bench.OutputRows() == 0);
}

TEST_CASE("chain: a pipeline that turns to another source goes on with its next entry") {
  const PipelineSource low = Source("low", kMessages, 5, "low");
  Bench bench({low, Source("other", kMessages, 5, "other")});
  for (int s = 100; s <= 105; ++s) bench.Record(s);
  CHECK(bench.Reload({low, Source("other", "{ pipeline: low }", 5, "other")}).empty());
  bench.sink.published.clear();
  for (int s = 106; s <= 110; ++s) bench.Record(s);
  CHECK(bench.sink.published.size() == 2);
  CHECK(bench.Reload({low, Source("other", kMessages, 5, "other")}).empty());
  for (int s = 111; s <= 115; ++s) bench.Record(s);
  CHECK(bench.sink.published.size() == 4);
}

}  // namespace rivulet
