// Replays of several pipelines: stopped and started again they end with the same files, and chains that make
// no sense are refused.

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "node/config/reader.h"
#include "node/replay/replay.h"

namespace rivulet {
namespace {

namespace fs = std::filesystem;

PipelineSpec Spec(const std::string& name, const std::string& source, const std::string& steps) {
  PipelineSpec spec;
  ConfigErrors errors;
  REQUIRE(ReadPipeline("pipeline: " + name + "\nsource: " + source + "\nsteps:\n  - key: k\n" + steps,
                       name + ".yaml", &spec, &errors));
  return spec;
}

std::vector<PipelineSpec> Chain() {
  return {Spec("long", "{ pipeline: short }",
               "  - window: { tumbling: 1m }\n    aggregate: { n: sum(n), top: max(top) }\n"),
          Spec("high", "{ pipeline: short }", "  - where: top > 90\n  - select: [top]\n"),
          Spec("short", "{ mqtt: in, time: { field: t, unit: s, delay: 2s } }",
               "  - window: { tumbling: 10s, lateness: 5s }\n    aggregate: { n: count(), top: max(v) }\n")};
}

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "rivulet-chain-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
    std::ofstream input(path_ / "input");
    for (int i = 0; i < 80'000; ++i) {
      input << "{\"k\":\"k" << i % 7 << "\",\"t\":" << 1000 + i / 40 - i % 3
            << ",\"v\":" << i * 31 % 100 << "}\n";
    }
  }
  ~Folder() { fs::remove_all(path_); }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string Text(const std::string& name) const {
    std::ifstream in(path_ / name, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }

 private:
  fs::path path_;
};

// `turns`: stops before so many have been made; 0: never.
Result<ReplaySummary> Run(const Folder& folder, const std::string& name, const std::string& state,
                          uint32_t workers, int turns, std::vector<PipelineSpec> specs = Chain()) {
  ReplayOptions options;
  options.state_size = 64 << 20;  // an emulator keeps books about each page of a map
  options.input = folder / "input";
  options.output = folder / (name + "-{pipeline}");
  options.late = folder / (name + "-late-{pipeline}");
  options.dead_letters = folder / (name + "-dead-{pipeline}");
  options.state = state.empty() ? "" : folder / state;
  options.workers = workers;
  options.commit_interval = Duration{0};
  options.progress = [left = turns](uint64_t, uint64_t, const PipelineCounters&) mutable {
    return --left != 0;
  };
  options.clock = [] { return Monotonic{}; };
  ConfigErrors errors;
  return Replay(std::move(specs), options, &errors);
}

}  // namespace

TEST_CASE("chain replay: with workers, and stopped and started again, the same files") {
  const Folder folder;
  const Result<ReplaySummary> all = Run(folder, "plain", "", 1, 0);
  REQUIRE_MESSAGE(all.ok(), all.status().ToString());
  REQUIRE(all->pipelines.size() == 3);
  CHECK(all->pipelines[0].name == "short");
  CHECK(all->pipelines[0].counters.records == 80'000);
  CHECK(all->pipelines[1].counters.records == all->pipelines[0].counters.results);
  REQUIRE(Run(folder, "workers", "", 3, 0).ok());
  for (const int turns : {2, 3, 2}) {
    const Result<ReplaySummary> part = Run(folder, "parts", "state", turns == 3 ? 2 : 1, turns);
    REQUIRE_MESSAGE(part.ok(), part.status().ToString());
    CHECK(part->interrupted);
    CHECK(part->counters.records > 0);
  }
  REQUIRE(Run(folder, "parts", "state", 2, 0).ok());
  for (const char* const name : {"short", "long", "high", "late-short", "late-long", "dead-long"}) {
    CAPTURE(name);
    const std::string expected = folder.Text(std::string("plain-") + name);
    CHECK(expected.empty() == (std::string(name).find('-') != std::string::npos));
    CHECK(folder.Text(std::string("workers-") + name) == expected);
    CHECK(folder.Text(std::string("parts-") + name) == expected);
  }
}

TEST_CASE("chain replay: results that are records keep their time to the microsecond") {
  const Folder folder;
  const std::vector<PipelineSpec> specs = {
      Spec("read", "{ pipeline: fine }",
           "  - where: us = event_time('us') and ms = event_time()\n"
           "  - window: { tumbling: 1m }\n"
           "    aggregate: { n: count(), odd: sum(event_time('us') % 1000) }\n"),
      Spec("fine", "{ mqtt: in, time: { value: t * 1000000 + v, unit: us, delay: 3s } }",
           "  - where: v > 50\n  - select: [{ us: event_time('us') }, { ms: event_time() }]\n")};
  const Result<ReplaySummary> all = Run(folder, "plain", "", 1, 0, specs);
  REQUIRE_MESSAGE(all.ok(), all.status().ToString());
  REQUIRE(Run(folder, "workers", "", 3, 0, specs).ok());
  CHECK(folder.Text("workers-read") == folder.Text("plain-read"));
  // 49 of 100 readings, of 80,000, with 51 to 99 microseconds.
  uint64_t n = 0, odd = 0;
  std::istringstream lines(folder.Text("plain-read"));
  for (std::string line; std::getline(lines, line);) {
    n += std::stoull(line.substr(line.find("\"n\":") + 4));
    odd += std::stoull(line.substr(line.find("\"odd\":") + 6));
  }
  CHECK(n == 80'000 / 100 * 49);
  CHECK(odd == 800 * (51 + 99) * 49 / 2);
}

TEST_CASE("chain replay: what makes no sense is refused") {
  const Folder folder;
  const std::vector<PipelineSpec> chain = Chain();
  CHECK(Run(folder, "x", "", 1, 0, {chain[0], chain[0], chain[2]}).status().code() ==
        ErrorCode::kDuplicatePipeline);
  const std::string window = "  - window: { tumbling: 1m }\n    aggregate: { n: count() }\n";
  const PipelineSpec a = Spec("a", "{ pipeline: b }", window), b = Spec("b", "{ pipeline: a }", window);
  for (const std::vector<PipelineSpec>& specs :
       {std::vector{a, b}, std::vector{a, b, chain[2]}, std::vector{a, chain[2]}}) {
    CHECK(Run(folder, "x", "", 1, 0, specs).status().code() == ErrorCode::kUsage);
  }
}

}  // namespace rivulet
