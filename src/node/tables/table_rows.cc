#include "node/tables/table_rows.h"

#include <sys/stat.h>

namespace rivulet {

std::string FileVersion(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return "";
  return std::to_string(info.st_dev) + " " + std::to_string(info.st_ino) + " " +
         std::to_string(info.st_size) + " " + std::to_string(info.st_mtim.tv_sec) + "." +
         std::to_string(info.st_mtim.tv_nsec);
}

std::unique_ptr<TableFile> NewTableFile(const TablePlan* plan) {
  return plan->kind == TableSpec::Kind::kSqlite ? NewSqliteTable(plan) : NewCsvTable(plan);
}

TableRows::TableRows(const TablePlan* plan) : plan_(plan), table_(std::make_unique<LookupTable>()) {
  batch_.Reset(plan_->columns(), 1);
}

bool TableRows::Fail(ErrorCode code, const std::string& message) {
  status_ = Status(code, "table '" + plan_->name + "', '" + plan_->path + "': " + message);
  return false;
}

bool TableRows::Add(const std::string& where) {
  const Status status = TakeTableRow(plan_->layout, &batch_, 0, &row_);
  if (!status.ok()) return Fail(ErrorCode::kBadTable, where + ": " + status.message());
  if (table_->versions() >= plan_->rows) {
    return Fail(ErrorCode::kBadTable, "more than " + std::to_string(plan_->rows) +
                                          " rows; raise 'rows' of the table if there is memory for them");
  }
  if (!table_->Put(row_.key, row_.hash, row_.valid_from_us, 0, row_.values)) {
    return Fail(ErrorCode::kBadTable,
                where + ": a second row with the key " + DescribeKey(row_.key) +
                    (plan_->versioned() ? " and the same time" : "") +
                    "; expected one: remove a row, add a column to 'key', or tell versions apart with "
                    "'valid_from'");
  }
  batch_.Reset(plan_->columns(), 1);
  return true;
}

}  // namespace rivulet
