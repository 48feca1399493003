// Heartbeat: how a thread says that it gets on with its work. It costs a store now and then, and decides
// nothing: what is stuck is found by who looks at the heartbeats (node/live/stall_detector.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>

namespace rivulet {

enum class Activity : uint8_t {
  kIdle,     // has nothing to do
  kWorking,
  kWaiting,  // for a thread that has a heartbeat too
};

class Heartbeat {
 public:
  explicit Heartbeat(std::string name) : name_(std::move(name)) {}
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  // On the thread it is to be of: from now on that thread's Beat and ActivityScope are about this
  // heartbeat, which must outlive it.
  void Attach(Activity activity);

  // The rest on any thread. The id is the kernel's, 0 before Attach; beats wrap.
  const std::string& name() const { return name_; }
  int thread_id() const { return thread_id_.load(std::memory_order_relaxed); }
  uint32_t beats() const { return beats_.load(std::memory_order_relaxed); }
  Activity activity() const { return activity_.load(std::memory_order_relaxed); }

 private:
  friend void Beat();
  friend class ActivityScope;
  // One writer: no read-modify-write is needed.
  void Count() { beats_.store(beats() + 1, std::memory_order_relaxed); }
  void Set(Activity activity) {
    activity_.store(activity, std::memory_order_relaxed);
    Count();
  }

  const std::string name_;
  std::atomic<uint32_t> beats_{0};
  std::atomic<int> thread_id_{0};
  std::atomic<Activity> activity_{Activity::kIdle};
};

// The calling thread has got on: a task, a batch, a step is done. On a thread without a heartbeat it does
// nothing.
void Beat();

// While it lives, the calling thread does something else. Both ends are progress.
class ActivityScope {
 public:
  explicit ActivityScope(Activity activity);
  ~ActivityScope();
  ActivityScope(const ActivityScope&) = delete;
  ActivityScope& operator=(const ActivityScope&) = delete;

 private:
  Activity before_ = Activity::kIdle;
};

// Those of a process. Thread-safe.
class Heartbeats {
 public:
  // Lives as long as this.
  Heartbeat* Add(std::string name);
  void ForEach(const std::function<void(const Heartbeat&)>& look) const;

 private:
  mutable std::mutex mutex_;
  std::deque<Heartbeat> all_;
};

}  // namespace rivulet
