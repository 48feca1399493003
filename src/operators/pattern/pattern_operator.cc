#include "operators/pattern/pattern_operator.h"

#include <algorithm>
#include <utility>

#include "base/value_codec.h"

namespace rivulet {
namespace {

// The timer of a key of which nothing is left. As one more record of it is likely it stays up to the next
// commit, and its memory with it.
constexpr int64_t kIdle = kNoTimer - 1;

// Where what happens at `time` has its place: all records of that time have come when W is behind it.
int64_t PlaceOf(int64_t time) { return SaturatingAdd(time, 1); }

}  // namespace

PatternOperator::PatternOperator(const PatternPlan* plan, const std::string& prefix,
                                 const StateView* view, KeyShare share, const FirePoint& fired)
    : KeyedOperator(fired),
      plan_(plan),
      table_(plan, prefix, view, share),
      matcher_(plan, &table_),
      columns_(plan->results.size()) {}

// --- records ---

void PatternOperator::Process(const KeyedRecords& input, ResultSink* sink) {
  for (uint32_t k = 0; k < input.count; ++k) AddRecord(input, input.rows[k], sink);
  table_.AddedRecords(input.count);
}

uint64_t PatternOperator::ConditionsMet(const KeyedRecords& input, uint32_t row) const {
  uint64_t met = 0;
  for (size_t i = 0; i < plan_->elements.size(); ++i) {
    const int32_t condition = plan_->elements[i].condition;
    if (condition >= 0) {
      const Column& column = *(*input.arguments)[static_cast<size_t>(condition)];
      if (column.type(row) != Type::kBool || !column.Bool(row)) continue;
    }
    met |= uint64_t{1} << i;
  }
  return met;
}

void PatternOperator::AddRecord(const KeyedRecords& input, uint32_t row, ResultSink* sink) {
  const int64_t watermark = std::max(input.watermark[row], fired_);
  const int64_t time = input.batch->event_time[row];
  const ResultOrder order{watermark, 1, input.position + row};
  if (time < watermark) return sink->OnLate(order, row);
  const uint64_t met = ConditionsMet(input, row);
  if (met == 0 && !plan_->all_matter) return;
  bytes_.clear();
  for (size_t i = 0; i < plan_->accepts.size(); ++i) {
    PutValue(&bytes_, (*input.arguments)[plan_->first_value + i]->Get(row));
  }
  const std::string_view key = input.keys->Key(row);
  const uint64_t hash = input.keys->hashes[row];
  PatternState* state = table_.Find(key, hash, true);
  if (state->waits() >= kMaxPatternWaiting) {
    sink->OnFault({order, key, hash, time, ErrorCode::kTooManyMatches,
                   std::to_string(kMaxPatternWaiting) +
                       " records of this key wait for W; a shorter 'delay' lets them go sooner"});
    return;
  }
  state->Wait(time, met, bytes_);
  table_.MarkDirty(state);
  Schedule(state, watermark);
}

// --- time ---

void PatternOperator::Settle(PatternState* state, int64_t watermark) {
  table_.MarkDirty(state);
  state_ = state;
  while (true) {
    const int64_t due = PatternMatcher::Due(*state);
    const bool record = state->waits() > 0 && state->front().time <= due;
    now_ = record ? state->front().time : due;
    if (now_ >= watermark) return;
    if (!record) {
      matcher_.Pass(state, now_, this);
      continue;
    }
    const WaitingRecord waiting = state->front();
    const std::string_view values(state->bytes.data() + waiting.offset, waiting.length);
    matcher_.Take(state, {waiting.time, waiting.met, values}, this);
    state->PopFront();
  }
}

void PatternOperator::Schedule(PatternState* state, int64_t watermark) {
  int64_t next = PatternMatcher::Due(*state);
  if (state->waits() > 0) next = std::min(next, state->front().time);
  if (next != kNoTimer) {
    table_.SetTimer(state, PlaceOf(next), watermark);
  } else if (watermark < kIdle) {
    table_.SetTimer(state, kIdle, watermark);
  } else {
    table_.Erase(state);
  }
}

FirePoint PatternOperator::NextPoint(int64_t watermark, size_t limit) {
  return table_.NextPoint(partial_, watermark, limit);
}

void PatternOperator::Advance(const FirePoint& point, ResultSink* sink) {
  if (!(partial_ < point)) return;
  sink_ = sink;
  table_.BringDue(partial_, point);
  while (PatternState* state = table_.NextDue(point)) {
    const int64_t watermark = point.TimeOf(state->key);
    Settle(state, watermark);
    Schedule(state, watermark);
  }
  Reach(point);
}

// --- results ---

void PatternOperator::OnMatch(const PatternRun& run, int64_t end_us, bool timed_out) {
  values_.clear();
  if (plan_->timeouts) values_.push_back(Value::Bool(timed_out));
  for (size_t i = 0; i < columns_.size(); ++i) {
    const PatternElement& e = plan_->elements[plan_->results[i].element];
    columns_[i].Reset(1);
    e.captures.Finish(run.bytes() + e.offset, plan_->results[i].output, &columns_[i], 0);
    values_.push_back(columns_[i].Get(0));
  }
  sink_->OnRow({{PlaceOf(now_), 0, 0}, state_->key, state_->hash, run.start_us, end_us, values_.data(),
                values_.size()});
}

void PatternOperator::OnFault(int64_t time_us, ErrorCode code, std::string detail) {
  sink_->OnFault({{PlaceOf(now_), 0, 0}, state_->key, state_->hash, time_us, code, std::move(detail)});
}

}  // namespace rivulet
