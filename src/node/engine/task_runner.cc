#include "node/engine/task_runner.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace rivulet {
namespace {

class SerialRunner final : public TaskRunner {
 public:
  void Run(uint32_t count, const std::function<void(uint32_t)>& task) override {
    for (uint32_t i = 0; i < count; ++i) task(i);
  }
};

class ThreadedRunner final : public TaskRunner {
 public:
  ThreadedRunner(uint32_t threads, Heartbeats* heartbeats) {
    for (uint32_t i = 1; i < threads; ++i) {
      Heartbeat* const heartbeat =
          heartbeats == nullptr ? nullptr : heartbeats->Add("worker " + std::to_string(i));
      helpers_.emplace_back([this, heartbeat] {
        if (heartbeat != nullptr) heartbeat->Attach(Activity::kIdle);
        Help();
      });
    }
  }
  ~ThreadedRunner() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    work_.notify_all();
    for (std::thread& t : helpers_) t.join();
  }

  void Run(uint32_t count, const std::function<void(uint32_t)>& task) override {
    if (helpers_.empty() || count <= 1) {
      for (uint32_t i = 0; i < count; ++i) {
        task(i);
        Beat();
      }
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      task_ = &task;
      count_ = count;
      next_ = 0;
      unfinished_ = count;
      ++round_;
    }
    work_.notify_all();
    Drain();
    const ActivityScope waiting(Activity::kWaiting);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return unfinished_ == 0; });
    task_ = nullptr;
  }

 private:
  // Takes tasks of the current round until none is left.
  void Drain() {
    for (;;) {
      const std::function<void(uint32_t)>* task = nullptr;
      uint32_t index = 0;
      {
        const std::lock_guard lock(mutex_);
        if (task_ == nullptr || next_ >= count_) return;
        task = task_;
        index = next_++;
      }
      {
        const ActivityScope working(Activity::kWorking);
        (*task)(index);
      }
      const std::lock_guard lock(mutex_);
      if (--unfinished_ == 0) done_.notify_one();
    }
  }
  void Help() {
    uint64_t seen = 0;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        work_.wait(lock, [&] { return stopping_ || round_ != seen; });
        if (stopping_) return;
        seen = round_;
      }
      Drain();
    }
  }

  std::mutex mutex_;
  std::condition_variable work_, done_;
  const std::function<void(uint32_t)>* task_ = nullptr;
  uint32_t count_ = 0, next_ = 0, unfinished_ = 0;
  uint64_t round_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> helpers_;
};

}  // namespace

std::unique_ptr<TaskRunner> NewSerialRunner() { return std::make_unique<SerialRunner>(); }
std::unique_ptr<TaskRunner> NewThreadedRunner(uint32_t threads, Heartbeats* heartbeats) {
  return std::make_unique<ThreadedRunner>(threads, heartbeats);
}

}  // namespace rivulet
