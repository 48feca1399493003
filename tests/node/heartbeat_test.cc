#include "node/engine/heartbeat.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "node/engine/background.h"
#include "node/engine/task_runner.h"
#include "node/live/stall_detector.h"

namespace rivulet {
namespace {

constexpr Duration kLimit = Duration::Seconds(30);

// All threads do the same.
class FakeStates final : public ThreadStates {
 public:
  ThreadState Of(int) override { return all; }
  bool AnyWaitsForDisk() override { return all == ThreadState::kWaitsForDisk || library_on_disk; }
  ThreadState all = ThreadState::kRuns;
  bool library_on_disk = false;
};

// Heartbeats of threads that do what the test says, and a clock that does.
class Threads {
 public:
  Threads() : detector_(&heartbeats, &states, kLimit) {}

  // A heartbeat that stays as its thread left it.
  Heartbeat* Add(const std::string& name, Activity activity) {
    Heartbeat* const added = heartbeats.Add(name);
    std::thread([added, activity] { added->Attach(activity); }).join();
    return added;
  }
  void BeatOf(Heartbeat* heartbeat) {
    std::thread([heartbeat] { heartbeat->Attach(heartbeat->activity()); }).join();
  }
  // The last sample of `seconds` with one a second.
  std::vector<std::string> After(int64_t seconds) {
    std::vector<std::string> stuck;
    for (int64_t i = 0; i < seconds; ++i) {
      now_.us += 1'000'000;
      stuck = detector_.Sample(now_);
    }
    return stuck;
  }
  std::vector<std::string> Jump(int64_t seconds) {
    now_.us += seconds * 1'000'000;
    return detector_.Sample(now_);
  }

  Heartbeats heartbeats;
  FakeStates states;

 private:
  StallDetector detector_;
  Monotonic now_{5'000'000};
};

using Names = std::vector<std::string>;

TEST_CASE("a thread with work and without progress is stuck after the limit, and not before") {
  Threads threads;
  Heartbeat* const engine = threads.Add("engine", Activity::kWorking);
  CHECK(threads.After(30) == Names{});
  CHECK(threads.After(1) == Names{"engine"});
  threads.BeatOf(engine);
  CHECK(threads.After(30) == Names{});
  CHECK(threads.After(1) == Names{"engine"});
}

TEST_CASE("a long turn that gets on is not stuck") {
  Threads threads;
  Heartbeat* const engine = threads.Add("engine", Activity::kWorking);
  for (int i = 0; i < 100; ++i) {
    CHECK(threads.After(20) == Names{});
    threads.BeatOf(engine);
  }
}

TEST_CASE("an idle thread is never stuck") {
  Threads threads;
  threads.Add("worker 1", Activity::kIdle);
  CHECK(threads.After(10'000) == Names{});
}

TEST_CASE("a slow disk is nothing to restart for, but time before and after counts") {
  Threads threads;
  threads.Add("committer", Activity::kWorking);
  CHECK(threads.After(20) == Names{});
  threads.states.all = ThreadState::kWaitsForDisk;
  CHECK(threads.After(3600) == Names{});
  threads.states.all = ThreadState::kSleeps;
  CHECK(threads.After(10) == Names{});
  CHECK(threads.After(1) == Names{"committer"});
}

TEST_CASE("who waits for one that works is not stuck; who waits for nobody is") {
  Threads threads;
  threads.Add("engine", Activity::kWaiting);
  Heartbeat* const worker = threads.Add("worker 1", Activity::kWorking);
  SUBCASE("on a disk: neither") {
    threads.states.all = ThreadState::kWaitsForDisk;
    CHECK(threads.After(600) == Names{});
  }
  SUBCASE("endlessly: that one is named") { CHECK(threads.After(31) == Names{"worker 1"}); }
  SUBCASE("that has finished without a word") {
    std::thread([worker] { worker->Attach(Activity::kIdle); }).join();
    CHECK(threads.After(31) == Names{"engine"});
  }
}

TEST_CASE("who sleeps may wait for what a thread on a disk holds; who runs does not") {
  Threads threads;
  threads.Add("engine", Activity::kWorking);
  threads.states.all = ThreadState::kSleeps;
  threads.states.library_on_disk = true;
  CHECK(threads.After(600) == Names{});
  SUBCASE("the disk answers, and it sleeps on") { threads.states.library_on_disk = false; }
  SUBCASE("it runs in a circle meanwhile") { threads.states.all = ThreadState::kRuns; }
  CHECK(threads.After(31) == Names{"engine"});
}

TEST_CASE("time in which nobody looked is not held against the threads") {
  Threads threads;
  threads.Add("engine", Activity::kWorking);
  CHECK(threads.Jump(1) == Names{});
  CHECK(threads.Jump(3600) == Names{});  // the whole process was stopped
  CHECK(threads.After(10) == Names{});
  CHECK(threads.Jump(-5) == Names{});
}

TEST_CASE("beats and scopes on a thread without a heartbeat do nothing") {
  std::thread([] {
    Beat();
    const ActivityScope scope(Activity::kWaiting);
  }).join();
}

// A door that tasks stop at until it is opened.
class Door {
 public:
  void Pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void AwaitWaiting(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ >= count; });
  }
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

Activity ActivityOf(const Heartbeats& heartbeats, const std::string& name) {
  Activity found = Activity::kIdle;
  heartbeats.ForEach([&](const Heartbeat& h) {
    if (h.name() == name) found = h.activity();
  });
  return found;
}

TEST_CASE("a task of a worker that never ends is found, whoever of the threads has it") {
  Heartbeats heartbeats;
  FakeStates states;
  StallDetector detector(&heartbeats, &states, kLimit);
  Monotonic now{1};
  const auto after = [&](int64_t seconds) {
    Names stuck;
    for (int64_t i = 0; i < seconds; ++i) stuck = detector.Sample(now = now + Duration::Seconds(1));
    return stuck;
  };
  Door door;
  std::thread engine([&] {
    heartbeats.Add("engine")->Attach(Activity::kWorking);
    const auto runner = NewThreadedRunner(2, &heartbeats);
    for (int i = 0; i < 100; ++i) {
      runner->Run(2, [](uint32_t) {});
    }
    // Both have a task; the engine's ends, and then it waits for the other's.
    const auto self = std::this_thread::get_id();
    runner->Run(2, [&](uint32_t) {
      if (std::this_thread::get_id() != self) return door.Pass();
      door.AwaitWaiting(1);
    });
  });
  door.AwaitWaiting(1);
  while (ActivityOf(heartbeats, "engine") != Activity::kWaiting) std::this_thread::yield();
  CHECK(ActivityOf(heartbeats, "worker 1") == Activity::kWorking);
  CHECK(after(31) == Names{"worker 1"});
  door.Open();
  engine.join();
  CHECK(ActivityOf(heartbeats, "worker 1") == Activity::kIdle);
}

TEST_CASE("a thread in the background is at work while it has some") {
  Heartbeats heartbeats;
  Heartbeat* const committer = heartbeats.Add("committer");
  Door door;
  {
    const auto background = NewThreadedBackground(committer);
    background->Post([&] { door.Pass(); });
    door.AwaitWaiting(1);
    CHECK(committer->activity() == Activity::kWorking);
    CHECK(committer->thread_id() != 0);
    door.Open();
  }
  CHECK(committer->activity() == Activity::kIdle);
}

}  // namespace
}  // namespace rivulet
