// PipelineTables: the reference tables of one running pipeline, as its turns see them.
//
// Tables in files are read as a whole; when a file has changed its rows are swapped in between two turns. A
// file that cannot be read any more leaves the rows that were read last. Until every file has been read once
// the pipeline waits: its records stay in the journal.
//
// Tables from topics take in a turn's messages before its records are looked at; each record then sees what
// came before it (operators/lookup/lookup_table.h).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/log_message.h"
#include "node/engine/source_task.h"
#include "node/engine/message_table.h"
#include "node/plan/table_plan.h"
#include "node/tables/table_file.h"
#include "operators/lookup/lookup_join.h"

namespace rivulet {

// Figures of one table.
struct TableStats {
  std::string name;
  std::string origin;            // the file, or the topic
  bool ready = false;            // has rows to offer, if only none
  uint64_t keys = 0;
  uint64_t rows = 0;             // versions of all keys
  uint64_t bytes = 0;            // in memory
  uint64_t loads = 0;            // files: times read
  int64_t loaded_us = 0;         // files: wall clock when it was last read; 0: not yet
  uint64_t errors = 0;           // failed readings; topics: messages at fault
  std::string last_error;        // files: empty when the last attempt went well
};

// One thread (the engine's); turns read view() on others.
class PipelineTables {
 public:
  // Rows of table t are in the store under `prefix` and a hash of what t is. `plans` and `view` must outlive
  // it.
  PipelineTables(const std::vector<TablePlan>* plans, const std::string& prefix, const StateView* view);

  // Of tables from topics; to be opened before the first turn.
  StateOwner& state() { return topics_; }
  // Deletes stored rows that belong to none of the tables.
  Status DropForeign(StateChanges* changes) const;

  // Reads files that have changed; `at_once` false: only when they have stayed the same since the last call,
  // so that one in the middle of being written is let alone. What is worth a line for people is handed to
  // `log`.
  using Log = LogFunction;
  void Refresh(bool at_once, int64_t wall_us, const Log& log);

  bool empty() const { return tables_.empty(); }
  // Every table has been read.
  bool ready() const;
  const std::vector<LookupContext::Table>& view() const { return view_; }

  // Whether table `i` is one from a topic, of which nothing is known yet.
  bool fresh(size_t i) const { return tables_[i].topic != nullptr && tables_[i].topic->fresh(); }
  // The tables whose rows are messages of this topic, appended to `*tables`.
  void Match(uint32_t topic_id, std::string_view topic, std::vector<uint32_t>* tables);
  // Takes in the table messages of a turn. faults() are then those of the turn.
  void Apply(std::span<const InputMessage> messages);
  const std::vector<TableMessageFault>& faults() const { return faults_; }
  // The turn ended: its messages before `end` count, those behind it will be given again.
  void Settle(uint64_t end);

  // Versions of rows that nothing can need at watermark `watermark_us` go.
  void Forget(int64_t watermark_us);
  // In place of collecting changes, when nothing is kept.
  void DropChanges();
  // Of all tables.
  size_t MemoryBytes() const;
  std::vector<TableStats> Stats() const;

 private:
  // One of the two: a file with the rows read from it, or a topic.
  struct Table {
    std::unique_ptr<TableFile> file;
    std::unique_ptr<LookupTable> rows;
    std::string loaded, seen;     // versions: of the last attempt to read it, of the last look at it
    std::unique_ptr<MessageTable> topic;
    TableStats stats;
  };
  void Read(size_t i, int64_t wall_us, const Log& log);

  const std::vector<TablePlan>* plans_;
  std::string prefix_;
  const StateView* state_;
  std::vector<Table> tables_;
  StateOwners topics_;
  std::vector<LookupContext::Table> view_;
  std::vector<TableMessageFault> faults_;
  std::vector<DecodeError> errors_;  // scratch
};

}  // namespace rivulet
