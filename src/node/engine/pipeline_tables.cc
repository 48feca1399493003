#include "node/engine/pipeline_tables.h"

#include <algorithm>

namespace rivulet {

PipelineTables::PipelineTables(const std::vector<TablePlan>* plans) : plans_(plans) {
  for (const TablePlan& plan : *plans) {
    FileTable& table = tables_.emplace_back();
    table.file = NewTableFile(&plan);
    table.stats.name = plan.name;
    table.stats.origin = plan.Origin();
    view_.push_back({nullptr, plan.keep_us});
  }
}

bool PipelineTables::ready() const {
  return std::all_of(view_.begin(), view_.end(), [](const auto& table) { return table.rows != nullptr; });
}

void PipelineTables::Refresh(bool at_once, int64_t wall_us, const Log& log) {
  for (size_t i = 0; i < tables_.size(); ++i) {
    FileTable& table = tables_[i];
    std::string version = table.file->Version();
    const bool settled = at_once || version == table.seen;
    table.seen = std::move(version);
    if (at_once || table.rows == nullptr || (settled && table.seen != table.loaded)) Read(i, wall_us, log);
  }
}

void PipelineTables::Read(size_t i, int64_t wall_us, const Log& log) {
  FileTable& table = tables_[i];
  TableFault fault;
  table.loaded = table.seen;
  std::unique_ptr<LookupTable> rows = table.file->Read(&fault);
  // Changed while it was read: what came of it may be half of the one and half of the other.
  if (table.file->Version() != table.loaded) table.loaded.clear();
  if (rows == nullptr) {
    ++table.stats.errors;
    if (fault.status.code() == ErrorCode::kLocked) table.loaded.clear();  // tried again
    const std::string error = fault.status.ToString();
    if (error != table.stats.last_error) {
      log('w', error + (table.rows == nullptr ? "; the pipeline waits for it"
                                              : "; the rows that were read last stay"));
    }
    table.stats.last_error = error;
    return;
  }
  table.rows = std::move(rows);
  table.stats.last_error.clear();
  table.stats.changed_us = wall_us;
  ++table.stats.loads;
  view_[i].rows = table.rows.get();
  if (table.stats.loads > 1 || table.stats.errors > 0) {
    log('i', "table '" + table.stats.name + "' read again: " + std::to_string(table.rows->versions()) +
                 " rows");
  }
}

size_t PipelineTables::MemoryBytes() const {
  size_t bytes = 0;
  for (const auto& table : view_) bytes += table.rows == nullptr ? 0 : table.rows->MemoryBytes();
  return bytes;
}

std::vector<TableStats> PipelineTables::Stats() const {
  std::vector<TableStats> all;
  for (const FileTable& table : tables_) {
    TableStats& stats = all.emplace_back(table.stats);
    stats.ready = table.rows != nullptr;
    if (!stats.ready) continue;
    stats.keys = table.rows->keys();
    stats.rows = table.rows->versions();
    stats.bytes = table.rows->MemoryBytes();
  }
  return all;
}

}  // namespace rivulet
