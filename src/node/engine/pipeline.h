// Pipeline: one declared pipeline, running: its source task, its work, its state and its outputs. The same
// code runs under a replay over a file and under the daemon.
//
// Commit: CollectCommit puts everything since the last one - state, position, outputs, sink cursors -
// into one delta; when the store has it durably, OnCommitted lets the outputs go to the sinks. How far sinks
// have got can also be committed alone.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "node/engine/catalogue.h"
#include "node/engine/output_channel.h"
#include "node/engine/pipeline_tables.h"
#include "node/engine/pipeline_task.h"
#include "node/engine/source_task.h"
#include "node/engine/memory_budget.h"
#include "node/engine/task_runner.h"
#include "node/engine/turn_parts.h"
#include "node/plan/pipeline_plan.h"
#include "state/store.h"

namespace rivulet {

struct PipelineOptions {
  uint16_t partitions = 64;
  uint32_t workers = 1;
  // The log it reads, and where it begins when it has no stored position in it.
  LogId log;
  Offset start;
  // A large close: about this many results at once, and a pause when so many bytes of outputs wait.
  size_t results_per_step = 16384;
  size_t outputs_per_turn = 4 << 20;
};

// What a commit would be good for, the most urgent thing.
enum class CommitNeed : uint8_t {
  kNone,      // it would change nothing
  kDelivery,  // sinks have got further: less is sent again after a restart
  kState,     // records were processed: less is processed again
  kResults,   // outputs wait for it
};

// One thread (the engine's); inside a turn it uses the runner's.
class Pipeline {
 public:
  // `store` must outlive the pipeline. `durable` false: the store is only scratch space, results go out
  // without a commit, and nothing is collected.
  static Result<std::unique_ptr<Pipeline>> Open(std::unique_ptr<PipelinePlan> plan,
                                                const PipelineOptions& options, Store* store,
                                                bool durable);
  ~Pipeline();

  OutputChannel& channel(ChannelKind kind) { return *channels_[static_cast<size_t>(kind)]; }
  const OutputChannel& channel(ChannelKind kind) const {
    return *channels_[static_cast<size_t>(kind)];
  }

  // A watermark can close so many windows that their results do not fit in memory. Then a turn ends early
  // with closing() true: commit, let the outputs go, and call Continue until it is false; only then comes the
  // next turn.
  bool closing() const { return closing_; }
  // From now on a step of a close is at most this large; see PipelineOptions.
  void LimitSteps(size_t results, size_t output_bytes) {
    results_per_step_ = results;
    outputs_per_turn_ = output_bytes;
  }
  Status Continue(TaskRunner* runner);

  // Processes messages that follow those of the last turn; `next_offset` is the position after them. A turn
  // may be cut short, in front of a large close: then offset() says from where messages are to be given
  // again.
  Status Turn(std::span<const InputMessage> messages, uint64_t next_offset, TaskRunner* runner);
  // The same with messages that `shared` has decoded for several pipelines, behind ApplyTables for those with
  // tables.
  Status SharedTurn(SourceTask* shared, const ColumnMap& map, uint64_t next_offset,
                    TaskRunner* runner);
  // Takes in what of a turn's messages are rows of tables.
  void ApplyTables(std::span<const InputMessage> messages) { tables_->Apply(messages); }
  // Takes in rows that were there before the first message. Errors: those of the first row at fault.
  Status LoadTable(std::span<const InputMessage> messages);
  // The log holds nothing for this pipeline before `next_offset`.
  void SkipTo(uint64_t next_offset) { offset_ = next_offset; }
  // End of input: closes every window.
  Status Finish(TaskRunner* runner);

  // Neither Collect must be called again before the delta of the last call is committed and OnCommitted
  // called.
  CommitNeed commit_need() const;
  void CollectCommit(Delta* delta);
  void CollectDelivery(Delta* delta);
  void OnCommitted();
  // Brings state in memory down to `bytes`, as far as commits allow.
  void BoundMemory(size_t bytes);
  // Of outputs that are stored; see OutputChannel.
  void BoundOutputs(size_t bytes) {
    for (const auto& c : channels_) c->BoundMemory(bytes);
  }
  // Adds what it holds in memory.
  void Measure(MemoryUse* use) const;

  // Moves outputs to sinks. True when something moved.
  Result<bool> Pump();
  bool Drained() const;
  // Whether sinks have got further than what was collected for a commit.
  bool CursorsMoved() const;
  // Whether outputs that everybody has are still stored.
  bool KeepsDelivered() const;

