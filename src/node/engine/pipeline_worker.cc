#include "node/engine/pipeline_worker.h"

#include <algorithm>
#include <numeric>
#include <utility>

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
                               std::unique_ptr<KeyedOperator> keyed_operator,
                               std::unique_ptr<KeyedChain> steps, KeyShare share)
    : plan_(plan),
      encoder_(encoder),
      operator_(std::move(keyed_operator)),
      keyed_(std::move(steps)),
      share_(share),
      timed_(keyed_ != nullptr && keyed_->timed()) {
  batch_.Reset(plan_->result_columns);
  state_.Add(&operator_->state());
  if (keyed_ != nullptr) state_.Add(&keyed_->state());
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
  KeyedRecords& input = received_ = KeyedRecords();
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
  if (keyed_ == nullptr) return Take(input);
  if (rows.data() != own_rows_.data()) own_rows_.assign(rows.begin(), rows.end());
  SetRecords(source, &scratch_.lookup);
  keyed_->Run(source.batch, prepared.keys, source.watermark.data(), source.first_position, &own_rows_,
              &scratch_, this);
}

void PipelineWorker::Take(const KeyedRecords& input) {
  if (plan_->selects()) return EmitRecords(input);
  operator_->Process(input, this);
}

// The arguments of aggregates may be made of what the keyed steps say, so they are computed behind these, in
// the steps' own batch.
void PipelineWorker::OnRecords(const KeyedInput& in, std::vector<uint32_t>* rows,
                               std::vector<RowError>* errors) {
  RecordBatch& batch = *in.batch;
  KeyedRecords input = in.made() ? KeyedRecords() : received_;
  // Records that a step before has taken out move their key's clock all the same.
  for (uint32_t k = 0; k < input.clock_count; ++k) {
    const uint32_t row = input.clock_rows[k];
    batch.event_time[row] = in.source->event_time[row];
  }
  plan_->arguments.Run(&batch, rows, &scratch_, errors);
  CheckArguments(*plan_, batch, rows, errors);
  arguments_.clear();
  for (const uint32_t column : plan_->argument_columns) arguments_.push_back(&batch.columns[column]);
  input.batch = &batch;
  input.keys = in.keys;
  input.arguments = &arguments_;
  if (plan_->gap_column) input.gap = &batch.columns[*plan_->gap_column];
  if (in.made()) return TakeMade(in, *rows, &input);
  input.rows = rows->data();
  input.count = static_cast<uint32_t>(rows->size());
  Take(input);
}

// One by one, as each has a place of its own.
void PipelineWorker::TakeMade(const KeyedInput& made, const std::vector<uint32_t>& rows,
                              KeyedRecords* input) {
  const KeyedInput* const before = std::exchange(made_, &made);
  const uint32_t before_row = made_row_;
  input->watermark = made.watermark;
  input->count = 1;
  for (const uint32_t row : rows) {
    made_row_ = row;
    // Those of other workers that are due by the same W come in the same step.
    if (made.positions[row] == kBehindRecords) Reach(SaturatingAdd(made.watermark[row], 1));
    input->rows = &row;
    input->position = made.Position(row) - row;
    Take(*input);
  }
  made_ = before;
  made_row_ = before_row;
}

void PipelineWorker::OnFaults(const KeyedInput& input, const std::vector<RowError>& errors) {
  for (const RowError& e : errors) {
    const int64_t watermark = plan_->window.per_key.Held(input.watermark[e.row]);
    const ResultOrder order{watermark, 1, input.Position(e.row)};
    if (input.made()) {
      OnFault({order, input.keys->Key(e.row), input.keys->hashes[e.row], input.batch->event_time[e.row],
               e.code, e.detail});
      continue;
    }
    // Its place among results at fault must not come in a later step.
    if (plan_->faults_in_order()) Reach(watermark);
    failed_.push_back(
        {Status(e.code, e.detail).ToString(), source_->batch.raw[e.row], source_, e.row, order});
  }
}

// Each record is a result, at its own place in the order of results.
void PipelineWorker::EmitRecords(const KeyedRecords& input) {
  for (uint32_t k = 0; k < input.count; ++k) {
    const uint32_t row = input.rows[k];
    const ResultOrder order{input.watermark[row], 1, input.position + row};
    // What time makes other workers put out up to there comes before it.
    if (timed_) Reach(order.time);
    batch_.AddRecord(*input.arguments, row, plan_->key_columns.size(), order, input.keys->Key(row),
                     input.batch->event_time[row]);
    if (batch_.batch.rows >= kFlushRows) FlushResults();
  }
}

// What a time makes of records comes before the windows that end then.
void PipelineWorker::Close(const FirePoint& point) {
  if (keyed_ != nullptr) {
    keyed_->Fire(plan_->selects() ? point : FirePoint{point.time, true, ""}, &scratch_, this);
  }
  operator_->Advance(point, this);
  if (keyed_ != nullptr) keyed_->Advance(point.WholeTime());
  FlushResults();
  source_ = nullptr;
}

FirePoint PipelineWorker::NextPoint(int64_t watermark, size_t limit) {
  const FirePoint windows = operator_->NextPoint(watermark, limit);
  if (keyed_ == nullptr) return windows;
  FirePoint made = keyed_->NextPoint(watermark, limit);
  // Between windows that end at one time, no records come.
  if (!plan_->selects()) made = {made.time, true, ""};
  return std::min(windows, made);
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
  if (made_ != nullptr) {
    return OnFault({order, made_->keys->Key(made_row_), made_->keys->hashes[made_row_],
                    made_->batch->event_time[made_row_], ErrorCode::kMadeTooLate,
                    "what 'detect' noticed at this time, as no record came, is late for what is behind it"});
  }
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
