#include "node/live/sink_watch.h"

#include <doctest/doctest.h>

namespace rivulet {

TEST_CASE("sink watch: what changes is said once") {
  std::vector<std::string> lines;
  const LogFunction log = [&](char level, const LogMessage& m) { lines.push_back(level + (" " + m.text)); };
  SinkWatch watch;
  std::vector<SinkStats> sinks(2);
  sinks[0].name = "file out";
  sinks[1].name = "mqtt out";
  sinks[1].available = false;
  const auto look = [&] {
    lines.clear();
    watch.Look("p", sinks, log);
    watch.Look("p", sinks, log);
    return lines;
  };
  CHECK(look().empty());
  sinks[0].available = false;
  sinks[0].last_error = "E3019 moved: a";
  const std::string waits = "w pipeline 'p': file out takes no results, they wait: ";
  CHECK(look() == std::vector<std::string>{waits + "E3019 moved: a"});
  sinks[0].last_error = "E3019 moved: b";
  CHECK(look().empty());
  sinks[0].last_error = "E3017 gap: c";
  CHECK(look() == std::vector<std::string>{waits + "E3017 gap: c"});
  sinks[0].available = true;
  sinks[0].gaps = 1;
  sinks[0].last_gap = "10 bytes";
  CHECK(look() == std::vector<std::string>{"w pipeline 'p': file out: 10 bytes",
                                           "i pipeline 'p': file out takes results again"});
}

}  // namespace rivulet
