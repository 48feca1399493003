// What a node says of entries of its journal that turn out to be damaged while it runs.
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

TEST_CASE("a damaged entry that is met while running is counted and said once, the others are processed") {
  sim::SimFileSystem files;
  const std::unique_ptr<Store> store = NewMemoryStore();
  const std::unique_ptr<TaskRunner> runner = NewSerialRunner();
  const std::unique_ptr<Background> background = NewInlineBackground();
  testing::TestLink lane, sink;
  Now clock{{5'000'000'000}, {1'700'000'000'000'000}};
  std::vector<std::string> log;
  NodeSpec spec;
  spec.name = "test";
  spec.data_directory = "/data";
  spec.disk_reserve = 0;
  NodeParts parts;
  parts.files = &files;
  parts.store = store.get();
  parts.lane_link = &lane;
  parts.sink_link = &sink;
  parts.runner = runner.get();
  parts.committer = background.get();
  parts.syncer = background.get();
  parts.clock = [&clock] { return clock; };
  parts.log = [&log](char, const LogMessage& message) { log.push_back(message.text); };
  Node node(spec, parts);
  PipelineSource source;
  ConfigErrors errors;
  source.text = kPipeline;
  REQUIRE(ReadPipeline(source.text, "test.yaml", &source.spec, &errors));
  REQUIRE(node.Open({std::move(source)}, &errors).ok());
  for (const char* key : {"first", "second", "third"}) {
    REQUIRE(lane.Deliver("in", std::string("{\"k\":\"") + key + "\"}").ok());
  }
  const std::string segment = "/data/lane-0/00000000000000000000.rvj";
  std::string bytes = files.Contents(segment);
  const size_t place = bytes.find("second");
  REQUIRE(place != std::string::npos);
  bytes[place] ^= 1;
  files.SetContents(segment, bytes);
  for (int k = 0; k < 20; ++k) {
    while (node.Step(clock)) {
    }
    clock.monotonic.us += 60'000'000;
    clock.wall.us += 60'000'000;
  }
  const NodeStatus status = node.Describe(clock);
  CHECK(status.journal.damaged_entries == 1);
  CHECK(status.pipelines[0].counters.records == 2);
  CHECK(std::count_if(log.begin(), log.end(), [](const std::string& line) {
          return line.find("journal: 1 entries were found damaged") != line.npos;
        }) == 1);
}

}  // namespace
}  // namespace rivulet
