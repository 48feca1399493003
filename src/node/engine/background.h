// Background: work that waits for disks, off the engine's thread. In simulation it runs at once.
#pragma once

#include <functional>
#include <memory>

#include "node/engine/heartbeat.h"

namespace rivulet {

class Background {
 public:
  virtual ~Background() = default;  // finishes what was posted
  // Runs `work` after everything posted before. Bounded use: the poster keeps at most a few under way.
  virtual void Post(std::function<void()> work) = 0;
};

// On the calling thread, before Post returns.
std::unique_ptr<Background> NewInlineBackground();
// On one thread of its own, in order. `heartbeat`, if it is given, is the thread's.
std::unique_ptr<Background> NewThreadedBackground(Heartbeat* heartbeat = nullptr);

}  // namespace rivulet
