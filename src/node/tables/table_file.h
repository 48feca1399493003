// TableFile: a file that holds the rows of a reference table, and is read again when it has changed.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "node/plan/table_plan.h"
#include "operators/lookup/lookup_table.h"

namespace rivulet {

// A fault of a table file, and where in the pipeline file it comes from.
struct TableFault {
  Status status;
  SourceMark mark;
};

// One thread.
class TableFile {
 public:
  virtual ~TableFile() = default;
  // All rows, or none: half a table would give wrong answers without a word. Errors: kFileNotReadable;
  // kBadTable (a row at fault, two rows with one key and time, more rows than allowed); kUnknownName (a
  // column that is not there).
  virtual std::unique_ptr<LookupTable> Read(TableFault* fault) = 0;
  // Differs when the content may differ; empty when there is no such file.
  virtual std::string Version() = 0;
};

// `plan` must outlive it.
std::unique_ptr<TableFile> NewTableFile(const TablePlan* plan);
std::unique_ptr<TableFile> NewCsvTable(const TablePlan* plan);
std::unique_ptr<TableFile> NewSqliteTable(const TablePlan* plan);

// Device, inode, size and time of the last change; empty when there is no such file.
std::string FileVersion(const std::string& path);

}  // namespace rivulet
