// When a node commits, and what.
//
// A commit is written for results that wait for it, not for the window state: the journal can give that
// again. Panes that fill up between two results are therefore written seldom, and those of a window that
// opens and closes in between never, which is what an SD card wants. Pipelines that share a read of the
// journal are committed together, so that they still do after a restart.
#include <algorithm>

#include "node/engine/heartbeat.h"
#include "node/engine/memory_budget.h"
#include "node/live/node.h"

namespace rivulet {
namespace {

// Journal entries that a restart reads again: a fraction of a second's work on any board.
constexpr uint64_t kMostReadAgain = 1 << 16;
constexpr Duration kRetryCommitEvery = Duration::Seconds(1);
constexpr Duration kRetryWithRoomEvery = Duration::Millis(20);

}  // namespace

bool Node::IsDue(const Group& group, Now now) const {
  const bool waited = now.monotonic - last_commit_ >= spec_.commit_interval;
  const bool checkpoint = now.monotonic - group.checkpoint >= spec_.checkpoint_interval;
  bool due = false;
  for (const Pipeline* p : group.source->members()) {
    if (p->closing()) return true;
    if (!waited) continue;
    const CommitNeed need = p->commit_need();
    // Others may wait for how far its results are out.
    const bool awaited = need != CommitNeed::kResults && p->channel(ChannelKind::kResults).is_read() &&
                         p->releasable() > p->released() && pipelines_.ReadersDue(*p, p->releasable());
    due = due || need == CommitNeed::kResults || awaited ||
          (need != CommitNeed::kNone && (checkpoint || p->uncommitted() >= kMostReadAgain));
  }
  return due;
}

MemoryBudget Node::Budget() const {
  uint64_t tables = 0;
  for (const RunningPipeline& r : pipelines_) tables += r.pipeline->TableBytes();
  return MemoryBudget{spec_.state_memory}.Without(tables);
}

MemoryUse Node::Measure() const {
  MemoryUse use;
  for (const RunningPipeline& r : pipelines_) r.pipeline->Measure(&use);
  return use;
}

bool Node::AnyChanges() const {
  return std::any_of(pipelines_.begin(), pipelines_.end(), [](const RunningPipeline& r) {
    return r.pipeline->commit_need() != CommitNeed::kNone;
  });
}

// Memory is bounded, and what was not written cannot leave it.
bool Node::MemoryWantsCommit() const {
  return Budget().CommitDue(Measure(), parts_.store->Stats()) && AnyChanges();
}

void Node::CommitIfDue(Now now) {
  const bool all = MemoryWantsCommit();
  // What is delivered is deleted with a commit: where processing waits for that, soon.
  const bool makes_room =
      outputs_full_ && now.monotonic - last_commit_ >= spec_.commit_interval && SinksMoved();
  const bool due =
      all || makes_room || (!remembered_.empty() && now.monotonic - last_commit_ >= spec_.commit_interval) ||
      std::any_of(groups_.begin(), groups_.end(), [&](const Group& g) { return IsDue(g, now); });
  if (due) StartCommit(now, all);
}

void Node::StartCommit(Now now, bool all, bool makes_room) {
  commit_ = std::make_unique<Commit>();
  commit_->started = now.monotonic;
  Delta* const delta = &commit_->delta;
  constexpr size_t kBytesOfRow = 256;  // more than most have; what is not used is not in memory either
  const MemoryUse use = Measure();
  delta->Expect(use.outputs + use.outputs / 4 + (all ? use.dirty_rows * kBytesOfRow : 0));
  if (makes_room) delta->UseReserve();
  delta->Append(remembered_);
  commit_->remembered = std::exchange(remembered_, Delta());
  commit_->filters = lane_.session().OnCollected();
  // Apart, as it makes room: see MakeRoom.
  for (RunningPipeline& r : pipelines_) r.pipeline->CollectDelivery(&commit_->delivery);
  notes_.OnCollected();
  delta->Append(commit_->delivery);
  if (all) {  // also those that are being started, and in no group yet
    for (RunningPipeline& r : pipelines_) r.pipeline->CollectCommit(delta);
  }
  for (Group& group : groups_) {
    const bool due = all || IsDue(group, now);
    if (due) group.checkpoint = now.monotonic;
    if (all) continue;
    for (Pipeline* p : group.source->members()) {
      if (due) p->CollectCommit(delta);
    }
  }
  last_commit_ = now.monotonic;
  PostCommit();
}

void Node::PostCommit() {
  Commit* commit = commit_.get();
  commit->done.store(false, std::memory_order_relaxed);
  parts_.committer->Post([this, commit] {
    // Cursors must never point past what the journal has on the medium.
    Status status;
    if (spec_.journal.sync != JournalSync::kNever) status = lane_.journal().Sync();
    if (status.ok() && !commit->first.empty()) status = parts_.store->Commit(commit->first);
    if (status.ok()) commit->first.Clear();
    if (status.ok()) status = parts_.store->Commit(commit->delta);
    commit->result = status;
    commit->took = parts_.clock().monotonic - commit->started;
    commit->done.store(true, std::memory_order_release);
    commit->done.notify_all();
    if (parts_.wake) parts_.wake();
  });
}

bool Node::FinishCommit() {
  if (commit_ == nullptr || !commit_->done.load(std::memory_order_acquire)) return false;
  if (WantsRoom(commit_->result)) {
    RetryCommit();
    return false;
  }
  const std::unique_ptr<Commit> commit = std::move(commit_);
  if (!commit->result.ok()) {
    Fail(commit->result);
    return false;
  }
  ++counters_.commits;
  counters_.commit_bytes += commit->delta.bytes().size();
  const auto took = static_cast<uint64_t>(std::max<int64_t>(0, commit->took.us));
  counters_.commit_time_us += took;
  counters_.last_commit_us = took;
  counters_.longest_commit_us = std::max(counters_.longest_commit_us, took);
  for (RunningPipeline& r : pipelines_) r.pipeline->OnCommitted();
  notes_.OnCommitted();
  TakeLessCare(commit->pipeline);
  lane_.session().OnCommitted(commit->filters);
  KeepForReaders();
  consumed_before_ = consumed_;
  consumed_ = LeastCommitted();
  size_t share = Budget().panes();
  if (!pipelines_.empty()) share /= pipelines_.size();
  for (RunningPipeline& r : pipelines_) r.pipeline->BoundMemory(share);
  return true;
}

// No room for it now. The store is as it was before, nothing that hangs on the commit has left, and the
// journal holds what comes: the same changes are tried again until there is room. What sinks take meanwhile
// makes some.
void Node::RetryCommit() {
  const Monotonic now = parts_.clock().monotonic;
  if (commit_->result.code() == ErrorCode::kStoreFull && !RoomWillCome() && PutAside()) return;
  // Soon where sinks have moved.
  const bool moved = !commit_->delivery.empty() || SinksMoved();
  const Duration pause = moved && commit_->result.code() == ErrorCode::kStoreFull ? kRetryWithRoomEvery
                                                                                  : kRetryCommitEvery;
  if (now - commit_->started < pause) return;
  MakeRoom();
  if (!commit_->complained) {
    LogMessage message(commit_->result);
    message.text += "; trying again until there is room";
    parts_.log('e', message);
  }
  commit_->complained = true;
  commit_->started = now;
  PostCommit();
}

// Waits for the commit under way, then makes one of everything so far. Errors besides status(): kDiskFull and
// kStoreFull, and then the commit is still to be made.
Status Node::CommitNow(Now now) {
  const auto finish = [this] {
    if (commit_ == nullptr) return status_;
    {
      const ActivityScope waiting(Activity::kWaiting);
      commit_->done.wait(false);
    }
    if (WantsRoom(commit_->result)) return commit_->result;
    FinishCommit();
    return status_;
  };
  RIVULET_RETURN_IF_ERROR(finish());
  if (!remembered_.empty() || AnyChanges()) StartCommit(now, true);
  return finish();
}

}  // namespace rivulet
