// Engine: runs pipelines over an input log: turns, commits, and what they put out. The daemon, a replay and
// the tests have the same one.
//
//   input ──► turns ──► commit ──► outputs ──► sinks
//
// One commit is under way at a time; turns go on meanwhile, and what they produce waits for the next one.
//
// A commit is written for results that wait for it, not for the window state: the input can give that again.
// Panes that fill up between two results are therefore written seldom, and those of a window that opens and
// closes in between never, which is what an SD card wants. Pipelines that share a read are committed
// together, so that they still do after a restart.
//
// A commit that finds no room is tried again when sinks have taken what waits for them; what they have is
// deleted first. When nothing waits for them, no room will come by itself. Then all pipelines go back to the
// last commit, and on with care: see FullStoreCare.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log_message.h"
#include "base/status.h"
#include "base/types.h"
#include "node/engine/background.h"
#include "node/engine/commit_cycle.h"
#include "node/engine/commit_listener.h"
#include "node/engine/full_store_care.h"
#include "node/engine/input_log.h"
#include "node/engine/memory_budget.h"
#include "node/engine/output_bound.h"
#include "node/engine/pipeline_set.h"
#include "node/engine/task_runner.h"
#include "node/engine/turn_schedule.h"
#include "state/store.h"

namespace rivulet {

struct EngineOptions {
  TurnOptions turns;
  uint16_t partitions = 64;
  uint64_t state_memory = 0;            // bytes
  uint64_t held_outputs = 0;            // bytes; see OutputBound
  Duration commit_interval;
  Duration checkpoint_interval;
  // False: the store is only scratch space. Results go out at once, and nothing is committed.
  bool durable = true;
  // What cannot be committed as the store is full: messages that do not fit are put aside, and it goes on.
  // False: the engine fails.
  bool goes_on_when_full = true;
  bool commits_synced = true;           // false: a power cut may take the last one back
};

// All must outlive it.
struct EngineParts {
  Store* store = nullptr;
  InputLog* input = nullptr;                      // of those that read no other's results
  TaskRunner* runner = nullptr;
  Background* committer = nullptr;
  std::function<Status()> before_commit;          // see CommitCycleParts
  std::function<Status(Pipeline*)> open_sinks;    // of one that is being opened
  std::vector<CommitListener*> listeners;
  std::function<Now()> clock;                     // called on any thread
  std::function<void()> wake;                     // Step soon; called on any thread; may be null
  LogFunction log;
};

// Counted since the start of the process.
struct CommitCounters {
  uint64_t count = 0;
  uint64_t bytes = 0;               // of deltas
  uint64_t time_us = 0;             // sum over commits
  uint64_t last_us = 0;
  uint64_t longest_us = 0;
};

// One thread (the engine's).
class Engine {
 public:
  Engine(EngineOptions options, EngineParts parts);

  // --- the set of pipelines ---
  PipelineSet& pipelines() { return pipelines_; }
  const PipelineSet& pipelines() const { return pipelines_; }
  // Takes all out, to be added or opened once more, or not at all. Nothing may be under way: see CommitNow.
  PipelineSet::Members TakeAll();
  // Opens a pipeline as the last one, behind the one it reads, and commits what must be known of it before
  // anything else happens. Waits for that. Errors: those of store and input, kUnknownPipeline.
  // `text` empty: it is not remembered.
  Status Start(std::unique_ptr<PipelinePlan> plan, const std::string& text);
  // All are there: turns may begin. Errors: those of the input.
  Status Assemble();
  // Positions of before are the least that may be relied on, as commits made since saw some pipelines only.
  void RelyOn(Offset consumed);

  // --- running ---
  // Turns, and what is due of commits and outputs. True when there is more to do at once.
  bool Step(Now now);
  // Only turns.
  bool ReadTurns();
  // Only outputs: moves them to sinks. True when something moved.
  bool PumpSinks();
  // Only a commit, of which none may be under way: begins one, of everything or of what is due; and goes on
  // with it. True when it is over.
  void StartCommit(Now now, bool all);
  bool FinishCommit();
  // Waits for the commit under way, then makes one of everything so far. Errors besides status(): kDiskFull
  // and kStoreFull, and then the commit is still to be made.
  Status CommitNow(Now now);
  static bool WantsRoom(const Status& status) {
    return status.code() == ErrorCode::kDiskFull || status.code() == ErrorCode::kStoreFull;
  }
  // To go into the next commit.
  Delta* remembered() { return &remembered_; }
  // Not ok: something that cannot be gone on from.
  const Status& status() const { return status_; }
  void Fail(const Status& status);

  // --- what it has got to ---
  // What every pipeline that reads the input has committed; and the same as it is after a power cut.
  Offset LeastCommitted() const;
  Offset ConsumedForSure() const;
  // Entries of the log it reads that a pipeline has not read yet.
  uint64_t LagOf(const Pipeline& pipeline) const;
  // Whether all sinks have what they can have.
  bool Drained() const;
  const CommitCounters& counters() const { return counters_; }

 private:
  Status Open(std::unique_ptr<PipelinePlan> plan, const std::string& text);
  Status CommitOpened();
  Status FinishFormer(const std::string& name, const std::string& text);
  Result<bool> WouldClose(const PipelinePlan& plan) const;
  Status RememberText(const std::string& name, const std::string& text);
  Status PlaceInLog(const PipelinePlan& plan, PipelineOptions* options) const;
  Status CheckPlace(Pipeline* pipeline);
  // Null when the pipeline of that name does not run; of no name, the input.
  InputLog* LogOf(const std::string& upstream) const;
  void KeepForReaders();

  MemoryBudget Budget() const;
  MemoryUse Measure() const;
  RoundLimits Limits() const;
  bool ReadCarefully();
  bool IsDue(const TurnSchedule::Group& group, Now now) const;
  bool AnyChanges() const;
  bool MemoryWantsCommit() const;
  void CommitIfDue(Now now);
  // `makes_room`: nothing new goes into the state with it.
  std::unique_ptr<Commit> Collect(Now now, bool all, bool makes_room);
  void RetryCommit();
  // Whether sinks have something to take, or have taken what is still stored.
  bool RoomWillCome() const;
  bool SinksMoved() const;
  // Puts how far sinks have got, and the deletion of what they have, in front of the commit that had no room.
  void MakeRoom();
  // Takes all pipelines back to the last commit.
  Status StartAfresh();

  const EngineOptions options_;
  const EngineParts parts_;
  PipelineSet pipelines_;
  bool assembled_ = false;   // all pipelines are there, and so all readers of each are known
  OutputBound outputs_;
  FullStoreCare care_;
  TurnSchedule turns_;
  CommitCycle commit_;
  Delta remembered_;
  Monotonic last_commit_;
  // What every pipeline had consumed with the last commit, and with the one before. When commits are not
  // synced, a power cut may take back the last one, and what it read is read again.
  Offset consumed_, consumed_before_;
  CommitCounters counters_;
  Status status_;
};

}  // namespace rivulet
