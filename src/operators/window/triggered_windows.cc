#include "operators/window/triggered_windows.h"

#include <algorithm>
#include <limits>

#include "base/types.h"

namespace rivulet {
namespace {

// The end of input, and no other W, reaches it.
constexpr int64_t kEndOfInput = std::numeric_limits<int64_t>::max() - 1;

int64_t AlignDown(int64_t t, int64_t step, int64_t offset) { return t - FloorMod(t - offset, step); }

// ms to us; at most `longest`.
int64_t GapOf(const Column& gap, uint32_t row, int64_t longest) {
  if (gap.type(row) == Type::kInt) {
    return gap.Int(row) > longest / 1000 ? longest : std::min(longest, gap.Int(row) * 1000);
  }
  const double us = gap.Float(row) * 1000;
  if (us >= static_cast<double>(longest)) return longest;
  return std::max<int64_t>(1, static_cast<int64_t>(us));
}

}  // namespace

TriggeredWindows::TriggeredWindows(const WindowSpec& spec, const AggregatePlan* plan,
                                   const PaneLayouts* layouts, std::string prefix,
                                   const StateView* view, KeyShare share, const FirePoint& fired)
    : WindowOperator(spec, plan, fired), rows_(plan, layouts, prefix, view, share) {
  if (!spec_.follows_clock()) return;
  Result<WindowCalendar> calendar = WindowCalendar::Of(spec_);
  if (calendar.ok()) {
    calendar_ = *calendar;
  } else {
    rows_.Fail(calendar.status());
  }
}

int64_t TriggeredWindows::EndOf(const WindowPart& part) const {
  return global() ? kEndOfInput : part.end;
}

bool TriggeredWindows::Expired(int64_t end, int64_t watermark) const {
  return !global() && SaturatingAdd(end, spec_.lateness_us) <= watermark;
}

int64_t TriggeredWindows::Identity(const WindowPart& part) const {
  if (global()) return 0;
  return spec_.kind == WindowSpec::Kind::kCumulate ? part.end : part.start;
}

// --- which windows ---

void TriggeredWindows::FindWindows(int64_t t) {
  windows_.clear();
  switch (spec_.kind) {
    case WindowSpec::Kind::kSliding: {
      const int64_t last = AlignDown(t, spec_.slide_us, spec_.offset_us);
      // The earliest is the first aligned start behind t - size.
      int64_t start = AlignDown(t - spec_.size_us, spec_.slide_us, spec_.offset_us) + spec_.slide_us;
      for (; start <= last; start += spec_.slide_us) {
        windows_.emplace_back(start, start + spec_.size_us);
      }
      return;
    }
    case WindowSpec::Kind::kCumulate: {
      const int64_t start = AlignDown(t, spec_.size_us, spec_.offset_us);
      int64_t end = AlignDown(t, spec_.slide_us, start) + spec_.slide_us;
      for (; end <= start + spec_.size_us; end += spec_.slide_us) windows_.emplace_back(start, end);
      return;
    }
    default:
      if (t < last_.first || t >= last_.second) {
        const int64_t start = AlignDown(t, spec_.size_us, spec_.offset_us);
        last_ = calendar_ ? calendar_->WindowOf(t) : Span{start, start + spec_.size_us};
      }
      windows_.push_back(last_);
  }
}

WindowPart* TriggeredWindows::FindPart(KeyWindows* key, const Span& span) {
  auto& parts = key->parts;
  const auto it = std::lower_bound(
      parts.begin(), parts.end(), span,
      [](const WindowPart& p, const Span& s) { return Span(p.start, p.end) < s; });
  if (it != parts.end() && it->start == span.first && it->end == span.second) return &*it;
  return rows_.Insert(key, static_cast<size_t>(it - parts.begin()), span.first, span.second);
}

WindowPart* TriggeredWindows::Join(KeyWindows* key, int64_t t, int64_t end) {
  auto& parts = key->parts;
  size_t first = 0;
  while (first < parts.size() && parts[first].end < t) ++first;
  if (first == parts.size() || parts[first].start > end) return nullptr;
  WindowPart& joined = parts[first];
  joined.start = std::min(joined.start, t);
  joined.end = std::max(joined.end, end);
  size_t last = first + 1;
  for (; last < parts.size() && parts[last].start <= joined.end; ++last) {
    const WindowPart& other = parts[last];
    plan_->Merge(joined.bytes(), other.bytes());
    joined.end = std::max(joined.end, other.end);
    joined.revision = std::max(joined.revision, other.revision);
    joined.due = std::min(joined.due, other.due);
    joined.records += other.records;
    joined.fresh = joined.fresh || other.fresh;
  }
  rows_.Remove(key, first + 1, last - first - 1);
  return &parts[first];
}

// --- records ---

void TriggeredWindows::Process(const KeyedRecords& input, ResultSink* sink) {
  for (uint32_t k = 0; k < input.count; ++k) AddRecord(input, input.rows[k], sink);
  accumulator_.Flush(input);
  rows_.AddedRecords(input.count);
}

void TriggeredWindows::AddRecord(const KeyedRecords& input, uint32_t row, ResultSink* sink) {
  const int64_t watermark = std::max(input.watermark[row], fired_);
  const Arrival arrival{&input, row, input.batch->event_time[row],
                        {watermark, 1, input.position + row}};
  KeyWindows* key = rows_.Find(input.keys->Key(row), input.keys->hashes[row], true);
  if (std::min(rows_.TimerOf(*key), OverAt(*key)) <= watermark) {
    accumulator_.Flush(input);
    Settle(key, watermark, sink);
  }
  if (OverAt(*key) <= arrival.time) Forget(key, arrival, sink);
  bool joined = true;
  if (global()) {
    AddGlobal(key, arrival, sink);
  } else {
    joined = session() ? AddSession(key, arrival, sink) : AddAligned(key, arrival, sink);
  }
  key->Touch(arrival.time, watermark, spec_.keep_us);
  if (!joined) sink->OnLate(arrival.order, row);
  if (key->parts.empty()) {
    rows_.Erase(key);
  } else {
    Schedule(key, watermark);
  }
}

void TriggeredWindows::Forget(KeyWindows* key, const Arrival& arrival, ResultSink* sink) {
  accumulator_.Flush(*arrival.input);
  for (WindowPart& part : key->parts) {
    if (part.due <= OverAt(*key)) Emit(*key, &part, arrival.order, true, sink);
  }
  rows_.Reset(key);
  rows_.MarkDirty(key);
}

bool TriggeredWindows::AddAligned(KeyWindows* key, const Arrival& arrival, ResultSink* sink) {
  FindWindows(arrival.time);
  bool joined = false;
  for (const Span& span : windows_) {
    if (Expired(span.second, arrival.order.time)) continue;
    joined = true;
    AddTo(key, FindPart(key, span), arrival, sink);
  }
  return joined;
}

bool TriggeredWindows::AddSession(KeyWindows* key, const Arrival& arrival, ResultSink* sink) {
  const int64_t gap = spec_.own_gaps
                          ? GapOf(*arrival.input->gap, arrival.row, spec_.size_us)
                          : spec_.size_us;
  const int64_t end = arrival.time + gap;
  // Sessions may be merged: what was gathered for them must be in first.
  if (key->parts.size() > 1) accumulator_.Flush(*arrival.input);
  WindowPart* part = Join(key, arrival.time, end);
  if (part == nullptr) {
    if (Expired(end, arrival.order.time)) return false;
    part = FindPart(key, {arrival.time, end});
  }
  part->closed = part->closed && part->end <= arrival.order.time;
  AddTo(key, part, arrival, sink);
  return true;
}

void TriggeredWindows::AddGlobal(KeyWindows* key, const Arrival& arrival, ResultSink* sink) {
  const bool first = key->parts.empty();
  WindowPart* part = first ? rows_.Insert(key, 0, arrival.time, arrival.time) : &key->parts[0];
  if (spec_.emit.discarding && !part->fresh) part->start = part->end = arrival.time;
  part->start = std::min(part->start, arrival.time);
  part->end = std::max(part->end, arrival.time);
  AddTo(key, part, arrival, sink);
}

void TriggeredWindows::AddTo(KeyWindows* key, WindowPart* part, const Arrival& arrival,
                             ResultSink* sink) {
  const int64_t watermark = arrival.order.time;
  const EmitSpec& emit = spec_.emit;
  accumulator_.Add(arrival.row, part->bytes());
  rows_.MarkDirty(key);
  part->fresh = true;
  ++part->records;
  const bool closed = EndOf(*part) <= watermark;
  const bool full = emit.records > 0 && part->records >= emit.records;
  if (full) part->records = 0;
  if (closed || full || emit.on_change) {
    accumulator_.Flush(*arrival.input);
    Emit(*key, part, arrival.order, !closed, sink);
    part->closed = closed;
    return;
  }
  if (emit.interval_us == 0 || part->due != kNoTimer) return;
  const int64_t behind = std::max(watermark, part->start);
  part->due = SaturatingAdd(AlignDown(behind, emit.interval_us, 0), emit.interval_us);
}

// --- results ---

void TriggeredWindows::Emit(const KeyWindows& key, WindowPart* part, const ResultOrder& order,
                            bool early, ResultSink* sink) {
  sink->OnWindow({order, key.key, key.hash, part->start, part->end, Identity(*part),
                  part->revision, early, part->bytes()});
  ++part->revision;
  part->fresh = false;
  part->due = kNoTimer;
  if (spec_.emit.discarding) rows_.ClearBlock(part);
}

void TriggeredWindows::SettlePart(const KeyWindows& key, WindowPart* part, int64_t watermark,
                                  ResultSink* sink) {
  const int64_t end = EndOf(*part);
  if (part->due <= watermark && part->due < end) {
    Emit(key, part, {part->due, 0, 0}, true, sink);
  }
  if (part->closed || end > watermark) return;
  if (part->fresh || !spec_.emit.discarding) Emit(key, part, {end, 0, 0}, false, sink);
  part->due = kNoTimer;
  part->closed = true;
}

void TriggeredWindows::Settle(KeyWindows* key, int64_t watermark, ResultSink* sink) {
  rows_.MarkDirty(key);
  const int64_t over = OverAt(*key);
  for (WindowPart& part : key->parts) SettlePart(*key, &part, std::min(watermark, over), sink);
  if (over <= watermark && over != kNoTimer) rows_.Reset(key);
  for (size_t i = key->parts.size(); i-- > 0;) {
    if (Expired(EndOf(key->parts[i]), watermark)) rows_.Remove(key, i);
  }
}

void TriggeredWindows::Schedule(KeyWindows* key, int64_t watermark) {
  int64_t deadline = OverAt(*key);
  for (const WindowPart& part : key->parts) {
    const int64_t end = EndOf(part);
    int64_t next = end;
    if (part.closed) next = global() ? kNoTimer : SaturatingAdd(end, spec_.lateness_us);
    deadline = std::min({deadline, next, part.due});
  }
  rows_.SetTimer(key, deadline, watermark);
}

FirePoint TriggeredWindows::NextPoint(int64_t watermark, size_t limit) {
  ending_ = watermark == std::numeric_limits<int64_t>::max();
  return rows_.NextPoint(partial_, watermark, limit);
}

void TriggeredWindows::Advance(const FirePoint& point, ResultSink* sink) {
  if (!(partial_ < point)) return;
  rows_.BringDue(partial_, point);
  while (KeyWindows* key = rows_.NextDue(point)) {
    const int64_t watermark = point.TimeOf(key->key);
    Settle(key, watermark, sink);
    if (key->parts.empty()) {
      rows_.Erase(key);
    } else {
      Schedule(key, watermark);
    }
  }
  Reach(point);
}

}  // namespace rivulet
