#include "node/engine/pipeline_worker.h"

#include <algorithm>
#include <numeric>

#include "node/engine/turn_parts.h"

namespace rivulet {
namespace {

constexpr size_t kChunkBytes = 256 << 10;

// Those of the ascending `rows` that came from messages in [begin, end) of the log.
std::span<const uint32_t> RowsBetween(const RecordBatch& batch, std::span<const uint32_t> rows,
                                      uint64_t begin, uint64_t end) {
  if (begin == 0 && end == TurnParts::kEnd) return rows;
  const auto first = std::partition_point(rows.begin(), rows.end(),
                                          [&](uint32_t row) { return batch.offset[row] < begin; });
  const auto last = std::partition_point(first, rows.end(),
                                         [&](uint32_t row) { return batch.offset[row] < end; });
  return {first, last};
}

}  // namespace

PipelineWorker::PipelineWorker(const PipelinePlan* plan, const ResultEncoder* encoder,
                               std::unique_ptr<WindowOperator> windows, KeyShare share)
    : plan_(plan), encoder_(encoder), windows_(std::move(windows)), share_(share) {
  batch_.Reset(plan_->result_columns);
}

void PipelineWorker::BeginTurn() {
  results_.clear();
  late_.clear();
  failed_.clear();
  reached_ = EventTime::Min().us;
  arena_used_ = 0;
  // A few chunks are kept for reuse; a turn with very many results gives its memory back. Strings of this
  // size live on the heap, so moving the vector's elements moves no bytes.
  if (arena_.size() > 4) arena_.resize(1);
}

std::span<const uint32_t> PipelineWorker::OwnRows(std::span<const uint32_t> rows,
                                                  const KeyColumn& keys,
                                                  std::vector<uint32_t>* own) const {
  if (share_.workers == 1) return rows;
  own->clear();
  for (const uint32_t row : rows) {
    if (share_.Owns(keys.hashes[row])) own->push_back(row);
  }
  return *own;
}

void PipelineWorker::Process(const SourceSlot& source, const PreparedSlot& prepared, uint64_t begin,
                             uint64_t end) {
  source_ = &source;
  const bool per_key = plan_->window.per_key.on;
  const auto rows = OwnRows(RowsBetween(source.batch, prepared.rows, begin, end), prepared.keys, &own_rows_);
  WindowInput input;
  input.batch = &source.batch;
  input.keys = &prepared.keys;
  input.rows = rows.data();
  input.count = static_cast<uint32_t>(rows.size());
  input.watermark = per_key ? prepared.held.data() : source.watermark.data();
  input.position = source.first_position;
  input.arguments = &prepared.arguments;
  input.gap = prepared.gap;
  if (per_key) {
    const auto clock_rows = OwnRows(RowsBetween(source.batch, prepared.clock_rows, begin, end),
                                    prepared.keys, &own_clock_rows_);
    input.clock_rows = clock_rows.data();
    input.clock_count = static_cast<uint32_t>(clock_rows.size());
  }
  windows_->Process(input, this);
}

void PipelineWorker::Close(const FirePoint& point) {
  windows_->Advance(point, this);
  FlushResults();
  source_ = nullptr;
}

// Copies `bytes` to where they stay for the turn.
std::string_view PipelineWorker::Keep(std::string_view bytes) {
  const bool fits = arena_used_ > 0 && arena_[arena_used_ - 1].capacity() -
                                               arena_[arena_used_ - 1].size() >=
                                           bytes.size();
  if (!fits) {
    if (arena_used_ == arena_.size()) arena_.emplace_back();
    std::string& next = arena_[arena_used_++];
    next.clear();
    next.reserve(std::max(kChunkBytes, bytes.size()));
  }
  std::string& chunk = arena_[arena_used_ - 1];
  const size_t offset = chunk.size();
  chunk.append(bytes);
  return {chunk.data() + offset, bytes.size()};
}

void PipelineWorker::OnResult(const ResultOrder& order, std::string_view key, uint64_t hash,
                              int64_t start_us, int64_t end_us, uint32_t revision,
                              const char* block) {
  // Cumulating windows begin together.
  const bool by_end = plan_->window.kind == WindowSpec::Kind::kCumulate;
  OnWindow({order, key, hash, start_us, end_us, by_end ? end_us : start_us, revision, false, block});
}

void PipelineWorker::OnWindow(const WindowResult& r) {
  Reach(r.order.time);
  batch_.Add(plan_->aggregates, plan_->key_columns.size(), r.order, r.key, r.start_us, r.end_us,
             r.revision, r.block);
  batch_.meta.back().identity_us = r.identity_us;
  batch_.meta.back().early = r.early;
  if (batch_.batch.rows >= kFlushRows) FlushResults();
}

void PipelineWorker::OnLate(const ResultOrder& order, uint32_t row) {
  Reach(order.time);
  late_.push_back({order, source_->batch.raw[row]});
}

void PipelineWorker::FlushResults() {
  RecordBatch& batch = batch_.batch;
  if (batch.rows == 0) return;
  batch_rows_.resize(batch.rows);
  std::iota(batch_rows_.begin(), batch_rows_.end(), 0u);
  errors_.clear();
  plan_->after.Run(&batch, &batch_rows_, &scratch_, &errors_);
  for (const RowError& e : errors_) {
    json_.clear();
    encoder_->Append(batch_, e.row, &json_);
    failed_.push_back(
        {RejectedLine(Status(e.code, e.detail).ToString(), json_), batch_.meta[e.row].order,
         std::string(batch_.Key(e.row))});
  }
  for (const uint32_t row : batch_rows_) {
    json_.clear();
    encoder_->Append(batch_, row, &json_);
    const ResultMeta& meta = batch_.meta[row];
    results_.push_back(
        {meta.order, meta.identity_us, meta.revision, Keep(batch_.Key(row)), Keep(json_)});
  }
  batch_.Reset(plan_->result_columns);
}

}  // namespace rivulet
