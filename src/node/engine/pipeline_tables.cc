#include "node/engine/pipeline_tables.h"

#include <algorithm>
#include <utility>

#include "operators/state/named_rows.h"

namespace rivulet {

PipelineTables::PipelineTables(const std::vector<TablePlan>* plans, const std::string& prefix,
                               const StateView* view)
    : plans_(plans), prefix_(prefix), state_(view) {
  for (const TablePlan& plan : *plans) {
    Table& table = tables_.emplace_back();
    if (plan.of_topic()) {
      const std::string rows = NamedPrefix(prefix, MessageTable::Signature(plan));
      table.topic = std::make_unique<MessageTable>(&plan, rows, view);
      topics_.Add(table.topic.get());
    } else {
      table.file = NewTableFile(&plan);
    }
    table.stats.name = plan.name;
    table.stats.origin = plan.Origin();
    view_.push_back({plan.of_topic() ? &table.topic->rows() : nullptr, plan.keep_us});
  }
}

Status PipelineTables::DropForeign(StateChanges* changes) const {
  std::vector<std::string> known;
  for (const TablePlan& plan : *plans_) {
    if (plan.of_topic()) known.push_back(NamedPrefix(prefix_, MessageTable::Signature(plan)));
  }
  return DropUnknown(prefix_, known, *state_, changes);
}

void PipelineTables::Match(uint32_t topic_id, std::string_view topic, std::vector<uint32_t>* tables) {
  for (uint32_t i = 0; i < tables_.size(); ++i) {
    const auto& table = tables_[i].topic;
    if (table != nullptr && table->Matches(topic_id, topic)) tables->push_back(i);
  }
}

void PipelineTables::Apply(std::span<const InputMessage> messages) {
  faults_.clear();
  if (tables_.empty()) return;
  for (const InputMessage& message : messages) {
    if (message.kind != InputMessage::Kind::kTable) continue;
    errors_.clear();
    tables_[message.table].topic->Apply(message, &errors_);
    for (DecodeError& e : errors_) faults_.push_back({message.table, std::move(e)});
  }
}

void PipelineTables::Settle(uint64_t end) {
  for (const Table& table : tables_) {
    if (table.topic != nullptr) table.topic->Settle(end);
  }
}

void PipelineTables::Forget(int64_t watermark_us) {
  for (const Table& table : tables_) {
    if (table.topic != nullptr) table.topic->Forget(watermark_us);
  }
}

void PipelineTables::DropChanges() {
  for (const Table& table : tables_) {
    if (table.topic != nullptr) table.topic->DropChanges();
  }
}

bool PipelineTables::ready() const {
  return std::all_of(view_.begin(), view_.end(), [](const auto& table) { return table.rows != nullptr; });
}

void PipelineTables::Refresh(bool at_once, int64_t wall_us, const Log& log) {
  for (size_t i = 0; i < tables_.size(); ++i) {
    Table& table = tables_[i];
    if (table.file == nullptr) continue;
    std::string version = table.file->Version();
    const bool settled = at_once || version == table.seen;
    table.seen = std::move(version);
    if (at_once || table.rows == nullptr || (settled && table.seen != table.loaded)) Read(i, wall_us, log);
  }
}

void PipelineTables::Read(size_t i, int64_t wall_us, const Log& log) {
  Table& table = tables_[i];
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
      LogMessage message(error + (table.rows == nullptr ? "; the pipeline waits for it"
                                                        : "; the rows that were read last stay"));
      message.code = fault.status.code();
      log('w', message);
    }
    table.stats.last_error = error;
    return;
  }
  table.rows = std::move(rows);
  table.stats.last_error.clear();
  table.stats.loaded_us = wall_us;
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
  for (size_t i = 0; i < tables_.size(); ++i) {
    TableStats& stats = all.emplace_back(tables_[i].stats);
    const LookupTable* rows = view_[i].rows;
    stats.ready = rows != nullptr;
    if (tables_[i].topic != nullptr) stats.errors = tables_[i].topic->faults();
    if (rows == nullptr) continue;
    stats.keys = rows->keys();
    stats.rows = rows->versions();
    stats.bytes = rows->MemoryBytes();
  }
  return all;
}

}  // namespace rivulet
