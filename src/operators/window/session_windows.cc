#include "operators/window/session_windows.h"

#include <algorithm>

#include "base/types.h"

namespace rivulet {

SessionWindows::SessionWindows(const WindowSpec& spec, const AggregatePlan* plan,
                               const PaneLayouts* layouts, std::string prefix,
                               const StateView* view, KeyShare share, const FirePoint& fired)
    : WindowOperator(spec, plan, fired), rows_(plan, layouts, prefix, view, share) {}

void SessionWindows::Process(const KeyedRecords& input, ResultSink* sink) {
  ForEachRow(input, [&](uint32_t row, bool joins) { AddRecord(input, row, joins, sink); });
  accumulator_.Flush(input);
  rows_.AddedRecords(input.count);
}

void SessionWindows::AddRecord(const KeyedRecords& input, uint32_t row, bool joins,
                               ResultSink* sink) {
  const ResultOrder order{std::max(input.watermark[row], fired_), 1, input.position + row};
  KeyWindows* key = rows_.Find(input.keys->Key(row), input.keys->hashes[row], true);
  if (joins) JoinSession(input, row, order, key, sink);
  if (spec_.per_key.on) MoveClock(input, row, order, key, sink);
  Schedule(key, order.time);
}

void SessionWindows::Schedule(KeyWindows* key, int64_t watermark) {
  if (key->parts.empty() && key->clock <= watermark) {
    key->clock = kNoClock;
    rows_.Erase(key);
    return;
  }
  int64_t deadline = key->parts.empty() ? key->clock : kNoTimer;
  for (const WindowPart& s : key->parts) {
    deadline = std::min(deadline, s.closed ? SaturatingAdd(s.end, spec_.lateness_us) : s.end);
  }
  rows_.SetTimer(key, deadline, fired_);
}

void SessionWindows::JoinSession(const KeyedRecords& input, uint32_t row, const ResultOrder& order,
                                 KeyWindows* key, ResultSink* sink) {
  const int64_t t = input.batch->event_time[row];
  const int64_t watermark = std::max(order.time, key->clock);
  const auto& parts = key->parts;
  const bool grows = parts.size() == 1 && t >= parts[0].start && t <= parts[0].end &&
                     parts[0].end > watermark;
  if (!grows) {
    // Blocks may be merged or emitted below: what was gathered for them must be in first.
    accumulator_.Flush(input);
    Settle(key, order.time, nullptr, sink);
  }
  WindowPart* session = Join(key, t);
  if (session == nullptr) {  // alone: would it be late?
    if (SaturatingAdd(t, SaturatingAdd(spec_.size_us, spec_.lateness_us)) <= watermark) {
      sink->OnLate(order, row);
      return;
    }
    const auto place = std::find_if(parts.begin(), parts.end(),
                                    [t](const WindowPart& s) { return s.start > t; });
    session = rows_.Insert(key, static_cast<size_t>(place - parts.begin()), t, t + spec_.size_us);
  }
  accumulator_.Add(row, session->bytes());
  rows_.MarkDirty(key);
  session->closed = false;
  if (session->end <= watermark) {  // closed, but within lateness: out at once
    accumulator_.Flush(input);
    sink->OnResult(order, key->key, key->hash, session->start, session->end, session->revision,
                   session->bytes());
    session->closed = true;
    ++session->revision;
  }
}

void SessionWindows::MoveClock(const KeyedRecords& input, uint32_t row, const ResultOrder& order,
                               KeyWindows* key, ResultSink* sink) {
  const int64_t moved = input.batch->event_time[row] - spec_.per_key.delay_us;
  if (moved <= key->clock || moved <= order.time) return;
  const auto closes = [&](const WindowPart& s) {
    return (s.closed ? SaturatingAdd(s.end, spec_.lateness_us) : s.end) <= moved;
  };
  if (std::any_of(key->parts.begin(), key->parts.end(), closes)) {
    accumulator_.Flush(input);
    Settle(key, order.time, nullptr, sink);  // what W has closed by now comes first
    key->clock = moved;
    Settle(key, moved, &order, sink);
  }
  key->clock = moved;
  rows_.MarkDirty(key);
}

WindowPart* SessionWindows::Join(KeyWindows* key, int64_t t) {
  auto& parts = key->parts;
  const int64_t end = t + spec_.size_us;
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
  }
  rows_.Remove(key, first + 1, last - first - 1);
  return &parts[first];
}

void SessionWindows::Settle(KeyWindows* key, int64_t watermark, const ResultOrder* caused,
                            ResultSink* sink) {
  auto& parts = key->parts;
  const int64_t effective = std::max(watermark, key->clock);
  for (size_t i = 0; i < parts.size();) {
    WindowPart& s = parts[i];
    if (!s.closed && s.end <= watermark) {
      sink->OnResult(caused == nullptr ? ResultOrder{s.end, 0, 0} : *caused, key->key, key->hash,
                     s.start, s.end, s.revision, s.bytes());
      s.closed = true;
      ++s.revision;
      rows_.MarkDirty(key);
    }
    if (SaturatingAdd(s.end, spec_.lateness_us) <= effective) {
      rows_.Remove(key, i);
      rows_.MarkDirty(key);
    } else {
      ++i;
    }
  }
}

FirePoint SessionWindows::NextPoint(int64_t watermark, size_t limit) {
  return rows_.NextPoint(partial_, watermark, limit);
}

void SessionWindows::Advance(const FirePoint& point, ResultSink* sink) {
  if (!(partial_ < point)) return;
  rows_.BringDue(partial_, point);
  partial_ = point;
  while (KeyWindows* key = rows_.NextDue(point)) {
    fired_ = point.TimeOf(key->key);  // for this key
    Settle(key, fired_, nullptr, sink);
    Schedule(key, fired_);
  }
  fired_ = point.WholeTime();
}

}  // namespace rivulet
