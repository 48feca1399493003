#include <doctest/doctest.h>

#include "node/generate/live_publisher.h"
#include "tests/node/sink_test_support.h"

using namespace rivulet;

namespace {

// Time passes only when the publisher sleeps; what else happens then is the test's choice.
struct World {
  FakeLink link;
  Now now{{1'000'000}, {1'800'000'000'000'000}};
  std::function<void()> on_sleep = [] {};
  bool interrupt = false;
  uint64_t progress = 0;

  LiveHooks Hooks() {
    return {[this] { return now; },
            [this](Monotonic until) {
              if (until > now.monotonic) {
                now.wall.us += (until - now.monotonic).us;
                now.monotonic = until;
              }
              on_sleep();
            },
            [this] { return interrupt; }, [this](uint64_t n) { progress = n; }};
  }
  Result<LiveReport> Run(const LiveOptions& options) {
    const LiveHooks hooks = Hooks();
    return PublishLive(options, hooks, &link);
  }
};

LiveOptions Options(uint64_t count) {
  LiveOptions options;
  options.stream.count = count;
  options.topic = "v/{vehicle}";
  return options;
}

}  // namespace

TEST_CASE("live: paced by the clock, each reading when it is due") {
  World world;
  world.link.acknowledge_at_once = true;
  const auto report = world.Run(Options(200));  // 100 a second
  REQUIRE(report.ok());
  CHECK(report->sent == 200);
  CHECK(report->acknowledged == 200);
  CHECK(report->errors == 0);
  CHECK(report->elapsed.us >= 1'989'000);
  CHECK(report->elapsed.us <= 2'001'000);
  CHECK(world.progress == 200);
  CHECK(world.link.sent[1].topic == "v/v0001");
  CHECK(world.link.sent[0].payload.find("\"ts\":1800000000000,") != std::string::npos);
  CHECK(world.link.sent[100].payload.find("\"ts\":1800000001000,") != std::string::npos);
}

TEST_CASE("live: as fast as acknowledged, with the wall clock as event time") {
  World world;
  world.on_sleep = [&] {
    while (!world.link.waiting.empty()) world.link.Acknowledge();
  };
  LiveOptions options = Options(40);
  options.paced = false;
  const auto report = world.Run(options);
  CHECK(report->acknowledged == 40);
  CHECK(report->elapsed.us < 20'000);  // four at a time, a millisecond each
  CHECK(world.link.sent[39].payload.find("\"ts\":18000000000") != std::string::npos);
}

TEST_CASE("live: what a lost connection took is sent again, in order") {
  World world;
  int sleeps = 0;
  world.on_sleep = [&] {
    world.link.connected = true;
    if (++sleeps % 5 == 0) {
      world.link.LoseConnection();
    } else if (!world.link.waiting.empty()) {
      world.link.Acknowledge();
    }
  };
  LiveOptions options = Options(50);
  options.paced = false;
  const auto report = world.Run(options);
  CHECK(report->sent == 50);
  CHECK(report->acknowledged == 50);
  CHECK(report->errors > 0);
  CHECK(world.link.sent.size() > 50);
}

TEST_CASE("live: a broker that never answers ends the run with a difference in the report") {
  World world;
  const auto report = world.Run(Options(10));
  REQUIRE(report.ok());
  CHECK(report->sent == 4);
  CHECK(report->acknowledged == 0);
  CHECK(report->elapsed.us >= 30'000'000);
}

TEST_CASE("live: no broker, bad topic") {
  World world;
  world.link.connected = false;
  const auto none = world.Run(Options(10));
  CHECK(none.status().code() == ErrorCode::kBrokerUnreachable);
  CHECK(none.status().message().find("refused") != std::string::npos);
  LiveOptions options = Options(1);
  options.topic = "a/#";
  CHECK(world.Run(options).status().code() == ErrorCode::kBadTopicPattern);
}

TEST_CASE("live: an interruption ends making, not waiting for what was sent") {
  World world;
  int sleeps = 0;
  world.on_sleep = [&] {
    if (++sleeps == 3) world.interrupt = true;
    if (sleeps > 6 && !world.link.waiting.empty()) world.link.Acknowledge();
  };
  LiveOptions options = Options(1000);
  options.paced = false;
  const auto report = world.Run(options);
  CHECK(report->interrupted);
  CHECK(report->sent == 4);
  CHECK(report->acknowledged == 4);
}

TEST_CASE("live: readings still held back at the end are sent at once") {
  World world;
  world.link.acknowledge_at_once = true;
  LiveOptions options = Options(300);
  options.stream.late_share = 0.5;
  const auto report = world.Run(options);
  CHECK(report->acknowledged == 300);
  CHECK(report->elapsed.us < 4'000'000);
}