  const std::string& name() const { return plan_->name; }
  const PipelinePlan& plan() const { return *plan_; }
  uint16_t id() const { return entry_.id; }
  // The pipeline whose results it reads; empty: the journal.
  const std::string& upstream() const { return plan_->source.pipeline; }
  SourceTask& source() { return *source_; }
  const SourceTask& source() const { return *source_; }
  // No turn may be run before they are ready().
  PipelineTables& tables() { return *tables_; }
  const PipelineTables& tables() const { return *tables_; }
  // Position of the next message to read; as committed: the first that a restart would read again.
  uint64_t offset() const { return offset_; }
  uint64_t committed_offset() const { return committed_offset_; }
  // For pipelines that read its results: every result that it can give for W up to here can be read. us;
  // min() when there was no W yet.
  int64_t released() const { return released_; }
  // The same as of the next commit.
  int64_t releasable() const;
  // Whether something would be put out, or could be, were W to go on to `watermark`: an open window, a
  // silence, an early result, a record without a partner.
  bool DueBy(int64_t watermark) const;
  // Whether anything waits for W at all.
  bool Waits() const { return DueBy(kFarTime); }
  // W as far as it is the same for all keys.
  int64_t Held(int64_t watermark) const { return plan_->window.per_key.Held(watermark); }
  // Positions a commit would move on by.
  uint64_t uncommitted() const { return offset_ - collected_offset_; }
  int64_t watermark() const { return source_->watermark(); }
  // See SourceTask::channels.
  const std::vector<ChannelState>& inputs() const { return source_->channels().states(); }
  const ListeningState& listening() const { return source_->channels().listening(); }
  const PipelineCounters& counters() const { return task_->counters(); }
  const DeadReasons& dead_reasons() const { return task_->dead_reasons(); }
  const UnquotedCounts& unquoted() const { return task_->unquoted(); }
  size_t StateBytes() const { return task_->state().MemoryBytes(); }
  size_t StateEntries() const { return task_->state().EntriesInMemory(); }
  size_t TableBytes() const { return tables_->MemoryBytes(); }
  // Rows of state that the next commit would put.
  size_t DirtyRows() const { return state_.DirtyRows(); }
  // Of outputs that wait for a commit.
  size_t OutputBytes() const;
  // Of outputs that not all sinks have, in memory or in the store.
  uint64_t HeldBytes() const;
  uint64_t OutputsWaiting() const;
  std::vector<SinkStats> Sinks() const;

 private:
  // Later than any window's end.
  static constexpr int64_t kFarTime = int64_t{1} << 62;
  Pipeline();
  void Emit();
  void EmitResults();
  // How far windows are to be closed.
  FirePoint Target() const;
  Status RunWindows(uint64_t next_offset, TaskRunner* runner);
  // Returns the position of the first message that was left over; TurnParts::kEnd when none was.
  uint64_t ProcessRecords(TaskRunner* runner);
  Status CloseWindows(TaskRunner* runner, bool with_records, uint64_t end);
  bool OnlyTimePassed() const;
  Position CurrentPosition() const;

  class View;
  class Changes;

  std::unique_ptr<PipelinePlan> plan_;
  CatalogueEntry entry_;
  std::unique_ptr<PaneLayouts> layouts_;
  std::unique_ptr<View> view_;
  std::unique_ptr<SourceTask> source_;
  std::unique_ptr<PipelineTables> tables_;
  std::unique_ptr<PipelineTask> task_;
  StateOwners state_;             // of the task and the tables
  TurnParts parts_;
  std::vector<std::unique_ptr<OutputChannel>> channels_;
  uint32_t workers_ = 1;
  size_t results_per_step_ = 0, outputs_per_turn_ = 0;
  bool durable_ = false;
  bool closing_ = false;
  FirePoint fired_;
  int64_t placed_ = 0;            // W of the last result's place in the log
  int64_t released_ = 0, collected_release_ = 0;
  LogId log_;
  bool processed_ = false;        // something was processed since the last CollectCommit
  bool commit_pending_ = false;   // CollectCommit was called, OnCommitted not yet
  bool has_position_ = false;     // the store knows where to go on, or will with the commit under way
  uint64_t offset_ = 0;
  uint64_t collected_offset_ = 0;
  uint64_t committed_offset_ = 0;
  Delta opening_;                 // changes made by opening: the catalogue entry
};

}  // namespace rivulet
