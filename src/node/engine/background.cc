#include "node/engine/background.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace rivulet {
namespace {

class InlineBackground final : public Background {
 public:
  void Post(std::function<void()> work) override { work(); }
};

class ThreadedBackground final : public Background {
 public:
  explicit ThreadedBackground(Heartbeat* heartbeat)
      : thread_([this, heartbeat] {
          if (heartbeat != nullptr) heartbeat->Attach(Activity::kIdle);
          Work();
        }) {}
  ~ThreadedBackground() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }
  void Post(std::function<void()> work) override {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(work));
    }
    wake_.notify_one();
  }

 private:
  void Work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      const std::function<void()> work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      {
        const ActivityScope working(Activity::kWorking);
        work();
      }
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Background> NewInlineBackground() { return std::make_unique<InlineBackground>(); }
std::unique_ptr<Background> NewThreadedBackground(Heartbeat* heartbeat) {
  return std::make_unique<ThreadedBackground>(heartbeat);
}

}  // namespace rivulet
