// TableRows: collects the rows of a table file, batch by batch, into a LookupTable. Private to the tables.
#pragma once

#include <memory>
#include <string>

#include "base/record_batch.h"
#include "node/plan/table_plan.h"
#include "node/tables/table_file.h"

namespace rivulet {

class TableRows {
 public:
  explicit TableRows(const TablePlan* plan);

  // To be filled with one row, its columns numbered as the plan's; then Add takes it.
  RecordBatch* batch() { return &batch_; }
  // `where` names the row for messages, such as "line 7". False: `status()` says what is wrong with it.
  bool Add(const std::string& where);
  bool Fail(ErrorCode code, const std::string& message);

  const Status& status() const { return status_; }
  std::unique_ptr<LookupTable> Take() { return std::move(table_); }

 private:
  const TablePlan* plan_;
  RecordBatch batch_;
  TableRow row_;
  std::unique_ptr<LookupTable> table_;
  Status status_;
};

}  // namespace rivulet
