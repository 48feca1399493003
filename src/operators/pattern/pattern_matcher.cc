#include "operators/pattern/pattern_matcher.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/types.h"
#include "base/value_codec.h"

namespace rivulet {

PatternMatcher::PatternMatcher(const PatternPlan* plan, PatternTable* table)
    : plan_(plan), table_(table), values_(plan->accepts.size()) {
  uint32_t columns = 0;
  for (const PatternElement& e : plan_->elements) {
    if (!e.linked) continue;
    for (const LinkedCondition::Input& input : e.linked->inputs) {
      columns = std::max(columns, input.column + 1);
    }
  }
  linked_batch_.Reset(columns, 1);
  linked_batch_.rows = 1;
}

int64_t PatternMatcher::Due(const PatternState& state) {
  int64_t due = kNoTimer;
  for (const PatternRun& run : state.runs) due = std::min(due, run.due);
  return due;
}

// --- where a run can go ---

bool PatternMatcher::CanEndBehind(uint32_t element) const {
  return std::all_of(plan_->elements.begin() + element + 1, plan_->elements.end(),
                     [](const PatternElement& e) { return e.negated ? e.hold_us == 0 : e.optional; });
}

PatternMatcher::Ways PatternMatcher::WaysOf(const PatternRun& run) const {
  const std::vector<PatternElement>& elements = plan_->elements;
  const PatternElement& at = elements[run.at];
  Ways ways;
  uint32_t* const list = ways.elements.data();
  if (at.negated || run.taken >= at.least) {
    ways.accept = CanEndBehind(run.at);
    for (uint32_t i = run.at + 1; i < elements.size(); ++i) {
      const PatternElement& e = elements[i];
      if (e.negated && i >= run.blocked) break;
      if (e.hold_us > 0) {
        ways.pass = i;
        ways.pass_us = run.base_us + e.hold_us;
        break;
      }
      // Where it could end as well, ending is preferred to a reluctant element.
      if (!e.negated && !(ways.accept && e.reluctant)) list[ways.count++] = i;
      if (!e.negated && !e.optional) break;
    }
    // An optional element comes before what is behind it, a reluctant one after.
    for (uint32_t i = ways.count; i-- > 0;) {
      const PatternElement& e = elements[list[i]];
      if (e.optional && e.reluctant) std::rotate(list + i, list + i + 1, list + ways.count);
    }
  }
  if (at.negated || run.taken >= at.most || (ways.accept && at.reluctant)) return ways;
  list[ways.count++] = run.at;
  if (!at.reluctant) std::rotate(list, list + ways.count - 1, list + ways.count);
  return ways;
}

// Whether a record that is yet to come, or time alone, can bring it further.
bool PatternMatcher::CanGoOn(const PatternRun& run, const Ways& ways) const {
  if (ways.pass_us != kNoTimer) return true;
  return std::any_of(ways.elements.begin(), ways.elements.begin() + ways.count, [&](uint32_t e) {
    const PatternElement& element = plan_->elements[e];
    return !(run.skipped && element.next) && now_ - run.base_us <= element.within_us;
  });
}

int64_t PatternMatcher::DueOf(const PatternRun& run, const Ways& ways) const {
  const int64_t whole = SaturatingAdd(run.start_us, plan_->within_us);
  if (ways.pass_us != kNoTimer) return std::min(whole, ways.pass_us);
  int64_t latest = run.base_us;
  for (uint32_t i = 0; i < ways.count; ++i) {
    const PatternElement& e = plan_->elements[ways.elements[i]];
    if (e.next && run.skipped) continue;
    latest = std::max(latest, SaturatingAdd(run.base_us, e.within_us));
  }
  return std::min(whole, latest);
}

// --- the record at hand ---

void PatternMatcher::LoadRecord() {
  if (loaded_) return;
  loaded_ = true;
  std::string_view bytes = record_.values;
  for (Column& column : values_) {
    Value value;
    GetValue(&bytes, &value);
    column.Reset(1);
    column.Set(0, value);
  }
}

bool PatternMatcher::Meets(uint32_t element, const PatternRun& run) {
  if ((record_.met >> element & 1) == 0) return false;
  const PatternElement& e = plan_->elements[element];
  return !e.linked || MeetsLinked(*e.linked, element, run);
}

bool PatternMatcher::MeetsLinked(const LinkedCondition& linked, size_t of, const PatternRun& run) {
  LoadRecord();
  for (const LinkedCondition::Input& input : linked.inputs) {
    Column& column = linked_batch_.columns[input.column];
    column.Reset(1);
    if (input.value >= 0) {
      column.Set(0, values_[static_cast<size_t>(input.value)].Get(0));
      continue;
    }
    const PatternElement& e = plan_->elements[input.capture.element];
    e.captures.Finish(run.bytes() + e.offset, input.capture.output, &column, 0);
  }
  errors_.clear();
  linked.program.Evaluate(linked_batch_, Selection::All(1), &context_, &condition_, &errors_);
  if (!errors_.empty()) {
    Fault(errors_[0].code, "condition of '" + plan_->elements[of].name + "': " + errors_[0].detail);
  }
  return condition_.type(0) == Type::kBool && condition_.Bool(0);
}

bool PatternMatcher::Takes(uint32_t element, const PatternRun& run) {
  const PatternElement& e = plan_->elements[element];
  if (e.next && run.skipped) return false;
  return record_.time - run.base_us <= e.within_us && Meets(element, run);
}

void PatternMatcher::TakeAs(uint32_t element, PatternRun* run) {
  run->taken = run->at == element ? run->taken + 1 : 1;
  run->at = element;
  run->last = number_;
  run->last_us = run->base_us = record_.time;
  run->blocked = kNotBlocked;
  run->skipped = false;
  const PatternElement& e = plan_->elements[element];
  if (e.captures.slots().empty()) return;
  LoadRecord();
  const uint32_t row = 0;
  char* const block = run->bytes() + e.offset;
  const auto column = [&](int32_t argument) -> const Column* {
    return argument < 0 ? nullptr : &values_[e.capture_values[static_cast<size_t>(argument)]];
  };
  for (const AccumulatorSlot& slot : e.captures.slots()) {
    slot.accumulator->Update(
        {column(slot.argument), &record_.time, &row, &block, 1, column(slot.second)}, slot.offset);
  }
}

// --- attempts ---

void PatternMatcher::Begin(PatternState* state, int64_t time, PatternSink* sink) {
  state_ = state;
  now_ = time;
  sink_ = sink;
  done_.clear();
  alive_ = state->runs.size();
  claimed_ = 0;
  sure_before_ = loaded_ = faulty_ = false;
}

void PatternMatcher::End() {
  std::vector<PatternRun>& runs = state_->runs;
  runs.clear();
  if (runs.capacity() > 4 * done_.size() + 64) runs.shrink_to_fit();
  std::move(done_.begin(), done_.end(), std::back_inserter(runs));
}

template <typename StepRun>
void PatternMatcher::ForAttempts(StepRun step) {
  std::vector<PatternRun>& runs = state_->runs;
  for (size_t i = 0; i < runs.size();) {
    const uint64_t first = runs[i].first;
    bool open = first >= claimed_;
    attempt_.clear();
    for (; i < runs.size() && runs[i].first == first; ++i) {
      if (open) {
        open = step(std::move(runs[i]));
      } else {
        Free(&runs[i]);
      }
    }
    EndAttempt();
  }
}

void PatternMatcher::Take(PatternState* state, const PatternRecord& record, PatternSink* sink) {
  Begin(state, record.time, sink);
  record_ = record;
  number_ = state->records++;
  ForAttempts([this](PatternRun run) { return Step(std::move(run)); });
  Start();
  End();
}

void PatternMatcher::Pass(PatternState* state, int64_t time, PatternSink* sink) {
  Begin(state, time, sink);
  ForAttempts([this](PatternRun run) { return Expire(std::move(run)); });
  End();
}

void PatternMatcher::Free(PatternRun* run) {
  if (run->block == nullptr) return;
  table_->Free(run);
  --alive_;
}

bool PatternMatcher::Push(PatternRun run) {
  const Ways ways = WaysOf(run);
  run.sure = run.complete || ways.accept;
  if (!run.complete && !CanGoOn(run, ways)) {
    if (!ways.accept) {
      Free(&run);
      return true;
    }
    run.complete = true;
  }
  run.due = run.complete ? kNoTimer : DueOf(run, ways);
  const bool open = !run.sure;
  attempt_.push_back(std::move(run));
  return open;
}

bool PatternMatcher::Step(PatternRun run) {
  if (run.complete) return Push(std::move(run));
  const Ways ways = WaysOf(run);
  takers_.clear();
  for (uint32_t i = 0; i < ways.count; ++i) {
    if (Takes(ways.elements[i], run)) takers_.push_back(ways.elements[i]);
  }
  return takers_.empty() ? StepOver(std::move(run), ways) : StepTaken(std::move(run), ways);
}

bool PatternMatcher::StepTaken(PatternRun run, const Ways& ways) {
  for (size_t i = 0; i < takers_.size(); ++i) {
    const bool last = i + 1 == takers_.size();
    if (SureWith(run, takers_[i]) || (last && !ways.accept)) {
      TakeAs(takers_[i], &run);
      return Push(std::move(run));
    }
    if (!Room()) break;
    PatternRun copy = table_->CopyRun(run);
    ++alive_;
    TakeAs(takers_[i], &copy);
    Push(std::move(copy));
  }
  // Where it could have ended, that stays possible behind all that takes the record.
  run.complete = ways.accept;
  if (run.complete) return Push(std::move(run));
  Free(&run);
  return true;
}

// Whether the run could end with the record that the element takes.
bool PatternMatcher::SureWith(const PatternRun& run, uint32_t element) const {
  const uint32_t taken = run.at == element ? run.taken + 1 : 1;
  return taken >= plan_->elements[element].least && CanEndBehind(element);
}

bool PatternMatcher::StepOver(PatternRun run, const Ways& ways) {
  const std::vector<PatternElement>& elements = plan_->elements;
  run.skipped = true;
  if (elements[run.at].negated || run.taken >= elements[run.at].least) {
    for (uint32_t i = run.at + 1; i < std::min<size_t>(run.blocked, elements.size()); ++i) {
      if (elements[i].negated && Meets(i, run)) run.blocked = i;
      if (elements[i].hold_us > 0 || (!elements[i].negated && !elements[i].optional)) break;
    }
  }
  run.complete = ways.accept && !CanGoOn(run, WaysOf(run));
  return Push(std::move(run));
}

bool PatternMatcher::Expire(PatternRun run) {
  if (run.due != now_) {
    const bool open = !run.sure;
    attempt_.push_back(std::move(run));
    return open;
  }
  const Ways ways = WaysOf(run);
  if (ways.pass_us == now_) {
    run.at = ways.pass;
    run.taken = 0;
    run.base_us = now_;
    run.blocked = kNotBlocked;
    run.skipped = false;
    // All records of this time have come: if nothing further can, it is over at once.
    run.due = DueOf(run, WaysOf(run));
    return run.due == now_ ? Expire(std::move(run)) : Push(std::move(run));
  }
  if (ways.accept) {
    run.complete = true;
    return Push(std::move(run));
  }
  if (timed_out_.block == nullptr) {
    timed_out_ = std::move(run);
  } else {
    Free(&run);
  }
  return true;
}

void PatternMatcher::Start() {
  if ((record_.met & 1) == 0 || number_ < claimed_ || !Room()) return;
  PatternRun run = table_->NewRun();
  ++alive_;
  run.first = number_;
  run.start_us = run.base_us = record_.time;
  if (!Meets(0, run)) return Free(&run);
  TakeAs(0, &run);
  attempt_.clear();
  Push(std::move(run));
  EndAttempt();
}

void PatternMatcher::EndAttempt() {
  if (attempt_.empty()) {
    if (timed_out_.block != nullptr && plan_->timeouts) sink_->OnMatch(timed_out_, now_, true);
    return Free(&timed_out_);
  }
  Free(&timed_out_);
  const PatternRun& head = attempt_.front();
  if (head.sure && !plan_->to_next) Claim(head);
  if (!head.complete || (sure_before_ && !plan_->to_next)) {
    sure_before_ = sure_before_ || head.sure;
    std::move(attempt_.begin(), attempt_.end(), std::back_inserter(done_));
    return;
  }
  sink_->OnMatch(head, head.base_us, false);
  for (PatternRun& run : attempt_) Free(&run);
}

void PatternMatcher::Claim(const PatternRun& sure) {
  claimed_ = std::max(claimed_, sure.last + 1);
  size_t kept = 0;
  bool keep = true;
  for (size_t i = 0; i < done_.size(); ++i) {
    if (i == 0 || done_[i].first != done_[i - 1].first) keep = done_[i].sure;
    if (!keep) {
      Free(&done_[i]);
      continue;
    }
    if (kept != i) done_[kept] = std::move(done_[i]);
    ++kept;
  }
  done_.erase(done_.begin() + static_cast<std::ptrdiff_t>(kept), done_.end());
}

// --- faults ---

bool PatternMatcher::Room() {
  if (alive_ < kMaxPatternRuns) return true;
  Fault(ErrorCode::kTooManyMatches,
        std::to_string(kMaxPatternRuns) + " are under way for this key; no further one begins or "
        "branches off with this record: a shorter 'within', or narrower conditions, end them sooner");
  return false;
}

void PatternMatcher::Fault(ErrorCode code, std::string detail) {
  if (faulty_) return;
  faulty_ = true;
  sink_->OnFault(record_.time, code, std::move(detail));
}

}  // namespace rivulet
