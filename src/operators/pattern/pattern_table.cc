#include "operators/pattern/pattern_table.h"

#include <algorithm>

#include "base/coding.h"
#include "base/value_codec.h"

namespace rivulet {
namespace {

constexpr uint8_t kVersion = 1;
constexpr uint8_t kSkipped = 1, kSure = 2, kComplete = 4;
constexpr size_t kSpareBlocks = 4096;
constexpr size_t kUsualWaiting = 1024;
constexpr int64_t kFarthest = int64_t{1} << 62;

bool Sane(int64_t time) { return time > -kFarthest && time < kFarthest; }

const PatternState& StateOf(const KeyState& state) { return static_cast<const PatternState&>(state); }

}  // namespace

// --- records ---

void PatternState::Wait(int64_t time, uint64_t met, std::string_view values) {
  const WaitingRecord record{time, met, static_cast<uint32_t>(bytes.size()),
                             static_cast<uint32_t>(values.size())};
  bytes.append(values);
  const auto begin = waiting.begin() + static_cast<std::ptrdiff_t>(head);
  const auto place = std::upper_bound(begin, waiting.end(), time,
                                      [](int64_t t, const WaitingRecord& r) { return t < r.time; });
  waiting.insert(place, record);
}

void PatternState::PopFront() {
  if (++head == waiting.size()) {
    waiting.clear();
    bytes.clear();
    // What a backlog took is given back.
    if (waiting.capacity() > kUsualWaiting) waiting.shrink_to_fit();
    if (bytes.capacity() > kUsualWaiting * 64) bytes.shrink_to_fit();
    head = 0;
    return;
  }
  if (head < 64 || head * 2 < waiting.size()) return;
  std::string kept;
  kept.reserve(bytes.capacity());
  waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(head));
  for (WaitingRecord& r : waiting) {
    const size_t offset = kept.size();
    kept.append(bytes, r.offset, r.length);
    r.offset = static_cast<uint32_t>(offset);
  }
  bytes = std::move(kept);
  head = 0;
}

// --- runs ---

std::unique_ptr<int64_t[]> PatternTable::TakeBlock() {
  ++runs_;
  if (spare_.empty()) return std::make_unique<int64_t[]>(plan_->block_bytes / 8 + 1);
  std::unique_ptr<int64_t[]> block = std::move(spare_.back());
  spare_.pop_back();
  return block;
}

PatternRun PatternTable::NewRun() {
  PatternRun run;
  run.block = TakeBlock();
  plan_->Init(run.bytes());
  return run;
}

PatternRun PatternTable::CopyRun(const PatternRun& of) {
  PatternRun run;
  run.first = of.first, run.last = of.last;
  run.start_us = of.start_us, run.last_us = of.last_us, run.base_us = of.base_us;
  run.at = of.at, run.taken = of.taken, run.blocked = of.blocked;
  run.skipped = of.skipped, run.sure = of.sure, run.complete = of.complete, run.due = of.due;
  run.block = TakeBlock();
  plan_->Copy(run.bytes(), of.bytes());
  return run;
}

void PatternTable::Free(PatternRun* run) {
  if (run->block == nullptr) return;
  plan_->Destroy(run->bytes());
  if (spare_.size() < kSpareBlocks) spare_.push_back(std::move(run->block));
  run->block.reset();
  --runs_;
}

// --- memory ---

bool PatternTable::Empty(const KeyState& state) const {
  return StateOf(state).runs.empty() && StateOf(state).waits() == 0;
}

size_t PatternTable::Measure(const KeyState& state) const {
  const PatternState& s = StateOf(state);
  size_t bytes = sizeof(PatternState) - sizeof(KeyState) + s.bytes.capacity() +
                 s.waiting.capacity() * sizeof(WaitingRecord) +
                 s.runs.capacity() * sizeof(PatternRun);
  for (const PatternRun& run : s.runs) bytes += plan_->HeapBytes(run.bytes());
  return bytes;
}

size_t PatternTable::OtherBytes() const {
  return (runs_ + spare_.size()) * (plan_->block_bytes + 24);
}

void PatternTable::Release(KeyState* state) {
  for (PatternRun& run : static_cast<PatternState*>(state)->runs) Free(&run);
  static_cast<PatternState*>(state)->runs.clear();
}

// --- rows ---

