#include "operators/keyed/keyed_chain.h"

#include <algorithm>

#include "operators/state/named_rows.h"

namespace rivulet {
namespace {

std::unique_ptr<KeyedStep> NewStep(const KeyedPlanStep& step, uint32_t columns,
                                   const std::string& prefix, const StateView* view,
                                   KeyShare share) {
  KeyedTableOptions options;
  options.prefix = NamedPrefix(prefix, step.signature);
  options.keep_us = step.keep_us;
  if (const auto* dedup = std::get_if<DedupSpec>(&step.what)) {
    return NewDedup(dedup, std::move(options), view, share);
  }
  if (const auto* history = std::get_if<HistorySpec>(&step.what)) {
    return NewHistory(history, std::move(options), view, share);
  }
  if (const auto* detect = std::get_if<DetectSpec>(&step.what)) {
    return NewDetect(detect, columns, std::move(options), view, share);
  }
  return nullptr;
}

void CopyRows(const Column& from, const std::vector<uint32_t>& rows, Column* to) {
  for (const uint32_t row : rows) to->Set(row, from.Get(row));
}

}  // namespace

KeyedChain::KeyedChain(const KeyedPlan* plan, const std::string& prefix, const StateView* view,
                       KeyShare share)
    : plan_(plan), passed_(plan->steps.size()) {
  for (const KeyedPlanStep& step : plan->steps) {
    steps_.push_back(NewStep(step, plan->columns, prefix, view, share));
    if (steps_.back() != nullptr) state_.Add(&steps_.back()->table());
  }
}

KeyedChain::~KeyedChain() = default;

void KeyedChain::Gather(const RecordBatch& source, const std::vector<uint32_t>& rows) {
  batch_.Reset(plan_->columns, source.rows);
  batch_.rows = source.rows;
  for (const uint32_t row : rows) batch_.event_time[row] = source.event_time[row];
  for (const uint32_t column : plan_->gathered) {
    CopyRows(source.columns[column], rows, &batch_.columns[column]);
  }
}

void KeyedChain::Run(const RecordBatch& source, const KeyColumn& keys, const int64_t* watermark,
                     uint64_t position, std::vector<uint32_t>* rows, StepScratch* scratch,
                     KeyedSink* sink) {
  Gather(source, *rows);
  const KeyedInput input{&batch_, &source, &keys, watermark, position, nullptr};
  Flow flow{scratch, sink, {}};
  RunFrom(0, input, rows, &flow);
  if (!flow.errors.empty()) sink->OnFaults(input, flow.errors);
}

void KeyedChain::RunFrom(size_t first, const KeyedInput& input, std::vector<uint32_t>* rows,
                         Flow* flow) {
  for (size_t i = first; i < steps_.size() && !rows->empty(); ++i) {
    if (const auto* chain = std::get_if<StepChain>(&plan_->steps[i].what)) {
      chain->Run(input.batch, rows, flow->scratch, &flow->errors);
      continue;
    }
    steps_[i]->Process(input, rows, flow->scratch, &flow->errors);
    if (steps_[i]->timed() != nullptr) RunTimed(i, input, rows, flow);
  }
  flow->sink->OnRecords(input, rows, &flow->errors);
}

// Whenever the step has made something, what came before goes on first. In `rows` remains what comes behind
// the last of it.
void KeyedChain::RunTimed(size_t index, const KeyedInput& input, std::vector<uint32_t>* rows,
                          Flow* flow) {
  TimedStep* const step = steps_[index]->timed();
  std::vector<uint32_t>& passed = passed_[index];
  passed.clear();
  for (size_t next = 0; !step->Resume(input, *rows, &next, &passed); passed.clear()) {
    if (!passed.empty()) RunFrom(index + 1, input, &passed, flow);
    RunMade(index, flow->scratch, flow->sink);
  }
  rows->swap(passed);
}

void KeyedChain::RunMade(size_t index, StepScratch* scratch, KeyedSink* sink) {
  MadeRecords& made = steps_[index]->timed()->made();
  const KeyedInput input{&made.batch,           &made.batch, &made.keys, made.watermark.data(), 0,
                         made.position.data()};
  Flow flow{scratch, sink, {}};
  passed_[index].assign(made.rows.begin(), made.rows.end());
  RunFrom(index + 1, input, &passed_[index], &flow);
  if (!flow.errors.empty()) sink->OnFaults(input, flow.errors);
}

// What an earlier step makes comes first to those behind it, which do in front of each record what is due by
// then: in the end all is done in order.
void KeyedChain::Fire(const FirePoint& point, StepScratch* scratch, KeyedSink* sink) {
  for (size_t i = 0; i < steps_.size(); ++i) {
    TimedStep* const step = steps_[i] == nullptr ? nullptr : steps_[i]->timed();
    while (step != nullptr && step->Fire(point)) RunMade(i, scratch, sink);
  }
}

bool KeyedChain::timed() const {
  return std::any_of(plan_->steps.begin(), plan_->steps.end(), [](const KeyedPlanStep& step) {
    const auto* detect = std::get_if<DetectSpec>(&step.what);
    return detect != nullptr && detect->by_time && !detect->all;
  });
}

FirePoint KeyedChain::NextPoint(int64_t watermark, size_t limit) const {
  FirePoint point{watermark, true, ""};
  for (const auto& step : steps_) {
    if (step == nullptr || step->timed() == nullptr) continue;
    point = std::min(point, step->table().LimitWakes(watermark, std::max<size_t>(1, limit)));
  }
  return point;
}

void KeyedChain::Advance(int64_t watermark) {
  for (const auto& step : steps_) {
    if (step != nullptr) step->table().Advance(watermark);
  }
}

uint64_t KeyedChain::duplicates() const {
  uint64_t sum = 0;
  for (const auto& step : steps_) sum += step == nullptr ? 0 : step->duplicates();
  return sum;
}

Status KeyedChain::DropForeign(const KeyedPlan& plan, const std::string& prefix,
                               const StateView& view, StateChanges* changes) {
  std::vector<std::string> known;
  for (const KeyedPlanStep& step : plan.steps) {
    if (!std::holds_alternative<StepChain>(step.what)) known.push_back(NamedPrefix(prefix, step.signature));
  }
  return DropUnknown(prefix, known, view, changes);
}

}  // namespace rivulet
