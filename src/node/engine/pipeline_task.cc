#include "node/engine/pipeline_task.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "node/engine/heartbeat.h"
#include "node/engine/pipeline_worker.h"
#include "node/engine/rejected_line.h"
#include "operators/join/interval_join.h"
#include "operators/pattern/pattern_operator.h"
#include "operators/select_operator.h"
#include "operators/window/window_operator.h"

namespace rivulet {

namespace {

std::unique_ptr<KeyedOperator> NewOperator(const PipelinePlan& plan, const PaneLayouts* layouts,
                                           const std::string& prefix, const StateView* view,
                                           KeyShare share, const FirePoint& fired) {
  if (plan.selects()) return std::make_unique<SelectOperator>(fired);
  if (plan.matches()) {
    return std::make_unique<PatternOperator>(&plan.pattern, prefix, view, share, fired);
  }
  if (plan.joins()) return std::make_unique<IntervalJoin>(plan.join, prefix, view, share, fired);
  return NewWindowOperator(plan.window, &plan.aggregates, layouts, prefix, view, share, fired);
}

}  // namespace

PipelineTask::PipelineTask(const PipelinePlan* plan, const PaneLayouts* layouts,
                           std::string prefix, const std::string& keyed_prefix,
                           const StateView* view, uint16_t partitions, uint32_t workers,
                           uint32_t slots, const FirePoint& fired)
    : plan_(plan),
      partitions_(partitions),
      encoder_(plan->result_fields),
      state_(StateOwners::Division::kEqually, Beat),
      unquoted_(&plan->unquoted) {
  for (uint32_t i = 0; i < slots; ++i) slots_.push_back(std::make_unique<PreparedSlot>());
  for (uint32_t i = 0; i < workers; ++i) {
    const KeyShare share{partitions, workers, i};
    auto keyed = plan->keyed.empty()
                     ? nullptr
                     : std::make_unique<KeyedChain>(&plan->keyed, keyed_prefix, view, share);
    workers_.push_back(std::make_unique<PipelineWorker>(
        plan, &encoder_, NewOperator(*plan, layouts, prefix, view, share, fired), std::move(keyed),
        share));
    state_.Add(&workers_.back()->state());
  }
}

PipelineTask::~PipelineTask() = default;

void PipelineTask::SetTables(const std::vector<LookupContext::Table>* tables) {
  for (const auto& slot : slots_) slot->scratch.lookup.tables = tables;
  for (const auto& worker : workers_) worker->SetTables(tables);
}

namespace {

// A session's own gap is a number of at least 1; the operator then need not look. Shorter sessions could
// not be told apart by their bounds, which results give in ms.
void CheckGaps(const Column& gap, std::vector<uint32_t>* rows, std::vector<RowError>* errors) {
  const size_t first_error = errors->size();
  for (const uint32_t row : *rows) {
    const Type type = gap.type(row);
    const bool good = (type == Type::kInt && gap.Int(row) >= 1) ||
                      (type == Type::kFloat && gap.Float(row) >= 1);
    if (good) continue;
    const bool number = type == Type::kInt || type == Type::kFloat;
    const std::string name(TypeName(type));
    errors->push_back({row, ErrorCode::kEvaluation,
                       "the gap of its session is " +
                           (number ? "less than 1" : type == Type::kNull ? name : "a " + name) +
                           "; expected a number of milliseconds"});
  }
  RemoveFailedRows(*errors, first_error, rows);
}

void CheckPatternValues(const PipelinePlan& plan, const RecordBatch& batch,
                        std::vector<uint32_t>* rows, std::vector<RowError>* errors) {
  const PatternPlan& pattern = plan.pattern;
  for (size_t i = 0; i < pattern.accepts.size(); ++i) {
    const Column& column = batch.columns[plan.argument_columns[pattern.first_value + i]];
    if ((column.seen() & ~pattern.accepts[i]) == 0) continue;
    const size_t first_error = errors->size();
    for (const uint32_t row : *rows) {
      if ((MaskOf(column.type(row)) & pattern.accepts[i]) != 0) continue;
      errors->push_back({row, ErrorCode::kWrongFieldType,
                         "a value that the pattern takes is a " + std::string(TypeName(column.type(row))) +
                             ", the aggregate over it needs another type"});
    }
    RemoveFailedRows(*errors, first_error, rows);
  }
}

}  // namespace

void CheckArguments(const PipelinePlan& plan, const RecordBatch& batch, std::vector<uint32_t>* rows,
                    std::vector<RowError>* errors) {
  if (plan.matches()) return CheckPatternValues(plan, batch, rows, errors);
  if (!plan.windows()) return;  // any type can be put out
  if (plan.gap_column) CheckGaps(batch.columns[*plan.gap_column], rows, errors);
  for (size_t i = 0; i < plan.argument_columns.size(); ++i) {
    const Column& column = batch.columns[plan.argument_columns[i]];
    const TypeMask accepts = plan.aggregates.argument_accepts(i);
    if (plan.aggregates.argument_identifies(i)) {
      const std::string& text = plan.aggregates.arguments()[i].canonical();
      CheckIdentity(column, "'" + text + "', whose values are told apart,", rows, errors);
    }
    if ((column.seen() & ~accepts) == 0) continue;
    const size_t first_error = errors->size();
    for (const uint32_t row : *rows) {
      if ((MaskOf(column.type(row)) & accepts) != 0) continue;
      const bool condition = (accepts & MaskOf(Type::kBool)) != 0;
      errors->push_back({row, ErrorCode::kWrongFieldType,
                         "'" + plan.aggregates.arguments()[i].canonical() + "' is a " +
                             std::string(TypeName(column.type(row))) +
                             (condition ? ", the condition of an aggregate is true or false"
                                        : ", the aggregate over it needs a number")});
    }
    RemoveFailedRows(*errors, first_error, rows);
  }
}

namespace {

// What a payload of very many records took is given back when it is over.
void GiveBack(size_t records, PreparedSlot* slot) {
  constexpr size_t kKeptRows = 16384;
  if (slot->passed.capacity() <= kKeptRows || records > slot->passed.capacity() / 4) return;
  for (std::vector<uint32_t>* rows_of :
       {&slot->passed, &slot->of_source, &slot->met, &slot->rows, &slot->clock_rows}) {
    std::vector<uint32_t>().swap(*rows_of);
  }
  slot->keys = KeyColumn();
  std::vector<int64_t>().swap(slot->held);
  std::vector<DeadLetter>().swap(slot->dead);
  std::vector<RowError>().swap(slot->errors);
  std::vector<RowError>().swap(slot->key_errors);
}

}  // namespace

void PipelineTask::Prepare(uint32_t index, SourceSlot* source) {
  PreparedSlot& slot = *slots_[index];
  GiveBack(source->rows.size(), &slot);
  RecordBatch& batch = source->batch;
  std::vector<uint32_t>& rows = slot.passed;
  rows = source->rows;
  if (!source->time_only.empty()) {
    std::erase_if(rows, [source](uint32_t row) { return source->IsTimeOnly(row); });
  }
  slot.errors.clear();
  slot.dead.clear();
  SetRecords(*source, &slot.scratch.lookup);
  for (const EventTimeColumn& at : plan_->event_times) {
    at.Fill({rows.data(), static_cast<uint32_t>(rows.size())}, &batch);
  }
  if (plan_->source.several()) PrepareSources(source, &slot);
  plan_->before.Run(&batch, &rows, &slot.scratch, &slot.errors);
  if (plan_->window.per_key.on) PrepareClocks(*source, &slot);
  plan_->between.Run(&batch, &rows, &slot.scratch, &slot.errors);
  if (plan_->keyed.empty()) {
    plan_->arguments.Run(&batch, &rows, &slot.scratch, &slot.errors);
    CheckArguments(*plan_, batch, &rows, &slot.errors);
    if (plan_->gap_column) slot.gap = &batch.columns[*plan_->gap_column];
  }
  if (plan_->window.per_key.on) {
    KeepKeyed(&slot);
  } else {
    EncodeKeys(batch, {rows.data(), static_cast<uint32_t>(rows.size())}, plan_->key_columns,
               plan_->key_names, &slot.keys, &slot.rows, &slot.errors);
  }
  slot.arguments.clear();
  for (const uint32_t column : plan_->argument_columns) {
    slot.arguments.push_back(&batch.columns[column]);
  }
  for (RowError& e : slot.errors) {
    slot.dead.push_back(
        {e.row, e.code, std::move(e.detail), batch.raw[e.row], source->watermark[e.row], 0,
         batch.offset[e.row], batch.element(e.row)});
  }
}

// Each of several sources does with its records what it has to; then fields that some of them set go into
// their common columns.
void PipelineTask::PrepareSources(SourceSlot* source, PreparedSlot* slot) const {
  const SourcePlan& plan = plan_->source;
  RecordBatch& batch = source->batch;
  for (size_t i = 0; i < plan.sources(); ++i) {
    for (const auto& [own, common] : plan.at(i).meeting) batch.columns[common].Reset(batch.rows);
  }
  slot->met.clear();
  for (size_t i = 0; i < plan.sources(); ++i) {
    slot->of_source.clear();
    for (const uint32_t row : slot->passed) {
      if (source->source[row] == i) slot->of_source.push_back(row);
    }
    plan.at(i).steps.Run(&batch, &slot->of_source, &slot->scratch, &slot->errors);
    for (const auto& [own, common] : plan.at(i).meeting) {
      const Column& from = batch.columns[own];
      Column& to = batch.columns[common];
      for (const uint32_t row : slot->of_source) to.Set(row, from.Get(row));
    }
    slot->met.insert(slot->met.end(), slot->of_source.begin(), slot->of_source.end());
  }
  std::sort(slot->met.begin(), slot->met.end());
  slot->passed.swap(slot->met);
}

// What reaches the key moves the clock of its key, whatever the steps behind it and the aggregates make of
// the record.
void PipelineTask::PrepareClocks(const SourceSlot& source, PreparedSlot* slot) {
  const Selection rows{slot->passed.data(), static_cast<uint32_t>(slot->passed.size())};
  slot->key_errors.clear();
  EncodeKeys(source.batch, rows, plan_->key_columns, plan_->key_names, &slot->keys,
             &slot->clock_rows, &slot->key_errors);
  slot->held.resize(source.batch.rows);
  for (const uint32_t row : slot->clock_rows) slot->held[row] = Held(source.watermark[row]);
}

// Of the rows that passed all steps, those that have a key; that the others have none is their fault.
void PipelineTask::KeepKeyed(PreparedSlot* slot) const {
  slot->rows.clear();
  std::set_intersection(slot->passed.begin(), slot->passed.end(), slot->clock_rows.begin(),
                        slot->clock_rows.end(), std::back_inserter(slot->rows));
  for (RowError& e : slot->key_errors) {
    if (!std::binary_search(slot->passed.begin(), slot->passed.end(), e.row)) continue;
    slot->errors.push_back(std::move(e));
  }
}

void PipelineTask::BeginStep(uint32_t worker) { workers_[worker]->BeginTurn(); }

void PipelineTask::Process(uint32_t worker, SourceTask* source, uint64_t begin, uint64_t end) {
  for (uint32_t i = 0; i < source->slots(); ++i) {
    workers_[worker]->Process(source->slot(i), *slots_[i], begin, end);
    Beat();
    if (worker != 0 || !plan_->faults_in_order()) continue;
    // Dead letters have their place among results at fault, so those must not come in a later step.
    for (const std::vector<DeadLetter>* dead : {&source->slot(i).dead, &slots_[i]->dead}) {
      for (const DeadLetter& d : *dead) {
        if (d.offset < end) workers_[0]->Reach(Held(d.watermark));
      }
    }
  }
}

size_t PipelineTask::ResultsSoFar() const {
  size_t results = 0;
  for (const auto& worker : workers_) results += worker->results_so_far();
  return results;
}

void PipelineTask::Close(uint32_t worker, const FirePoint& point) { workers_[worker]->Close(point); }

FirePoint PipelineTask::NextPoint(int64_t watermark, size_t limit) {
  FirePoint least{watermark, true, ""};
  for (const auto& worker : workers_) {
    least = std::min(least, worker->NextPoint(watermark, limit));
  }
  // Where one worker already is, all must get in this step: results come out in order, and a restart takes up
  // all of them at one point.
  for (const auto& worker : workers_) {
    const int64_t at_least = std::max(worker->reached(), worker->closed());
    least = std::max(least, FirePoint{at_least, true, ""});
  }
  return least;
}

bool PipelineTask::DueBy(int64_t watermark) const {
  // What is due then lies before a point behind it.
  const int64_t behind = SaturatingAdd(watermark, 1);
  return std::any_of(workers_.begin(), workers_.end(), [&](const auto& worker) {
    return worker->NextPoint(behind, 0).time <= watermark;
  });
}

namespace {

bool Before(const PipelineResult& a, const PipelineResult& b) {
  return std::tie(a.order.time, a.order.caused, a.order.position, a.key, a.identity_us) <
         std::tie(b.order.time, b.order.caused, b.order.position, b.key, b.identity_us);
}

// What has met a fault: a record before the windows, or what a worker has left.
struct Rejected {
  ResultOrder order;
  const SourceSlot* source;
  const DeadLetter* dead = nullptr;
  const RejectedRecord* failed = nullptr;
};

auto Place(const Rejected& r) { return std::tie(r.order.time, r.order.caused, r.order.position); }

void AddLine(const Rejected& r, RejectedLines* lines) {
  if (r.dead != nullptr) {
    const std::string reason = Status(r.dead->code, r.dead->detail).ToString();
    lines->Add(reason, r.dead->raw, r.source->MessageAt(r.dead->offset), r.dead->element);
  } else if (r.source == nullptr) {
    lines->Add(r.failed->reason, r.failed->result);
  } else {
    const RecordBatch& batch = r.source->batch;
    const uint32_t row = r.failed->row;
    const InputMessage* const message = r.source->MessageAt(batch.offset[row]);
    lines->Add(r.failed->reason, r.failed->record, message, batch.element(row));
  }
}

}  // namespace

void PipelineTask::Collect(SourceTask* source, uint64_t end) {
  results_.clear();
  for (const auto& worker : workers_) {
    results_.insert(results_.end(), worker->results().begin(), worker->results().end());
  }
  if (!std::is_sorted(results_.begin(), results_.end(), Before)) {
    std::stable_sort(results_.begin(), results_.end(), Before);
  }
  CollectLate();
  CollectDead(source, end);
  for (const std::string& dead : dead_) dead_reasons_.Note(dead);
  for (uint32_t i = 0; source != nullptr && i < source->slots(); ++i) {
    const RecordBatch& batch = source->slot(i).batch;
    const auto rows_end = batch.offset.begin() + batch.rows;
    const auto rows = std::lower_bound(batch.offset.begin(), rows_end, end) - batch.offset.begin();
    counters_.records += static_cast<uint64_t>(rows);
    counters_.unquoted += unquoted_.Count(source->slot(i), static_cast<uint32_t>(rows));
  }
  counters_.results += results_.size();
  counters_.duplicates = 0;
  for (const auto& worker : workers_) counters_.duplicates += worker->duplicates();
}

void PipelineTask::CollectLate() {
  late_.clear();
  std::vector<LateRecord> late;
  for (const auto& worker : workers_) {
    late.insert(late.end(), worker->late().begin(), worker->late().end());
  }
  std::sort(late.begin(), late.end(), [](const LateRecord& a, const LateRecord& b) {
    return a.order.position < b.order.position;
  });
  RejectedLines lines(&late_);
  for (const LateRecord& r : late) {
    const RecordBatch& batch = r.source->batch;
    lines.Add("late", batch.raw[r.row], r.source->MessageAt(batch.offset[r.row]), batch.element(r.row));
  }
  lines.Finish();
  counters_.late += lines.count();
}

// Dead letters come in one order too: each at its place between the closings of windows, so that the
// records and the results at fault line up the same however the input was cut into turns.
void PipelineTask::CollectDead(SourceTask* source, uint64_t end) {
  std::vector<Rejected> all;
  for (uint32_t i = 0; source != nullptr && i < source->slots(); ++i) {
    const SourceSlot& in = source->slot(i);
    const std::vector<DeadLetter>* const of_steps = &slots_[i]->dead;
    const size_t first = all.size();
    // Faults of decoding and of time, then of steps; those of one row stay in this order.
    for (const std::vector<DeadLetter>* dead : {&in.dead, of_steps}) {
      for (const DeadLetter& d : *dead) {
        if (d.offset < end) all.push_back({{Held(d.watermark), 1, in.first_position + d.row}, &in, &d});
      }
    }
    std::stable_sort(all.begin() + static_cast<std::ptrdiff_t>(first), all.end(),
                     [](const Rejected& a, const Rejected& b) { return a.dead->row < b.dead->row; });
  }
  const size_t records = all.size();
  for (const auto& worker : workers_) {
    for (const RejectedRecord& r : worker->failed()) all.push_back({r.order, r.source, nullptr, &r});
  }
  if (records < all.size()) {
    // Those of one key and place are one worker's, and in order.
    std::stable_sort(all.begin() + static_cast<std::ptrdiff_t>(records), all.end(),
                     [](const Rejected& a, const Rejected& b) {
                       return Place(a) != Place(b) ? Place(a) < Place(b) : a.failed->key < b.failed->key;
                     });
    std::stable_sort(all.begin(), all.end(),
                     [](const Rejected& a, const Rejected& b) { return Place(a) < Place(b); });
  }
  dead_.clear();
  RejectedLines lines(&dead_);
  for (const Rejected& r : all) AddLine(r, &lines);
  lines.Finish();
  counters_.dead += lines.count();
  counters_.ahead += static_cast<uint64_t>(std::count_if(all.begin(), all.end(), [](const Rejected& r) {
    return r.dead != nullptr && r.dead->code == ErrorCode::kTimeAhead;
  }));
}

}  // namespace rivulet
