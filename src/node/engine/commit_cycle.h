// CommitCycle: the one commit that is under way at a time. It is written by the committer while turns go on.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/status.h"
#include "base/types.h"
#include "node/engine/background.h"
#include "state/delta.h"
#include "state/store.h"

namespace rivulet {

struct Commit {
  Delta delta;
  Delta delivery;        // of `delta`, how far sinks have got
  Delta first;           // to be applied before it, as there was no room
  Delta remembered;      // of `delta`, what no pipeline gives again
  std::string pipeline;  // when only one has done something: which ...
  bool alone = false;    // ... and whether that was to take in one message, and the message
  uint64_t message = 0;
  // Once it is done.
  Status result;
  Monotonic started;
  Duration took;
  bool complained = false;
};

// All must outlive it.
struct CommitCycleParts {
  Store* store = nullptr;
  Background* committer = nullptr;
  // What a commit relies on, made durable: on the committer's thread, before it. Null: nothing.
  std::function<Status()> before;
  std::function<Now()> clock;
  std::function<void()> wake;   // it is done; on the committer's thread; may be null
};

// The engine's thread.
class CommitCycle {
 public:
  explicit CommitCycle(CommitCycleParts parts) : parts_(std::move(parts)) {}
  // Waits for the one under way.
  ~CommitCycle();

  bool under_way() const { return commit_ != nullptr; }
  // The one under way; changed only when it is done().
  Commit* operator->() { return commit_.get(); }
  const Commit& operator*() const { return *commit_; }

  void Start(std::unique_ptr<Commit> commit, Monotonic now);
  // The same once more.
  void Again(Monotonic now);
  bool done() const { return commit_ != nullptr && done_.load(std::memory_order_acquire); }
  void Wait() const;
  // It is over, well or not: none is under way then.
  std::unique_ptr<Commit> Take() { return std::move(commit_); }

 private:
  void Post();

  const CommitCycleParts parts_;
  std::unique_ptr<Commit> commit_;
  std::atomic<bool> done_{false};  // set by the committer's thread last
};

}  // namespace rivulet
