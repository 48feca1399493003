#include "operators/window/filled_windows.h"

#include <algorithm>
#include <limits>

#include "base/coding.h"
#include "base/hash.h"
#include "base/types.h"
#include "base/value_codec.h"

namespace rivulet {
namespace {

// No event time is as late: the end of input as a time that a row can hold.
constexpr int64_t kFarthest = int64_t{1} << 62;

int64_t AlignDown(int64_t t, int64_t step, int64_t offset) { return t - FloorMod(t - offset, step); }

Value ZeroOf(expr::StaticType type) {
  if ((type & MaskOf(Type::kInt)) != 0) return Value::Int(0);
  return (type & MaskOf(Type::kFloat)) != 0 ? Value::Float(0) : Value::Null();
}

}  // namespace

FilledWindows::FilledWindows(const WindowSpec& spec, const AggregatePlan* plan,
                             const PaneLayouts* layouts, const std::string& prefix,
                             const StateView* view, KeyShare share, const FirePoint& fired)
    : WindowOperator(spec, plan, fired),
      rows_(plan, layouts, prefix, view, share),
      end_row_(prefix + "e"),
      view_(view),
      scratch_(plan->block_bytes() / 8 + 1) {
  for (size_t i = 0; i < plan->slots().size(); ++i) {
    const AccumulatorSlot& slot = plan->slots()[i];
    if (slot.kind != AccumulatorKind::kCurve) continue;
    curves_.push_back(i);
    curve_ids_.push_back(Hash64(slot.signature));
  }
  for (size_t i = 0; i < plan->outputs(); ++i) {
    output_ids_.push_back(Hash64(plan->output_name(i)));
    zeros_.push_back(ZeroOf(plan->output_type(i)));
  }
  plan_->Init(block());
}

FilledWindows::~FilledWindows() { plan_->Destroy(block()); }

Status FilledWindows::Open() {
  std::string value;
  RIVULET_ASSIGN_OR_RETURN(end_stored_, view_->Get(end_row_, &value));
  std::string_view in = value;
  if (end_stored_ && (!GetFixed(&in, &ended_at_) || !in.empty())) {
    return Status(ErrorCode::kCorrupt, "the stored end of the input cannot be read");
  }
  ending_ = end_stored_;
  return rows_.Open();
}

void FilledWindows::CollectChanges(StateChanges* changes) {
  rows_.CollectChanges(changes);
  const bool wanted = ending_ && fired_ != std::numeric_limits<int64_t>::max();
  if (wanted == end_stored_) return;
  end_stored_ = wanted;
  if (!wanted) return changes->Delete(end_row_);
  std::string value;
  PutFixed(&value, ended_at_);
  changes->Put(end_row_, value);
}

// --- what was before a window ---

FilledWindows::Span FilledWindows::WindowOf(int64_t t) const {
  const int64_t start = AlignDown(t, spec_.size_us, spec_.offset_us);
  return {start, start + spec_.size_us};
}

size_t FilledWindows::PlaceOf(const KeyWindows& key, int64_t start) {
  const auto at = std::lower_bound(key.parts.begin(), key.parts.end(), start,
                                   [](const WindowPart& p, int64_t s) { return p.start < s; });
  return static_cast<size_t>(at - key.parts.begin());
}

WindowPart* FilledWindows::FindPart(KeyWindows* key, int64_t start) {
  const size_t place = PlaceOf(*key, start);
  return place < key->parts.size() && key->parts[place].start == start ? &key->parts[place] : nullptr;
}

WindowPart* FilledWindows::MakePart(KeyWindows* key, int64_t start, uint32_t revision) {
  WindowPart* part = FindPart(key, start);
  if (part != nullptr) return part;
  part = rows_.Insert(key, PlaceOf(*key, start), start, start + spec_.size_us);
  part->revision = revision;
  return part;
}

// The last part before `start` in which there are records; null: there is none.
const WindowPart* FilledWindows::Source(const KeyWindows& key, int64_t start) {
  for (size_t i = PlaceOf(key, start); i-- > 0;) {
    if (key.parts[i].records > 0) return &key.parts[i];
  }
  return nullptr;
}

int64_t FilledWindows::LastTime(const KeyWindows& key, int64_t start) {
  const WindowPart* part = Source(key, start);
  return part != nullptr ? part->last : key.memory->last_time;
}

FilledWindows::Reading FilledWindows::LastOf(const WindowPart& part, size_t curve) const {
  CurvePoint last{};
  const char* state = part.bytes() + plan_->slots()[curves_[curve]].offset;
  return LastReading(state, &last.time, &last.value) ? Reading(last) : std::nullopt;
}

FilledWindows::Past FilledWindows::Before(const KeyWindows& key, int64_t start) const {
  Past past{LastTime(key, start), std::vector<Reading>(curves_.size())};
  for (size_t c = 0; c < curves_.size(); ++c) {
    for (size_t i = PlaceOf(key, start); i-- > 0 && !past.readings[c];) {
      past.readings[c] = LastOf(key.parts[i], c);
    }
    if (past.readings[c]) continue;
    for (const KeptReading& r : key.memory->readings) {
      if (r.curve == curve_ids_[c]) past.readings[c] = CurvePoint{r.time, r.value};
    }
  }
  return past;
}

bool FilledWindows::Known(int64_t last_time, const Span& window) const {
  return last_time != kNoClock && window.start > last_time &&
         window.start - last_time <= spec_.keep_us && !(ending_ && window.end > ended_at_);
}

int64_t FilledWindows::NextEnd(const KeyWindows& key, int64_t after) const {
  int64_t next = kNoTimer;
  for (size_t i = PlaceOf(key, SaturatingSub(after, spec_.size_us - 1)); i < key.parts.size(); ++i) {
    if (key.parts[i].records == 0) continue;
    next = key.parts[i].end;
    break;
  }
  if (after == kNoClock) return next;
  // The window behind `after`: when it is not known, none is before the next records.
  const Span window = WindowOf(after);
  if (window.end >= next) return next;
  return Known(LastTime(key, window.start), window) ? window.end : next;
}

// --- results ---

const char* FilledWindows::Complete(const KeyWindows& key, const Span& window,
                                    const WindowPart* part) {
  if (part != nullptr && (spec_.carry_us == 0 || curves_.empty())) return part->bytes();
  plan_->Destroy(block());
  plan_->Init(block());
  const Past past = Before(key, window.start);
  for (size_t c = 0; c < curves_.size(); ++c) {
    if (Carried(past.readings[c], window.start)) Put(c, {window.start, past.readings[c]->value});
  }
  if (part != nullptr) plan_->Merge(block(), part->bytes());
  for (size_t c = 0; c < curves_.size(); ++c) {
    Reading last = part != nullptr ? LastOf(*part, c) : std::nullopt;
    if (!last) last = past.readings[c];
    if (Carried(last, window.end)) Put(c, {window.end, last->value});
  }
  return block();
}

void FilledWindows::Put(size_t curve, CurvePoint point) {
  const AccumulatorSlot& slot = plan_->slots()[curves_[curve]];
  AddReading(*slot.accumulator, block() + slot.offset, point.time, point.value);
}

void FilledWindows::TakeValues(const char* from, std::vector<KeptOutput>* values) {
  values->resize(plan_->outputs());
  for (size_t i = 0; i < plan_->outputs(); ++i) {
    column_.Reset(1);
    plan_->Finish(from, i, &column_, 0);
    KeptOutput& value = (*values)[i];
    value.output = output_ids_[i];
    value.bytes.clear();
    PutValue(&value.bytes, column_.Get(0), IntForm::kVarint);
  }
}

const Value* FilledWindows::Fallback(const KeyWindows& key, int64_t start) {
  if (spec_.fill == WindowSpec::Fill::kZero) return zeros_.data();
  if (spec_.fill != WindowSpec::Fill::kLast) return nullptr;
  const std::vector<KeptOutput>* values = &key.memory->values;
  if (const WindowPart* source = Source(key, start)) {
    TakeValues(Complete(key, {source->start, source->end}, source), &kept_);
    values = &kept_;
  }
  fallback_.assign(plan_->outputs(), Value::Null());
  for (const KeptOutput& kept : *values) {
    const auto output = std::find(output_ids_.begin(), output_ids_.end(), kept.output);
    std::string_view bytes = kept.bytes;
    if (output == output_ids_.end()) continue;
    GetValue(&bytes, &fallback_[static_cast<size_t>(output - output_ids_.begin())], IntForm::kVarint);
  }
  return fallback_.data();
}

void FilledWindows::Emit(const KeyWindows& key, const Span& window, const WindowPart* part,
                         uint32_t revision, const ResultOrder& order, ResultSink* sink) {
  const bool empty = part == nullptr || part->records == 0;
  const Value* fallback = empty ? Fallback(key, window.start) : nullptr;
  sink->OnWindow({order, key.key, key.hash, window.start, window.end, window.start, revision, false,
                  Complete(key, window, part), fallback});
}

// --- records ---

void FilledWindows::Process(const KeyedRecords& input, ResultSink* sink) {
  ForEachRow(input, [&](uint32_t row, bool joins) { AddRecord(input, row, joins, sink); });
  accumulator_.Flush(input);
  rows_.AddedRecords(input.count);
}

void FilledWindows::AddRecord(const KeyedRecords& input, uint32_t row, bool joins, ResultSink* sink) {
  const ResultOrder order{std::max(input.watermark[row], fired_), 1, input.position + row};
  KeyWindows* key = rows_.Find(input.keys->Key(row), input.keys->hashes[row], true);
  if (rows_.TimerOf(*key) <= order.time) {
    accumulator_.Flush(input);
    Settle(key, order.time, nullptr, sink);
  }
  if (key->memory == nullptr) key->memory = std::make_unique<KeyMemory>();
  if (joins) Join(input, row, order, key, sink);
  if (spec_.per_key.on) MoveClock(input, row, order, key, sink);
  Schedule(key, order.time);
}

void FilledWindows::Join(const KeyedRecords& input, uint32_t row, const ResultOrder& order,
                         KeyWindows* key, ResultSink* sink) {
  const int64_t t = input.batch->event_time[row];
  const int64_t watermark = std::max(order.time, key->clock);
  const Span window = WindowOf(t);
  if (SaturatingAdd(window.end, spec_.lateness_us) <= watermark) {
    sink->OnLate(order, row);
    return;
  }
  const bool closed = window.end <= watermark;
  Past before;
  uint32_t revision = 0;
  if (closed) {
    accumulator_.Flush(input);
    key->memory->settled = std::max(key->memory->settled, watermark);
    before = Before(*key, window.end);
    // Of a window that had a result without records.
    revision = Known(LastTime(*key, window.start), window) ? 1 : 0;
  }
  WindowPart* part = MakePart(key, window.start, revision);
  part->last = std::max(part->last, t);
  ++part->records;
  accumulator_.Add(row, part->bytes());
  rows_.MarkDirty(key);
  if (!closed) return;
  accumulator_.Flush(input);
  Emit(*key, window, part, part->revision++, order, sink);
  ReviseLater({before, Before(*key, window.end), window.end}, watermark, order, key, sink);
}

void FilledWindows::ReviseLater(const Change& change, int64_t watermark, const ResultOrder& order,
                                KeyWindows* key, ResultSink* sink) {
  // What later windows still see of the change: when the key was last heard of, its last readings, the
  // results of the last window with records.
  bool time = change.before.last_time != change.after.last_time;
  bool values = spec_.fill == WindowSpec::Fill::kLast;
  std::vector<bool> readings(curves_.size());
  for (size_t c = 0; c < curves_.size(); ++c) {
    const Reading &a = change.before.readings[c], &b = change.after.readings[c];
    readings[c] = !a || !b || a->time != b->time || a->value != b->value;
  }
  for (int64_t end = NextEnd(*key, change.end); end <= watermark; end = NextEnd(*key, end)) {
    const Span window{end - spec_.size_us, end};
    const WindowPart* found = FindPart(key, window.start);
    const bool empty = found == nullptr || found->records == 0;
    const bool had = !empty || !time || Known(change.before.last_time, window);
    bool changed = !had || (empty && values);
    for (size_t c = 0; c < curves_.size(); ++c) {
      changed = changed || (readings[c] && (Carried(change.before.readings[c], window.start) ||
                                            Carried(change.after.readings[c], window.start)));
    }
    if (changed) {
      WindowPart* part = MakePart(key, window.start, had ? 1 : 0);
      Emit(*key, window, part, part->revision++, order, sink);
    }
    if (!empty) {
      time = false;
      values = values && changed;
      for (size_t c = 0; c < curves_.size(); ++c) {
        readings[c] = readings[c] && !LastOf(*FindPart(key, window.start), c);
      }
    }
    if (!time && !values && std::find(readings.begin(), readings.end(), true) == readings.end()) return;
  }
}

void FilledWindows::MoveClock(const KeyedRecords& input, uint32_t row, const ResultOrder& order,
                              KeyWindows* key, ResultSink* sink) {
  const int64_t moved = input.batch->event_time[row] - spec_.per_key.delay_us;
  if (moved <= key->clock || moved <= order.time) return;
  if (key->memory != nullptr) {
    accumulator_.Flush(input);
    Settle(key, order.time, nullptr, sink);  // what W has closed by now comes first
    key->clock = moved;
    if (key->memory != nullptr) Settle(key, moved, &order, sink);
  }
  key->clock = moved;
  rows_.MarkDirty(key);
}

// --- closing ---

void FilledWindows::Settle(KeyWindows* key, int64_t to, const ResultOrder* caused, ResultSink* sink) {
  rows_.MarkDirty(key);
  if (key->memory == nullptr) return;  // only a clock
  int64_t& settled = key->memory->settled;
  for (int64_t end = NextEnd(*key, settled); end <= to; end = NextEnd(*key, settled)) {
    if (end == kNoTimer) break;
    const Span window{end - spec_.size_us, end};
    WindowPart* part = FindPart(key, window.start);
    const uint32_t revision = part == nullptr ? 0 : part->revision++;
    Emit(*key, window, part, revision, caused == nullptr ? ResultOrder{end, 0, 0} : *caused, sink);
    settled = end;
  }
  settled = std::max(settled, std::min(to, kFarthest));
  Forget(key, std::max(to, key->clock));
}

// Windows that take no more records go into memory; a memory that concerns no window any more goes.
void FilledWindows::Forget(KeyWindows* key, int64_t watermark) {
  KeyMemory* memory = key->memory.get();
  while (!key->parts.empty() &&
         SaturatingAdd(key->parts[0].end, spec_.lateness_us) <= watermark) {
    const WindowPart& part = key->parts[0];
    if (part.records > 0) {
      if (spec_.fill == WindowSpec::Fill::kLast) {
        TakeValues(Complete(*key, {part.start, part.end}, &part), &memory->values);
      }
      memory->last_time = part.last;
      for (size_t c = 0; c < curves_.size(); ++c) Remember(LastOf(part, c), curve_ids_[c], memory);
    }
    rows_.Remove(key, 0);
  }
  if (key->parts.empty() && OverAt(*memory) <= watermark) key->memory.reset();
}

void FilledWindows::Remember(const Reading& reading, uint64_t curve, KeyMemory* memory) {
  if (!reading) return;
  const auto known = std::find_if(memory->readings.begin(), memory->readings.end(),
                                  [curve](const KeptReading& r) { return r.curve == curve; });
  const KeptReading kept{curve, reading->time, reading->value};
  if (known != memory->readings.end()) {
    *known = kept;
  } else {
    memory->readings.push_back(kept);
  }
}

// The W from which on no window that takes records begins near enough behind the last one.
int64_t FilledWindows::OverAt(const KeyMemory& memory) const {
  if (memory.last_time == kNoClock) return kNoClock;
  const int64_t reach = std::max(spec_.carry_us, spec_.keep_us);
  return memory.last_time + reach + spec_.size_us + spec_.lateness_us;
}

void FilledWindows::Schedule(KeyWindows* key, int64_t watermark) {
  const KeyMemory* memory = key->memory.get();
  if (memory != nullptr && key->parts.empty() && memory->last_time == kNoClock) {
    key->memory.reset();  // a record that was late, of a key of which there is nothing
    memory = nullptr;
  }
  if (memory == nullptr && key->clock <= watermark) {
    key->clock = kNoClock;
    rows_.Erase(key);
    return;
  }
  int64_t deadline = key->clock;
  if (memory != nullptr) {
    deadline = NextEnd(*key, memory->settled);
    deadline = std::min(deadline, key->parts.empty() ? OverAt(*memory)
                                                     : SaturatingAdd(key->parts[0].end, spec_.lateness_us));
  }
  rows_.SetTimer(key, deadline, watermark);
}

FirePoint FilledWindows::NextPoint(int64_t watermark, size_t limit) {
  if (watermark == std::numeric_limits<int64_t>::max() && !ending_) {
    ending_ = true;
    ended_at_ = fired_;
  }
  // A key may have many windows up to `watermark`: one each at a time.
  const FirePoint first = rows_.LimitTimers(partial_, watermark, 1);
  if (!first.whole) watermark = std::min(watermark, SaturatingAdd(first.time, spec_.size_us - 1));
  return rows_.NextPoint(partial_, watermark, limit);
}

void FilledWindows::Advance(const FirePoint& point, ResultSink* sink) {
  if (!(partial_ < point)) return;
  rows_.BringDue(partial_, point);
  while (KeyWindows* key = rows_.NextDue(point)) {
    const int64_t to = point.TimeOf(key->key);
    Settle(key, to, nullptr, sink);
    Schedule(key, to);
  }
  Reach(point);
}

}  // namespace rivulet
