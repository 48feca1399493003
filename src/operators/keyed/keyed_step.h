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
#include "operators/keyed/made_records.h"
#include "operators/key/key_codec.h"
#include "operators/steps/step_chain.h"

namespace rivulet {

struct KeyedInput {
  RecordBatch* batch;             // this instance's own: columns may be written
  const RecordBatch* source;      // the same rows as received, shared: for `raw`
  const KeyColumn* keys;
  const int64_t* watermark;       // by row: W of the source just before the record, us
  uint64_t position;              // of row 0 within the turn
  const uint64_t* positions;      // by row, of records that a step has made; null: they were received

  bool made() const { return positions != nullptr; }
  uint64_t Position(uint32_t row) const { return made() ? positions[row] : position + row; }
};

class TimedStep;

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
  // Null: it moves with records only.
  virtual TimedStep* timed() { return nullptr; }
  KeyedTable& table() { return table_; }
  const KeyedTable& table() const { return table_; }
  // Records dropped as duplicates since the start.
  uint64_t duplicates() const { return duplicates_; }

 protected:
  KeyedTable table_;
  uint64_t duplicates_ = 0;
};

// A step that also makes records as time passes. What it made stands in front of what has not been processed
// yet, and must have gone through the steps behind it first.
class TimedStep : public KeyedStep {
 public:
  using KeyedStep::KeyedStep;
  TimedStep* timed() override { return this; }

  // Process only computes what is looked at. Then this follows, for rows[*next] and on; those that go on are
  // appended to `passed`. False: it has made records, and stopped in front of rows[*next].
  virtual bool Resume(const KeyedInput& input, const std::vector<uint32_t>& rows, size_t* next,
                      std::vector<uint32_t>* passed) = 0;
  // Does some of what is due when W has reached `point`, in order. False when there was nothing left.
  virtual bool Fire(const FirePoint& point) = 0;
  // Of the last Resume or Fire. They meet a W that has not fallen since.
  MadeRecords& made() { return made_; }

 protected:
  MadeRecords made_;
};

std::unique_ptr<KeyedStep> NewDedup(const DedupSpec* spec, KeyedTableOptions options,
                                    const StateView* view, KeyShare share);

std::unique_ptr<KeyedStep> NewHistory(const HistorySpec* spec, KeyedTableOptions options,
                                      const StateView* view, KeyShare share);

// `columns`: how many a record has.
std::unique_ptr<KeyedStep> NewDetect(const DetectSpec* spec, uint32_t columns, KeyedTableOptions options,
                                     const StateView* view, KeyShare share);

}  // namespace rivulet
