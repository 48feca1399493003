// KeyedChain: one worker's instances of the keyed steps, and its own batch for the records of its keys.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "operators/keyed/keyed_step.h"

namespace rivulet {

// One thread.
class KeyedChain {
 public:
  // Rows of step s are under `prefix` and the hash of its signature. `plan` and `view` must outlive this.
  KeyedChain(const KeyedPlan* plan, const std::string& prefix, const StateView* view, KeyShare share);
  ~KeyedChain();

  Status Open();
  // Runs the worker's `rows`, ascending, of the shared batch through the steps. Those that come out stay in
  // `rows`; batch() then has their fields, under the same row numbers. The shared batch is only read.
  void Run(const RecordBatch& source, const KeyColumn& keys, const int64_t* watermark,
           std::vector<uint32_t>* rows, StepScratch* scratch, std::vector<RowError>* errors);
  RecordBatch& batch() { return batch_; }

  // See KeyedTable.
  void Advance(int64_t watermark);
  void CollectChanges(StateChanges* changes);
  size_t MemoryBytes() const;
  void Evict(size_t target);
  size_t EntriesInMemory() const;
  size_t DirtyRows() const;
  Status status() const;
  uint64_t duplicates() const;

  // Deletes rows under `prefix` that belong to none of the plan's steps. Cost: a seek a step.
  static Status DropForeign(const KeyedPlan& plan, const std::string& prefix, const StateView& view,
                            StateChanges* changes);

 private:
  void Gather(const RecordBatch& source, const std::vector<uint32_t>& rows);

  const KeyedPlan* plan_;
  std::vector<std::unique_ptr<KeyedStep>> steps_;  // by step of the plan; null for a StepChain
  RecordBatch batch_;
};

}  // namespace rivulet
