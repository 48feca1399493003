// What a simulated process has in place of threads: work that runs when the simulation says so, and
// tasks in a random order.
#pragma once

#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "base/random.h"
#include "node/engine/background.h"
#include "node/engine/task_runner.h"

namespace rivulet::sim {

// Keeps what is posted until somebody lets it run.
class DelayedBackground final : public Background {
 public:
  void Post(std::function<void()> work) override {
    if (at_once_) {
      work();
    } else {
      queue_.push_back(std::move(work));
    }
  }
  bool idle() const { return queue_.empty(); }
  void RunOne() {
    if (queue_.empty()) return;
    const std::function<void()> work = std::move(queue_.front());
    queue_.pop_front();
    work();
  }
  void RunAll() {
    while (!queue_.empty()) RunOne();
  }
  // Whether work runs before Post returns, as it must for callers that wait for it.
  void RunAtOnce(bool at_once) {
    RunAll();
    at_once_ = at_once;
  }

 private:
  std::deque<std::function<void()>> queue_;
  bool at_once_ = false;
};

class ShuffledRunner final : public TaskRunner {
 public:
  explicit ShuffledRunner(Random* random) : random_(random) {}
  void Run(uint32_t count, const std::function<void(uint32_t)>& task) override {
    std::vector<uint32_t> order;
    for (uint32_t i = 0; i < count; ++i) order.push_back(i);
    for (uint32_t i = count; i > 1; --i) std::swap(order[i - 1], order[random_->Below(i)]);
    for (const uint32_t i : order) task(i);
  }

 private:
  Random* random_;
};

}  // namespace rivulet::sim
