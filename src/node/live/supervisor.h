// Supervisor: keeps the service manager informed while the daemon lives. It feeds the watchdog as long as no
// thread is stuck, asks for more time while a start or a stop goes on, and says how the node is doing.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/log_message.h"
#include "node/live/service_manager.h"
#include "node/live/stall_detector.h"

namespace rivulet {

// What a supervisor stands on. All must outlive it.
struct SupervisorParts {
  ServiceManager* manager = nullptr;
  const Heartbeats* heartbeats = nullptr;
  ThreadStates* states = nullptr;
  std::function<std::string()> status;  // one line for people; called while running, and may take a moment
  std::function<bool()> stop_wanted;    // a stop was asked for, which the engine has perhaps not seen yet
  LogFunction log;
};

// Without a thread and a clock of its own.
class Supervisor {
 public:
  enum class Phase : uint8_t { kStarting, kRunning, kStopping };

  explicit Supervisor(const SupervisorParts& parts);

  // How often Step is to be called.
  Duration period() const { return period_; }
  // Does what is due.
  void Step(Monotonic now);

  // --- the engine's thread, as things happen ---
  void Ready();
  void Reloading(Monotonic now);
  // A reload has ended, with so many faults in the files. The status speaks of them until the next reload.
  void Reloaded(size_t faults);
  void Stopping();
  // It cannot start, or not go on.
  void Failed(const std::string& why);

 private:
  void Feed(Monotonic now);
  void AskForTime();
  void TellStatus(Monotonic now);

  const SupervisorParts parts_;
  const Duration watchdog_, limit_, period_;
  StallDetector stalls_;
  std::atomic<Phase> phase_{Phase::kStarting};
  std::atomic<size_t> faults_{0};  // of the last reload
  bool fed_ = false, told_ = false;
  Monotonic last_fed_, last_status_;
  std::string stuck_;  // names of those that are, as they were logged
};

// Calls Step on a thread of its own until it is destroyed; does nothing when nobody listens.
class SupervisorThread {
 public:
  SupervisorThread(Supervisor* supervisor, bool listens, std::function<Monotonic()> clock);
  ~SupervisorThread();

 private:
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace rivulet