// Of a run: first, last, their times and the base | element, records of it, block | flags | accumulators
void PatternTable::Encode(const KeyState& state, std::string* out) {
  const PatternState& s = StateOf(state);
  out->push_back(static_cast<char>(kVersion));
  PutVarint(out, s.records);
  PutVarint(out, s.waits());
  for (size_t i = s.head; i < s.waiting.size(); ++i) {
    const WaitingRecord& r = s.waiting[i];
    PutFixed(out, r.time);
    PutVarint(out, r.met);
    PutBytes(out, std::string_view(s.bytes).substr(r.offset, r.length));
  }
  PutVarint(out, s.runs.size());
  for (const PatternRun& run : s.runs) {
    PutVarint(out, run.first);
    PutVarint(out, run.last);
    for (const int64_t time : {run.start_us, run.last_us, run.base_us, run.due}) PutFixed(out, time);
    for (const uint32_t n : {run.at, run.taken, run.blocked}) PutFixed(out, n);
    out->push_back(static_cast<char>((run.skipped ? kSkipped : 0) | (run.sure ? kSure : 0) |
                                     (run.complete ? kComplete : 0)));
    plan_->Encode(run.bytes(), out);
  }
}

bool PatternTable::DecodeWaiting(std::string_view* row, PatternState* state) const {
  int64_t time = 0;
  uint64_t met = 0;
  std::string_view values;
  if (!GetFixed(row, &time) || !GetVarint(row, &met) || !GetBytes(row, &values)) return false;
  if (!Sane(time) || (met >> plan_->elements.size()) != 0) return false;
  if (state->waits() > 0 && time < state->waiting.back().time) return false;
  if (state->bytes.size() + values.size() > std::numeric_limits<uint32_t>::max()) return false;
  state->Wait(time, met, values);
  for (const TypeMask accepts : plan_->accepts) {
    Value value;
    if (!GetValue(&values, &value) || (MaskOf(value.type) & accepts) == 0) return false;
  }
  return values.empty();
}

bool PatternTable::Plausible(const PatternRun& run, const PatternState& state) const {
  const size_t count = plan_->elements.size();
  if (run.first > run.last || run.last >= state.records || run.at >= count) return false;
  if (!state.runs.empty() && run.first < state.runs.back().first) return false;
  if (!Sane(run.start_us) || !Sane(run.base_us) || run.start_us > run.last_us ||
      run.last_us > run.base_us) {
    return false;
  }
  if (run.complete ? run.due != kNoTimer : !Sane(run.due) || run.due < run.base_us) return false;
  if (run.blocked != kNotBlocked && (run.blocked >= count || run.blocked <= run.at)) return false;
  const PatternElement& at = plan_->elements[run.at];
  if (at.negated) return at.hold_us > 0 && run.taken == 0;
  return run.taken >= 1 && run.taken <= at.most;
}

bool PatternTable::DecodeRun(std::string_view* row, PatternState* state) {
  PatternRun run;
  uint8_t flags = 0;
  if (!GetVarint(row, &run.first) || !GetVarint(row, &run.last)) return false;
  for (int64_t* time : {&run.start_us, &run.last_us, &run.base_us, &run.due}) {
    if (!GetFixed(row, time)) return false;
  }
  for (uint32_t* n : {&run.at, &run.taken, &run.blocked}) {
    if (!GetFixed(row, n)) return false;
  }
  if (!GetFixed(row, &flags) || flags > (kSkipped | kSure | kComplete)) return false;
  run.skipped = (flags & kSkipped) != 0;
  run.sure = (flags & kSure) != 0;
  run.complete = (flags & kComplete) != 0;
  if (!Plausible(run, *state)) return false;
  run.block = std::make_unique<int64_t[]>(plan_->block_bytes / 8 + 1);
  if (!plan_->Decode(row, run.bytes())) return false;
  ++runs_;
  state->runs.push_back(std::move(run));
  return true;
}

Status PatternTable::Decode(std::string_view row, KeyState* base) {
  const Status corrupt(ErrorCode::kCorrupt, "the stored runs of a pattern cannot be read");
  auto* state = static_cast<PatternState*>(base);
  uint8_t version = 0;
  uint64_t waiting = 0, runs = 0;
  if (!GetFixed(&row, &version) || version != kVersion || !GetVarint(&row, &state->records) ||
      !GetVarint(&row, &waiting) || waiting > kMaxPatternWaiting) {
    return corrupt;
  }
  for (uint64_t i = 0; i < waiting; ++i) {
    if (!DecodeWaiting(&row, state)) return corrupt;
  }
  if (!GetVarint(&row, &runs) || runs > kMaxPatternRuns) return corrupt;
  for (uint64_t i = 0; i < runs; ++i) {
    if (!DecodeRun(&row, state)) return corrupt;
  }
  return row.empty() ? Status::Ok() : corrupt;
}

}  // namespace rivulet
