// KeyedChain: one worker's instances of the keyed steps, and its own batch for the records of its keys.
//
// Steps can make records as time passes. These go through the steps behind, and out, between the records that
// were received: what comes out meets a W that never falls.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "operators/keyed/keyed_step.h"

namespace rivulet {

// Takes what comes out.
class KeyedSink {
 public:
  virtual ~KeyedSink() = default;
  // `rows`, ascending, of input.batch have passed. Of received records this comes in portions, in their
  // order, and also when none is left. Rows at fault may leave `rows`, for `errors`.
  virtual void OnRecords(const KeyedInput& input, std::vector<uint32_t>* rows,
                         std::vector<RowError>* errors) = 0;
  // What was at fault, when all of an input is through.
  virtual void OnFaults(const KeyedInput& input, const std::vector<RowError>& errors) = 0;
};

// One thread.
class KeyedChain {
 public:
  // Rows of step s are under `prefix` and the hash of its signature. `plan` and `view` must outlive this.
  KeyedChain(const KeyedPlan* plan, const std::string& prefix, const StateView* view, KeyShare share);
  ~KeyedChain();

  // The tables of its steps; to be opened before the first record.
  StateOwner& state() { return state_; }
  // Runs the worker's `rows`, ascending, of the shared batch through the steps. `position`: of row 0 within
  // the turn. The shared batch is only read.
  void Run(const RecordBatch& source, const KeyColumn& keys, const int64_t* watermark, uint64_t position,
           std::vector<uint32_t>* rows, StepScratch* scratch, KeyedSink* sink);
  // Does what is due when W has reached `point`.
  void Fire(const FirePoint& point, StepScratch* scratch, KeyedSink* sink);
  // Some step moves by time as well.
  bool timed() const;
  // A point at most at `watermark` up to which about `limit` records are made.
  FirePoint NextPoint(int64_t watermark, size_t limit) const;

  // See KeyedTable.
  void Advance(int64_t watermark);
  uint64_t duplicates() const;

  // Deletes rows under `prefix` that belong to none of the plan's steps. Cost: a seek a step.
  static Status DropForeign(const KeyedPlan& plan, const std::string& prefix, const StateView& view,
                            StateChanges* changes);

 private:
  // What a run has with it on its way.
  struct Flow {
    StepScratch* scratch;
    KeyedSink* sink;
    std::vector<RowError> errors;
  };
  void Gather(const RecordBatch& source, const std::vector<uint32_t>& rows);
  void RunFrom(size_t first, const KeyedInput& input, std::vector<uint32_t>* rows, Flow* flow);
  void RunTimed(size_t index, const KeyedInput& input, std::vector<uint32_t>* rows, Flow* flow);
  void RunMade(size_t index, StepScratch* scratch, KeyedSink* sink);

  const KeyedPlan* plan_;
  std::vector<std::unique_ptr<KeyedStep>> steps_;  // by step of the plan; null for a StepChain
  StateOwners state_;                              // the steps' tables
  std::vector<std::vector<uint32_t>> passed_;      // scratch, by step
  RecordBatch batch_;
};

}  // namespace rivulet
