#include "node/live/supervisor.h"

#include <algorithm>
#include <chrono>

namespace rivulet {
namespace {

constexpr Duration kLongestPeriod = Duration::Seconds(5);
constexpr Duration kLimitWithoutWatchdog = Duration::Seconds(30);
constexpr Duration kStatusEvery = Duration::Seconds(10);

std::string Line(const char* name, int64_t value) {
  return std::string(name) + "=" + std::to_string(value) + "\n";
}

// What is said for people must not become a second line, which would be an instruction.
std::string StatusText(std::string text) {
  std::replace_if(text.begin(), text.end(), [](unsigned char c) { return c < ' '; }, ' ');
  return "STATUS=" + text;
}

std::string Joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

}  // namespace

// Fed four times in the time given, so that once late is no harm; and four looks in the time after which a
// thread is stuck, which is half of it: a stuck thread ends the service within one and a half of it.
Supervisor::Supervisor(const SupervisorParts& parts)
    : parts_(parts),
      watchdog_(parts.manager->watchdog()),
      limit_(watchdog_.us > 0 ? Duration{watchdog_.us / 2} : kLimitWithoutWatchdog),
      period_(std::min(kLongestPeriod, Duration{limit_.us / 4})),
      stalls_(parts.heartbeats, parts.states, limit_) {}

void Supervisor::Step(Monotonic now) {
  if (parts_.stop_wanted()) phase_ = Phase::kStopping;
  const Phase phase = phase_;
  const std::string stuck = Joined(stalls_.Sample(now));
  if (stuck != stuck_ && !stuck.empty()) {
    parts_.log('e', "no progress for " + std::to_string(limit_.us / 1'000'000) + " s in: " + stuck +
                        (watchdog_.us > 0 ? "; the watchdog is not fed, so that the service is restarted"
                                          : ""));
  } else if (stuck != stuck_) {
    parts_.log('w', "there is progress again");
  }
  stuck_ = stuck;
  if (stuck.empty()) {
    if (watchdog_.us > 0) Feed(now);
    if (phase != Phase::kRunning) AskForTime();
  }
  if (phase == Phase::kRunning) TellStatus(now);
}

void Supervisor::TellStatus(Monotonic now) {
  if (told_ && now - last_status_ < kStatusEvery) return;
  told_ = true;
  last_status_ = now;
  std::string status = parts_.status();
  if (const size_t faults = faults_; faults > 0) {
    status += "; the last reload found " + std::to_string(faults) + " fault(s), see the log";
  }
  // Asking took a moment, in which a stop may have said something else.
  if (phase_ == Phase::kRunning) parts_.manager->Notify(StatusText(std::move(status)));
}

void Supervisor::Feed(Monotonic now) {
  // A little early rather than a whole period late.
  if (fed_ && now - last_fed_ < Duration{watchdog_.us / 4 - period_.us / 2}) return;
  fed_ = true;
  last_fed_ = now;
  parts_.manager->Notify("WATCHDOG=1");
}

void Supervisor::AskForTime() {
  parts_.manager->Notify(Line("EXTEND_TIMEOUT_USEC", limit_.us + 2 * period_.us));
}

void Supervisor::Ready() {
  phase_ = Phase::kRunning;
  parts_.manager->Notify("READY=1\nSTATUS=running");
}

void Supervisor::Reloading(Monotonic now) {
  parts_.manager->Notify("RELOADING=1\n" + Line("MONOTONIC_USEC", now.us) +
                         "STATUS=reading the pipeline files again");
}

void Supervisor::Reloaded(size_t faults) {
  faults_ = faults;
  parts_.manager->Notify(
      faults == 0 ? "READY=1\nSTATUS=pipelines reloaded"
                  : "READY=1\nSTATUS=reloaded, but for " + std::to_string(faults) +
                        " fault(s), see the log; what ran before goes on");
}

void Supervisor::Stopping() {
  phase_ = Phase::kStopping;
  parts_.manager->Notify("STOPPING=1\nSTATUS=processing what is journaled, committing, delivering");
}

void Supervisor::Failed(const std::string& why) { parts_.manager->Notify(StatusText(why)); }

SupervisorThread::SupervisorThread(Supervisor* supervisor, bool listens,
                                   std::function<Monotonic()> clock) {
  if (!listens) return;
  thread_ = std::thread([this, supervisor, clock = std::move(clock)] {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      lock.unlock();
      supervisor->Step(clock());
      lock.lock();
      stop_.wait_for(lock, std::chrono::microseconds(supervisor->period().us),
                     [this] { return stopping_; });
    }
  });
}

SupervisorThread::~SupervisorThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_one();
  if (thread_.joinable()) thread_.join();
}

}  // namespace rivulet
