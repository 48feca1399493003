#include "node/engine/pipeline_worker.h"

#include <algorithm>
#include <numeric>

#include "base/json_writer.h"
#include "node/engine/heartbeat.h"
#include "node/engine/turn_parts.h"
#include "operators/key/key_codec.h"

namespace rivulet {
namespace {

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
                               std::unique_ptr<WindowOperator> windows,
                               std::unique_ptr<KeyedChain> keyed, KeyShare share)
    : plan_(plan),
      encoder_(encoder),
      windows_(std::move(windows)),
      keyed_(std::move(keyed)),
      share_(share) {
  batch_.Reset(plan_->result_columns);
}

void PipelineWorker::BeginTurn() {
  results_.clear();
  late_.clear();
  failed_.clear();
  reached_ = EventTime::Min().us;
  arena_.Clear();
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
  const auto rows =
      OwnRows(RowsBetween(source.batch, prepared.rows, begin, end), prepared.keys, &own_rows_);
  WindowInput input;
  input.batch = &source.batch;
  input.keys = &prepared.keys;
  input.rows = rows.data();
  input.count = static_cast<uint32_t>(rows.size());
  input.watermark = per_key ? prepared.held.data() : source.watermark.data();
  input.position = source.first_position;
  input.arguments = &prepared.arguments;
  input.gap = prepared.gap;
  input.source = source.source.data();
  if (per_key) {
    const auto clock_rows = OwnRows(RowsBetween(source.batch, prepared.clock_rows, begin, end),
                                    prepared.keys, &own_clock_rows_);
    input.clock_rows = clock_rows.data();
    input.clock_count = static_cast<uint32_t>(clock_rows.size());
  }
  if (keyed_ != nullptr) {
    if (rows.data() != own_rows_.data()) own_rows_.assign(rows.begin(), rows.end());
    RunKeyed(source, prepared.keys, {input.clock_rows, input.clock_count});
    input.batch = &keyed_->batch();
    input.arguments = &arguments_;
    if (plan_->gap_column) input.gap = &keyed_->batch().columns[*plan_->gap_column];
    input.rows = own_rows_.data();
    input.count = static_cast<uint32_t>(own_rows_.size());
  }
  if (plan_->selects()) return EmitRecords(input);
  windows_->Process(input, this);
}

// Each record is a result, at its own place in the order of results.
void PipelineWorker::EmitRecords(const WindowInput& input) {
  for (uint32_t k = 0; k < input.count; ++k) {
    const uint32_t row = input.rows[k];
    const ResultOrder order{input.watermark[row], 1, input.position + row};
    batch_.AddRecord(*input.arguments, row, plan_->key_columns.size(), order, input.keys->Key(row),
                     input.batch->event_time[row]);
    if (batch_.batch.rows >= kFlushRows) FlushResults();
  }
}

// Takes own_rows_ through the keyed steps; then the arguments of aggregates, which may be made of what these
// say, are computed in this worker's own batch too.
void PipelineWorker::RunKeyed(const SourceSlot& source, const KeyColumn& keys,
                              std::span<const uint32_t> clock_rows) {
  errors_.clear();
  SetRecords(source, &scratch_.lookup);
  keyed_->Run(source.batch, keys, source.watermark.data(), &own_rows_, &scratch_, &errors_);
  RecordBatch& batch = keyed_->batch();
  // Records that a step before has taken out move their key's clock all the same.
  for (const uint32_t row : clock_rows) batch.event_time[row] = source.batch.event_time[row];
  plan_->arguments.Run(&batch, &own_rows_, &scratch_, &errors_);
  CheckArguments(*plan_, batch, &own_rows_, &errors_);
  arguments_.clear();
  for (const uint32_t column : plan_->argument_columns) arguments_.push_back(&batch.columns[column]);
  for (const RowError& e : errors_) {
    const int64_t watermark = plan_->window.per_key.Held(source.watermark[e.row]);
    // Its place among results at fault must not come in a later step.
    if (plan_->faults_in_order()) Reach(watermark);
    failed_.push_back({Status(e.code, e.detail).ToString(), source.batch.raw[e.row], &source, e.row,
                       {watermark, 1, source.first_position + e.row}});
  }
}

void PipelineWorker::Close(const FirePoint& point) {
  windows_->Advance(point, this);
  if (keyed_ != nullptr) keyed_->Advance(point.time);
  FlushResults();
  source_ = nullptr;
}

Status PipelineWorker::Open() {
  if (keyed_ != nullptr) RIVULET_RETURN_IF_ERROR(keyed_->Open());
  return windows_->Open();
}

void PipelineWorker::CollectChanges(StateChanges* changes) {
  windows_->CollectChanges(changes);
  if (keyed_ != nullptr) keyed_->CollectChanges(changes);
}

size_t PipelineWorker::MemoryBytes() const {
  return windows_->MemoryBytes() + (keyed_ == nullptr ? 0 : keyed_->MemoryBytes());
}

// Windows and keyed steps keep what they have of the memory now, each in proportion.
void PipelineWorker::Evict(size_t target) {
  if (keyed_ == nullptr) return windows_->Evict(target);
  const size_t windows = windows_->MemoryBytes(), held = MemoryBytes();
  if (held <= target) return;
  const double share = static_cast<double>(windows) / static_cast<double>(held);
  const auto part = static_cast<size_t>(share * static_cast<double>(target));
  windows_->Evict(part);
  keyed_->Evict(target - std::min(part, target));
}

size_t PipelineWorker::EntriesInMemory() const {
  return windows_->PanesInMemory() + (keyed_ == nullptr ? 0 : keyed_->EntriesInMemory());
}

size_t PipelineWorker::DirtyRows() const {
  return windows_->DirtyRows() + (keyed_ == nullptr ? 0 : keyed_->DirtyRows());
}

Status PipelineWorker::status() const {
  if (keyed_ != nullptr) RIVULET_RETURN_IF_ERROR(keyed_->status());
  return windows_->status();
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
  for (size_t i = 0; r.fallback != nullptr && i < plan_->aggregates.outputs(); ++i) {
    Column& column = batch_.batch.columns[plan_->key_columns.size() + 2 + i];
    if (column.is_null(batch_.batch.rows - 1)) column.Set(batch_.batch.rows - 1, r.fallback[i]);
  }
  if (batch_.batch.rows >= kFlushRows) FlushResults();
}

void PipelineWorker::OnRow(const RowResult& r) {
  Reach(r.order.time);
  batch_.AddRow(r, plan_->key_columns.size());
  if (batch_.batch.rows >= kFlushRows) FlushResults();
}

void PipelineWorker::OnFault(const ResultFault& f) {
  Reach(f.order.time);
  std::string_view key = f.key;
  std::string scratch;
  Value value;
  json_.clear();
  json_ += '{';
  for (const std::string& name : plan_->key_names) {
    if (!NextKeyValue(&key, &value, &scratch)) break;
    AppendJsonString(&json_, name);
    json_ += ':';
    AppendJsonValue(&json_, value);
    json_ += ',';
  }
  json_ += "\"time\":";
  AppendJsonInt(&json_, (f.time_us - FloorMod(f.time_us, 1000)) / 1000);
  json_ += '}';
  failed_.push_back({Status(f.code, f.detail).ToString(), {}, nullptr, 0, f.order, std::string(f.key),
                     json_});
}

void PipelineWorker::OnLate(const ResultOrder& order, uint32_t row) {
  Reach(order.time);
  late_.push_back({order, source_, row});
}

void PipelineWorker::FlushResults() {
  RecordBatch& batch = batch_.batch;
  if (batch.rows == 0) return;
  Beat();
  batch_rows_.resize(batch.rows);
  std::iota(batch_rows_.begin(), batch_rows_.end(), 0u);
  errors_.clear();
  plan_->after.Run(&batch, &batch_rows_, &scratch_, &errors_);
  for (const RowError& e : errors_) {
    json_.clear();
    encoder_->Append(batch_, e.row, &json_);
    failed_.push_back({Status(e.code, e.detail).ToString(), {}, nullptr, 0, batch_.meta[e.row].order,
                       std::string(batch_.Key(e.row)), json_});
  }
  for (const uint32_t row : batch_rows_) {
    json_.clear();
    encoder_->Append(batch_, row, &json_);
    const ResultMeta& meta = batch_.meta[row];
    results_.push_back(
        {meta.order, meta.identity_us, meta.revision, arena_.Keep(batch_.Key(row)), arena_.Keep(json_),
         batch.event_time[row]});
  }
  batch_.Reset(plan_->result_columns);
}

}  // namespace rivulet
