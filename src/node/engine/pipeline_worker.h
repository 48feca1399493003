// PipelineWorker: one worker's part of a pipeline: its operator, and what becomes of its results.
// Private to the engine.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/byte_arena.h"
#include "base/types.h"
#include "node/engine/pipeline_task.h"
#include "operators/keyed/keyed_chain.h"

namespace rivulet {

// What Prepare leaves for the windows: per source slot.
struct PreparedSlot {
  KeyColumn keys;
  std::vector<uint32_t> passed;           // scratch: that passed the steps so far
  std::vector<uint32_t> of_source, met;   // scratch
  std::vector<uint32_t> rows;             // that have a key and passed all steps, ascending
  // Per-key time: rows that have a key and passed the steps before it, and W by row, held.
  std::vector<uint32_t> clock_rows;
  std::vector<int64_t> held;
  std::vector<const Column*> arguments;   // by aggregate argument
  const Column* gap = nullptr;            // of sessions with gaps of their own
  std::vector<DeadLetter> dead;
  StepScratch scratch;
  std::vector<RowError> errors, key_errors;
};

// A record whose argument has a type its aggregate cannot take is a fault of the record, not a null. It
// leaves `rows`; a record with several such faults is reported once.
void CheckArguments(const PipelinePlan& plan, const RecordBatch& batch, std::vector<uint32_t>* rows,
                    std::vector<RowError>* errors);

// What of the records of a slot decides which version of a table's row each gets.
inline void SetRecords(const SourceSlot& source, LookupContext* lookup) {
  lookup->event_time = source.batch.event_time.data();
  lookup->watermark = source.watermark.data();
  lookup->offset = source.batch.offset.data();
}

// A record that was late for all its windows.
struct LateRecord {
  ResultOrder order;
  const SourceSlot* source;
  uint32_t row;
};

class PipelineWorker final : public ResultSink, private KeyedSink {
 public:
  PipelineWorker(const PipelinePlan* plan, const ResultEncoder* encoder,
                 std::unique_ptr<KeyedOperator> keyed_operator, std::unique_ptr<KeyedChain> steps,
                 KeyShare share);

  // See PipelineTask.
  void SetTables(const std::vector<LookupContext::Table>* tables) { scratch_.lookup.tables = tables; }

  void BeginTurn();
  // The records of messages in [begin, end) of the log.
  void Process(const SourceSlot& source, const PreparedSlot& prepared, uint64_t begin, uint64_t end);
  // Closes windows up to `point` and finishes what results there are.
  void Close(const FirePoint& point);
  // A point at most at `watermark` to which that gives about `limit` results; see KeyedOperator.
  FirePoint NextPoint(int64_t watermark, size_t limit);

  // Of the operator and the keyed steps together.
  StateOwner& state() { return state_; }
  uint64_t duplicates() const { return keyed_ == nullptr ? 0 : keyed_->duplicates(); }

  // See KeyedOperator.
  int64_t closed() const { return operator_->closed(); }
  const std::vector<PipelineResult>& results() const { return results_; }
  // With those whose steps are yet to run.
  size_t results_so_far() const { return results_.size() + batch_.batch.rows; }
  const std::vector<LateRecord>& late() const { return late_; }
  std::vector<RejectedRecord>& failed() { return failed_; }
  // The latest place in time of anything put out since BeginTurn, us; min() when there was nothing. Windows
  // that end up to there must be closed in the same step, or their results would come out of order.
  int64_t reached() const { return reached_; }
  void Reach(int64_t time) { reached_ = std::max(reached_, time); }

  void OnResult(const ResultOrder& order, std::string_view key, uint64_t hash, int64_t start_us,
                int64_t end_us, uint32_t revision, const char* block) override;
  void OnWindow(const WindowResult& r) override;
  void OnRow(const RowResult& r) override;
  void OnFault(const ResultFault& f) override;
  void OnLate(const ResultOrder& order, uint32_t row) override;

 private:
  static constexpr uint32_t kFlushRows = 1024;
  // Those of `rows` whose keys are this worker's; `*own` has room for them.
  std::span<const uint32_t> OwnRows(std::span<const uint32_t> rows, const KeyColumn& keys,
                                    std::vector<uint32_t>* own) const;
  // What is received, and in portions what comes out of the keyed steps, goes to the windows.
  void OnRecords(const KeyedInput& input, std::vector<uint32_t>* rows,
                 std::vector<RowError>* errors) override;
  void OnFaults(const KeyedInput& input, const std::vector<RowError>& errors) override;
  void TakeMade(const KeyedInput& made, const std::vector<uint32_t>& rows, KeyedRecords* input);
  void Take(const KeyedRecords& input);
  void EmitRecords(const KeyedRecords& input);
  void FlushResults();

  const PipelinePlan* plan_;
  const ResultEncoder* encoder_;
  std::unique_ptr<KeyedOperator> operator_;
  std::unique_ptr<KeyedChain> keyed_;     // null: the pipeline has no keyed steps
  StateOwners state_;
  KeyShare share_;
  bool timed_;                            // keyed steps make records as time passes
  const SourceSlot* source_ = nullptr;
  KeyedRecords received_;                  // what the operator is to know of the records at hand
  // The record at hand is one that a keyed step has made: `made_row_` of this.
  const KeyedInput* made_ = nullptr;
  uint32_t made_row_ = 0;
  std::vector<uint32_t> own_rows_, own_clock_rows_;
  std::vector<const Column*> arguments_;  // in the keyed chain's batch
  ResultBatch batch_;
  std::vector<uint32_t> batch_rows_;
  StepScratch scratch_;
  std::vector<RowError> errors_;
  std::string json_;
  ByteArena arena_;                       // bytes of the turn's results
  std::vector<PipelineResult> results_;
  std::vector<LateRecord> late_;
  std::vector<RejectedRecord> failed_;    // results and records for which a step failed
  int64_t reached_ = EventTime::Min().us;
};

}  // namespace rivulet
