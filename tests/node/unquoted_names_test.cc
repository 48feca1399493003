// Records with a field that an expression names without its back quotes: counted, said once, and otherwise
// without any effect.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "node/config/reader.h"
#include "node/live/node.h"
#include "node/replay/replay.h"
#include "sim/sim_file_system.h"
#include "sim/sim_store.h"
#include "tests/node/test_link.h"

namespace rivulet {
namespace {

using testing::TestLink;

// `steps` behind the key, in line 5.
PipelineSource Source(const std::string& name, const std::string& source, const std::string& steps) {
  PipelineSource one;
  one.text = "pipeline: " + name + "\nsource: " + source + "\nsteps:\n" + steps + "\nsinks: { mqtt: " + name +
             " }\n";
  ConfigErrors errors;
  REQUIRE(ReadPipeline(one.text, name + ".yaml", &one.spec, &errors));
  return one;
}

constexpr const char* kIn = "{ mqtt: in, time: { field: t, max_ahead: 1000d } }";
constexpr const char* kWatching = "  - key: k\n  - where: coalesce(temp-C, 1) > 0\n  - select: [v]";
constexpr const char* kReading = "  - key: k\n  - select: { c: '`temp-C`' }";

// A node with these pipelines, and what it logs of records that come.
class Bench {
 public:
  explicit Bench(std::vector<PipelineSource> sources, uint32_t workers = 1) {
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

std::string Record(int t, const std::string& more) {
  return "{\"k\":\"x\",\"t\":" + std::to_string(t) + ",\"v\":" + std::to_string(t) + more + "}";
}

}  // namespace

TEST_CASE("unquoted names: records that have the field are counted, and the log says so once") {
  Bench bench({Source("p", kIn, kWatching)});
  CHECK(bench.warned == 1);
  bench.Deliver({Record(1, ""), Record(2, R"(,"temp-C":null)"), Record(3, R"(,"temp":5,"C":1)"),
                 Record(4, R"(,"temp":5,"C":1,"temp-C":4)")});
  CHECK(bench.Counters("p").unquoted == 0);
  CHECK(bench.lines.empty());
  bench.Deliver({Record(5, R"(,"temp-C":21.5)")});
  CHECK(bench.Counters("p").unquoted == 1);
  REQUIRE(bench.lines.size() == 1);
  const LogMessage& line = bench.lines[0];
  CHECK(line.text.starts_with(
      "p.yaml:5:21: E2002 unknown field name: pipeline 'p': a record has the field 'temp-C', which "
      "'coalesce(temp-C, 1) > 0' does not read: without back quotes temp-C means temp - C. Write `temp-C`"));
  CHECK(line.pipeline == "p");
  CHECK(line.code == ErrorCode::kUnknownName);
  CHECK(line.file == "p.yaml");
  CHECK(line.line == 5);
  bench.Deliver({Record(6, R"(,"temp-C":[1])"), Record(7, R"(,"temp-C":1e999)"),
                 Record(8, R"(,"temp":1,"temp-C":"x")"), R"({"k":"x","temp-C":1})"});
  CHECK(bench.Counters("p").unquoted == 5);
  CHECK(bench.Counters("p").dead == 1);  // the last, which has no time
  CHECK(bench.Counters("p").records == 9);
  CHECK(bench.lines.size() == 1);
  CHECK(bench.sink.published.size() == 8);
  // Another text of the pipeline does not say it again.
  bench.Reload({Source("p", kIn, std::string(kWatching) + "\n  - where: v > 0")});
  bench.Deliver({Record(9, R"(,"temp-C":1)")});
  CHECK(bench.Counters("p").unquoted == 1);
  CHECK(bench.lines.empty());
}

TEST_CASE("unquoted names: nothing of them gets into the store or what is put out") {
  const std::vector<std::string> records = {
      Record(1, R"(,"temp-C":1)"), Record(20'000, R"(,"temp-C":{"a":[1]})"), Record(2, R"(,"temp-C":"late")"),
      R"({"k":"x","t":"no time","temp-C":1})", R"({"k":"x","t":5,"temp-C":trux})", Record(40'000, "")};
  const auto source = [](const std::string& condition) {
    PipelineSource one;
    one.text = std::string("pipeline: p\nsource: ") + kIn + "\nsteps:\n  - key: k\n  - where: coalesce(" +
               condition + ", 1) > 0\n  - dedup: { by: [v], within: 1m }\n  - window: { tumbling: 10s }\n" +
               "    aggregate: { n: count() }\nsinks: { mqtt: p }\nlate: { mqtt: late }\n" +
               "dead_letters: { mqtt: dead }\n";
    ConfigErrors errors;
    REQUIRE(ReadPipeline(one.text, "p.yaml", &one.spec, &errors));
    return one;
  };
  Bench watching({source("temp-C")}), quiet({source("temp - C")});
  watching.Deliver(records);
  quiet.Deliver(records);
  CHECK(watching.Counters("p").unquoted == 4);
  CHECK(quiet.Counters("p").unquoted == 0);
  CHECK(watching.Counters("p").late == 1);
  CHECK(watching.Counters("p").dead == 2);
  CHECK(watching.sink.published.size() == 5);
  CHECK(watching.sink.published == quiet.sink.published);
  CHECK(watching.Stored() == quiet.Stored());
}

TEST_CASE("unquoted names: pipelines that share a decode each have what they want of the field") {
  for (const bool first : {true, false}) {
    CAPTURE(first);
    const PipelineSource watching = Source("a", kIn, kWatching), reading = Source("b", kIn, kReading);
    Bench bench(first ? std::vector{watching, reading} : std::vector{reading, watching}, 2);
    bench.Deliver({Record(1, R"(,"temp-C":21.5)"), Record(2, ""), Record(3, R"(,"temp-C":"x")")});
    CHECK(bench.Counters("a").unquoted == 2);
    CHECK(bench.Counters("b").unquoted == 0);
    CHECK(bench.lines.size() == 1);
    std::vector<std::string> read;
    for (const std::string& line : bench.sink.published) {
      if (line.starts_with("b ")) read.push_back(line.substr(line.find("\"c\":")));
    }
    CHECK(read == std::vector<std::string>{"\"c\":21.5}", "\"c\":null}", "\"c\":\"x\"}"});
  }
}

TEST_CASE("unquoted names: elements of arrays, lines, and results of another pipeline") {
  Bench bench({Source("exploded", kIn,
                      "  - explode: { field: list, as: e }\n  - key: k\n"
                      "  - where: coalesce(e.temp-C, 1) > 0\n  - select: [v]"),
               Source("ndjson", "{ mqtt: lines, format: ndjson, time: { field: t, max_ahead: 1000d } }",
                      kWatching),
               Source("results", "{ pipeline: given }", kWatching),
               Source("given", kIn, "  - key: k\n  - select: { temp-C: v, v: v }")});
  bench.Deliver({Record(1, R"(,"list":[{"temp-C":1},{"temp":1},{"temp-C":"x"},3])")});
  CHECK(bench.Counters("exploded").records == 4);
  CHECK(bench.Counters("exploded").unquoted == 2);
  CHECK(bench.Counters("results").unquoted == 1);
  const std::string lines = Record(1, R"(,"temp-C":1)") + "\n{\n" + Record(2, "") + "\n";
  bench.Deliver({lines + Record(3, R"(,"temp-C":1)")}, "lines");
  CHECK(bench.Counters("ndjson").unquoted == 2);
  CHECK(bench.Counters("ndjson").dead == 1);
  CHECK(bench.lines.size() == 3);
}

TEST_CASE("unquoted names: of several sources only those count whose records the expression is for") {
  const std::string source =
      "\n  - { name: a, mqtt: a, time: { field: t, max_ahead: 1000d } }\n"
      "  - { name: b, mqtt: b, time: { field: t, max_ahead: 1000d }";
  Bench bench({Source("own", source + ", where: 'coalesce(temp-C, 1) > 0' }", kReading),
               Source("all", source + " }", kWatching)});
  const std::vector<std::string> records = {Record(1, R"(,"temp-C":1)"), Record(2, ""),
                                            Record(3, R"(,"temp-C":1)")};
  bench.Deliver(records, "a");
  CHECK(bench.Counters("own").unquoted == 0);
  CHECK(bench.Counters("all").unquoted == 2);
  bench.Deliver(records, "b");
  CHECK(bench.Counters("own").unquoted == 2);
  CHECK(bench.Counters("all").unquoted == 4);
  CHECK(bench.lines.size() == 2);
}

namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "rivulet-unquoted-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

ReplaySummary Run(const Folder& folder, const std::string& input, uint32_t workers,
                  const std::vector<PipelineSource>& sources) {
  std::ofstream(folder / "input") << input;
  ReplayOptions options;
  options.input = folder / "input";
  options.output = folder / "output-{pipeline}";
  options.workers = workers;
  options.progress = [](uint64_t, uint64_t, const PipelineCounters&) { return true; };
  options.clock = [] { return Monotonic{}; };
  std::vector<PipelineSpec> specs;
  for (const PipelineSource& source : sources) specs.push_back(source.spec);
  ConfigErrors errors;
  Result<ReplaySummary> summary = Replay(std::move(specs), options, &errors);
  REQUIRE_MESSAGE(summary.ok(), summary.status().ToString());
  return std::move(*summary);
}

}  // namespace

TEST_CASE("unquoted names: a replay says at its end how many records had the field") {
  const Folder folder;
  const std::string in = "{ mqtt: \"d/{k}\", time: { field: t } }";
  std::string input;
  for (int i = 0; i < 30'000; ++i) input += Record(i, i % 3 == 0 ? R"(,"temp-C":1)" : "") + "\n";
  for (const uint32_t workers : {1u, 3u}) {
    CAPTURE(workers);
    const ReplaySummary summary =
        Run(folder, input, workers, {Source("p", in, kWatching), Source("q", "{ pipeline: p }", kWatching)});
    REQUIRE(summary.pipelines.size() == 2);
    CHECK(summary.counters.unquoted == 10'000);
    REQUIRE(summary.pipelines[0].warnings.size() == 1);
    CHECK(summary.pipelines[0].warnings[0].ToString().starts_with(
        "p.yaml:5:21: E2002 unknown field name: pipeline 'p': 10000 records have the field 'temp-C', "));
    CHECK(summary.pipelines[1].warnings.empty());  // results have no such field
  }
  CHECK(Run(folder, input, 1, {Source("r", in, kReading)}).pipelines[0].warnings.empty());
}

}  // namespace rivulet
