// KeyedStep: a step that remembers something of each key. One instance per worker, for the keys of its share.
//
// A key's records come in the order in which they arrived. What a step does with a record follows from the
// key's records before it, the record itself and the watermark W it meets, never from batches, from workers
// or from what is in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "operators/keyed/keyed_plan.h"
#include "operators/keyed/keyed_table.h"
#include "operators/key/key_codec.h"
#include "operators/steps/step_chain.h"

namespace rivulet {

struct KeyedInput {
  RecordBatch* batch;             // this instance's own: columns may be written
  const RecordBatch* source;      // the same rows as received, shared: for `raw`
  const KeyColumn* keys;
  const int64_t* watermark;       // by row: W of the source just before the record, us
};

// One thread per instance.
class KeyedStep {
 public:
  explicit KeyedStep(KeyedTableOptions options, const StateView* view, KeyShare share)
      : table_(std::move(options), view, share) {}
  virtual ~KeyedStep() = default;
  KeyedStep(const KeyedStep&) = delete;
  KeyedStep& operator=(const KeyedStep&) = delete;

  // `rows`, ascending, are this instance's; those that go no further leave it. Rows at fault leave it too and
  // are appended to `errors`.
  virtual void Process(const KeyedInput& input, std::vector<uint32_t>* rows, StepScratch* scratch,
                       std::vector<RowError>* errors) = 0;
  KeyedTable& table() { return table_; }
  const KeyedTable& table() const { return table_; }
  // Records dropped as duplicates since the start.
  uint64_t duplicates() const { return duplicates_; }

 protected:
  KeyedTable table_;
  uint64_t duplicates_ = 0;
};

std::unique_ptr<KeyedStep> NewDedup(const DedupSpec* spec, KeyedTableOptions options,
                                    const StateView* view, KeyShare share);

std::unique_ptr<KeyedStep> NewHistory(const HistorySpec* spec, KeyedTableOptions options,
                                      const StateView* view, KeyShare share);

std::unique_ptr<KeyedStep> NewDetect(const DetectSpec* spec, KeyedTableOptions options,
                                     const StateView* view, KeyShare share);

}  // namespace rivulet
