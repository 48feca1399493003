// PipelineTables: the reference tables of one running pipeline, as its turns see them.
//
// Tables in files are read as a whole; when a file has changed its rows are swapped in between two turns. A
// file that cannot be read any more leaves the rows that were read last. Until every file has been read once
// the pipeline waits: its records stay in the journal.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

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
  int64_t changed_us = 0;        // wall clock when it was last read or changed; 0: not since the start
  uint64_t errors = 0;
  std::string last_error;        // empty when the last attempt went well
};

// One thread (the engine's); turns read view() on others.
class PipelineTables {
 public:
  // `plans` must outlive it.
  explicit PipelineTables(const std::vector<TablePlan>* plans);

  // Reads files that have changed; `at_once` false: only when they have stayed the same since the last call,
  // so that one in the middle of being written is let alone. What is worth a line for people is handed to
  // `log` (levels as in NodeParts).
  using Log = std::function<void(char level, const std::string&)>;
  void Refresh(bool at_once, int64_t wall_us, const Log& log);

  bool empty() const { return tables_.empty(); }
  // Every table has been read.
  bool ready() const;
  const std::vector<LookupContext::Table>& view() const { return view_; }
  size_t MemoryBytes() const;
  std::vector<TableStats> Stats() const;

 private:
  struct FileTable {
    std::unique_ptr<TableFile> file;
    std::unique_ptr<LookupTable> rows;
    std::string loaded, seen;     // versions: of the last attempt to read it, of the last look at it
    TableStats stats;
  };
  void Read(size_t i, int64_t wall_us, const Log& log);

  const std::vector<TablePlan>* plans_;
  std::vector<FileTable> tables_;
  std::vector<LookupContext::Table> view_;
};

}  // namespace rivulet
