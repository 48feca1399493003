// MessageTable: a reference table whose rows are messages of MQTT topics.
//
// Its messages lie in the journal among the records, so what a record finds depends on the journal alone. The
// rows are state: they are committed together with the pipeline's position. All of them stay in memory; what
// a commit writes is the keys that changed.
//
// In the store, under the table's prefix:
//   (nothing behind it)   names of the columns, each length-prefixed
//   encoded key           versions: count (varint), then of each valid_from (signed varint), and the row
//                         (length-prefixed; base/value_codec.h for each column)
// Rows that were written with other columns are translated by name when the table is opened.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "node/engine/source_task.h"
#include "node/plan/table_plan.h"
#include "operators/lookup/lookup_table.h"
#include "operators/state/state_owner.h"
#include "operators/state/state_view.h"

namespace rivulet {

// One thread.
class MessageTable final : public StateOwner {
 public:
  // `plan` and `view` must outlive it.
  MessageTable(const TablePlan* plan, std::string prefix, const StateView* view);

  // What of a table must stay the same for its stored rows to be used.
  static std::string Signature(const TablePlan& plan);

  // Brings the rows into memory. Errors: kCorrupt, and those of the store.
  Status Open() override;

  bool Matches(uint32_t topic_id, std::string_view topic) { return source_.Matches(topic_id, topic); }
  // Takes in one message. What is wrong with it is appended to `faults`.
  void Apply(const InputMessage& message, std::vector<DecodeError>* faults);
  // See LookupTable.
  void Settle(uint64_t end);

  // Versions that nothing can need at watermark `watermark_us` go.
  void Forget(int64_t watermark_us);
  void CollectChanges(StateChanges* changes) override;
  // Nothing will be collected.
  void DropChanges() { changed_.clear(); }
  size_t DirtyRows() const override { return changed_.size(); }
  size_t MemoryBytes() const override { return rows_.MemoryBytes(); }
  // All of it stays in memory.
  void Evict(size_t) override {}
  size_t EntriesInMemory() const override { return rows_.keys(); }
  const Status& status() const override { return ok_; }

  const LookupTable& rows() const { return rows_; }
  // The store knew nothing of it when it was opened: what the broker has retained is news.
  bool fresh() const { return fresh_; }
  uint64_t faults() const { return faults_; }

 private:
  Status ReadColumns(std::vector<std::string>* columns) const;
  bool ReadRow(std::string_view key, std::string_view value, const std::vector<uint32_t>* from,
               size_t stored);
  void Remove(const InputMessage& message, std::vector<DecodeError>* faults);
  void Put(RecordBatch* batch, uint32_t row, const InputMessage& message, std::vector<DecodeError>* faults);
  void Fault(const InputMessage& message, const Status& status, std::vector<DecodeError>* faults);
  void DropRepeats();

  const TablePlan* plan_;
  std::string prefix_;
  const StateView* view_;
  SourceTask source_;               // decodes
  LookupTable rows_;
  bool fresh_ = false;
  bool stored_columns_ = false;     // the store has the names of these columns
  TableRow row_;                    // scratch
  RecordBatch removed_;             // scratch
  uint64_t faults_ = 0;
  std::vector<std::string> changed_;  // keys; some may be there twice
  Status ok_;                         // the store is read by Open only
  size_t repeats_at_ = 1024;          // how many of them, until those are taken out
};

}  // namespace rivulet
