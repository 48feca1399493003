// TaskRunner: runs the parallel parts of a turn. The engine is written as steps that are parallel inside
// and sequential between, so it needs nothing but this to use several cores - and a serial runner makes it a
// single-threaded program for simulation.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "node/engine/heartbeat.h"

namespace rivulet {

class TaskRunner {
 public:
  virtual ~TaskRunner() = default;
  // Calls task(0) .. task(count - 1), each once, in any order and perhaps at the same time; returns when all
  // have returned. What they wrote is visible to the caller.
  virtual void Run(uint32_t count, const std::function<void(uint32_t)>& task) = 0;
};

// On the calling thread, in order.
std::unique_ptr<TaskRunner> NewSerialRunner();
// On the calling thread and `threads - 1` others, which live as long as the runner and have heartbeats among
// `heartbeats`, if it is given. Each task that ends is a beat.
std::unique_ptr<TaskRunner> NewThreadedRunner(uint32_t threads, Heartbeats* heartbeats = nullptr);

}  // namespace rivulet
