#include "node/live/supervisor.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <thread>

#include "node/live/service_status.h"

namespace rivulet {
namespace {

class FakeManager final : public ServiceManager {
 public:
  explicit FakeManager(Duration watchdog) : watchdog_(watchdog) {}
  bool listens() const override { return true; }
  Duration watchdog() const override { return watchdog_; }
  void Notify(const std::string& lines) override { told.push_back(lines); }

  size_t Count(const std::string& beginning) const {
    return static_cast<size_t>(std::count_if(told.begin(), told.end(), [&](const std::string& lines) {
      return lines.starts_with(beginning);
    }));
  }
  std::vector<std::string> told;

 private:
  const Duration watchdog_;
};

class Bench final : public ThreadStates {
 public:
  explicit Bench(Duration watchdog) : manager(watchdog) {
    engine = heartbeats_.Add("engine");
    BeatOnce();
    SupervisorParts parts;
    parts.manager = &manager;
    parts.heartbeats = &heartbeats_;
    parts.states = this;
    parts.status = [] { return "2 pipelines"; };
    parts.stop_wanted = [this] { return stop_wanted; };
    parts.log = [this](char level, const LogMessage& m) { log.push_back(level + (" " + m.text)); };
    supervisor = std::make_unique<Supervisor>(parts);
  }
  ThreadState Of(int) override { return on_disk ? ThreadState::kWaitsForDisk : ThreadState::kRuns; }
  bool AnyWaitsForDisk() override { return on_disk; }
  void BeatOnce() {
    std::thread([this] { engine->Attach(Activity::kWorking); }).join();
  }
  void Run(Duration duration, bool progress = true) {
    for (Duration past; past < duration; past.us += supervisor->period().us) {
      if (progress) BeatOnce();
      supervisor->Step(now_);
      now_ = now_ + supervisor->period();
    }
  }

  FakeManager manager;
  Heartbeat* engine;
  bool on_disk = false, stop_wanted = false;
  std::vector<std::string> log;
  std::unique_ptr<Supervisor> supervisor;

 private:
  Heartbeats heartbeats_;
  Monotonic now_{7'000'000};
};

TEST_CASE("the watchdog is fed about four times in its time") {
  for (const int64_t seconds : {1, 5, 60, 600}) {
    Bench bench(Duration::Seconds(seconds));
    bench.supervisor->Ready();
    bench.Run(Duration::Seconds(seconds * 10));
    CHECK(bench.manager.Count("WATCHDOG=1") >= 40);
    CHECK(bench.manager.Count("WATCHDOG=1") <= 90);
  }
}

TEST_CASE("a stuck thread ends the feeding within half the time, and progress begins it again") {
  Bench bench(Duration::Seconds(60));
  bench.supervisor->Ready();
  bench.Run(Duration::Seconds(20));
  const size_t before = bench.manager.Count("WATCHDOG=1");
  bench.Run(Duration::Seconds(600), false);
  CHECK(bench.manager.Count("WATCHDOG=1") <= before + 3);
  REQUIRE(bench.log.size() == 1);
  CHECK(bench.log[0].starts_with("e no progress for 30 s in: engine"));
  bench.Run(Duration::Seconds(60));
  CHECK(bench.manager.Count("WATCHDOG=1") >= before + 4);
  CHECK(bench.log.back() == "w there is progress again");
}

TEST_CASE("a slow disk does not end the feeding") {
  Bench bench(Duration::Seconds(60));
  bench.supervisor->Ready();
  bench.on_disk = true;
  bench.Run(Duration::Seconds(3600), false);
  CHECK(bench.manager.Count("WATCHDOG=1") >= 240);
  CHECK(bench.log.empty());
}

TEST_CASE("more time is asked for while starting and stopping, as long as there is progress") {
  Bench bench(Duration::Seconds(60));
  const std::string more = "EXTEND_TIMEOUT_USEC=";
  bench.Run(Duration::Seconds(50));
  const size_t starting = bench.manager.Count(more);
  CHECK(starting >= 10);
  bench.Run(Duration::Seconds(300), false);
  CHECK(bench.manager.Count(more) <= starting + 7);
  bench.BeatOnce();
  bench.supervisor->Ready();
  CHECK(bench.manager.told.back() == "READY=1\nSTATUS=running");
  const size_t running = bench.manager.Count(more);
  bench.Run(Duration::Seconds(50));
  CHECK(bench.manager.Count(more) == running);
  // Before the engine has seen that it is to stop, which may be when a disk has answered.
  bench.stop_wanted = true;
  bench.on_disk = true;
  bench.Run(Duration::Seconds(50), false);
  CHECK(bench.manager.Count(more) >= running + 10);
}

TEST_CASE("no watchdog, no feeding") {
  Bench bench(Duration{});
  bench.Run(Duration::Seconds(100));
  bench.supervisor->Ready();
  bench.Run(Duration::Seconds(100));
  CHECK(bench.manager.Count("WATCHDOG=1") == 0);
  CHECK(bench.manager.Count("STATUS=2 pipelines") >= 9);
}

TEST_CASE("what happens is told") {
  Bench bench(Duration::Seconds(60));
  bench.supervisor->Ready();
  bench.supervisor->Reloading({1234567});
  CHECK(bench.manager.told.back().starts_with("RELOADING=1\nMONOTONIC_USEC=1234567\nSTATUS="));
  bench.supervisor->Reloaded(0);
  CHECK(bench.manager.told.back() == "READY=1\nSTATUS=pipelines reloaded");
  bench.supervisor->Reloaded(2);
  CHECK(bench.manager.told.back().starts_with("READY=1\nSTATUS=reloaded, but for 2 fault(s)"));
  bench.Run(Duration::Seconds(1));
  CHECK(bench.manager.told.back() ==
        "STATUS=2 pipelines; the last reload found 2 fault(s), see the log");
  bench.supervisor->Stopping();
  CHECK(bench.manager.told.back().starts_with("STOPPING=1\n"));
  bench.supervisor->Failed("E3004 full\nWATCHDOG=trigger");
  CHECK(bench.manager.told.back() == "STATUS=E3004 full WATCHDOG=trigger");
}

TEST_CASE("the status line") {
  NodeStatus before, now;
  now.uptime_us = 10'000'000;
  now.journal.appended_entries = 1200;
  now.pipelines.resize(2);
  now.pipelines[0].counters.records = 1200;
  now.pipelines[0].lag = 7;
  now.pipelines[1].counters.records = 1200;
  now.lane.connected = true;
  now.lane.broker = "tcp://localhost:1883";
  CHECK(ServiceStatusLine(before, now) ==
        "2 pipelines, 120 messages/s, 240 records/s, lag 7, broker tcp://localhost:1883");
  before = now;
  now.pipelines.pop_back();  // counters went down
  now.uptime_us += 10'000'000;
  now.pipelines[0].outputs_waiting = 3;
  now.lane.connected = false;
  now.lane.last_error = "E5001 broker cannot be reached: no route";
  CHECK(ServiceStatusLine(before, now) ==
        "1 pipeline, 0 messages/s, 0 records/s, lag 7, 3 results waiting, no broker: E5001 broker cannot "
        "be reached: no route");
  now.paused = true;
  CHECK(ServiceStatusLine(before, now).ends_with("disk nearly full: not reading from MQTT"));
  CHECK(ServiceStatusLine(now, now).find("0 messages/s") != std::string::npos);
}

}  // namespace
}  // namespace rivulet
