#include "node/engine/commit_cycle.h"

#include "node/engine/heartbeat.h"

namespace rivulet {

CommitCycle::~CommitCycle() {
  if (under_way()) Wait();
}

void CommitCycle::Start(std::unique_ptr<Commit> commit, Monotonic now) {
  commit_ = std::move(commit);
  Again(now);
}

void CommitCycle::Again(Monotonic now) {
  commit_->started = now;
  Post();
}

void CommitCycle::Wait() const {
  const ActivityScope waiting(Activity::kWaiting);
  done_.wait(false);
}

void CommitCycle::Post() {
  done_.store(false, std::memory_order_relaxed);
  parts_.committer->Post([this, commit = commit_.get()] {
    Status status;
    if (parts_.before) status = parts_.before();
    if (status.ok() && !commit->first.empty()) status = parts_.store->Commit(commit->first);
    if (status.ok()) commit->first.Clear();
    if (status.ok()) status = parts_.store->Commit(commit->delta);
    commit->result = status;
    commit->took = parts_.clock().monotonic - commit->started;
    done_.store(true, std::memory_order_release);
    done_.notify_all();
    if (parts_.wake) parts_.wake();
  });
}

}  // namespace rivulet
