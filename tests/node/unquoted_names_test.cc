// Records with a field that an expression names without its back quotes: counted, said once, and otherwise
// without any effect.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "node/config/reader.h"
#include "node/replay/replay.h"
#include "tests/node/node_bench.h"

namespace rivulet {
namespace {

using testing::NodeBench;
using testing::NodeSource;

constexpr const char* kIn = "{ mqtt: in, time: { field: t, max_ahead: 1000d } }";
constexpr const char* kWatching = "  - key: k\n  - where: coalesce(temp-C, 1) > 0\n  - select: [v]";
constexpr const char* kReading = "  - key: k\n  - select: { c: '`temp-C`' }";

std::string Record(int t, const std::string& more) {
  return "{\"k\":\"x\",\"t\":" + std::to_string(t) + ",\"v\":" + std::to_string(t) + more + "}";
}

}  // namespace

TEST_CASE("unquoted names: records that have the field are counted, and the log says so once") {
  NodeBench bench({NodeSource("p", kIn, kWatching)});
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
  bench.Reload({NodeSource("p", kIn, std::string(kWatching) + "\n  - where: v > 0")});
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
  NodeBench watching({source("temp-C")}), quiet({source("temp - C")});
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
    const PipelineSource watching = NodeSource("a", kIn, kWatching), reading = NodeSource("b", kIn, kReading);
    NodeBench bench(first ? std::vector{watching, reading} : std::vector{reading, watching}, 2);
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
  NodeBench bench({NodeSource("exploded", kIn,
                      "  - explode: { field: list, as: e }\n  - key: k\n"
                      "  - where: coalesce(e.temp-C, 1) > 0\n  - select: [v]"),
               NodeSource("ndjson", "{ mqtt: lines, format: ndjson, time: { field: t, max_ahead: 1000d } }",
                      kWatching),
               NodeSource("results", "{ pipeline: given }", kWatching),
               NodeSource("given", kIn, "  - key: k\n  - select: { temp-C: v, v: v }")});
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
  NodeBench bench({NodeSource("own", source + ", where: 'coalesce(temp-C, 1) > 0' }", kReading),
               NodeSource("all", source + " }", kWatching)});
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
        Run(folder, input, workers,
            {NodeSource("p", in, kWatching), NodeSource("q", "{ pipeline: p }", kWatching)});
    REQUIRE(summary.pipelines.size() == 2);
    CHECK(summary.counters.unquoted == 10'000);
    REQUIRE(summary.pipelines[0].warnings.size() == 1);
    CHECK(summary.pipelines[0].warnings[0].ToString().starts_with(
        "p.yaml:5:21: E2002 unknown field name: pipeline 'p': 10000 records have the field 'temp-C', "));
    CHECK(summary.pipelines[1].warnings.empty());  // results have no such field
  }
  CHECK(Run(folder, input, 1, {NodeSource("r", in, kReading)}).pipelines[0].warnings.empty());
}

}  // namespace rivulet
