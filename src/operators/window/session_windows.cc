#include "operators/window/session_windows.h"

#include <algorithm>
#include <limits>

#include "base/coding.h"
#include "base/hash.h"
#include "base/types.h"

namespace rivulet {
namespace {

constexpr int64_t kNoTimer = std::numeric_limits<int64_t>::max();

std::string TimerRow(const std::string& prefix, int64_t time, std::string_view key) {
  std::string row = prefix;
  PutOrderedI64(&row, time);
  row.append(key);
  return row;
}

}  // namespace

SessionWindows::SessionWindows(const WindowSpec& spec, const AggregatePlan* plan,
                               const PaneLayouts* layouts, std::string prefix,
                               const StateView* view, KeyShare share, const FirePoint& fired)
    : spec_(spec),
      plan_(plan),
      layouts_(layouts),
      key_prefix_(prefix + "k"),
      timer_prefix_(prefix + "t"),
      view_(view),
      share_(share),
      accumulator_(plan),
      fired_(fired.whole ? fired.time : fired.time - 1),
      partial_(fired),
      next_cold_timer_(kNoTimer) {}

SessionWindows::~SessionWindows() {
  // Freed in any order.
  for (auto& [hash, state] : keys_) {
    for (Session& s : state->sessions) FreeSession(&s);
  }
}

SessionWindows::Block SessionWindows::NewBlock() const {
  auto block = std::make_unique<int64_t[]>(plan_->block_bytes() / 8 + 1);
  plan_->Init(reinterpret_cast<char*>(block.get()));
  return block;
}

void SessionWindows::FreeSession(Session* session) const {
  if (session->block != nullptr) plan_->Destroy(session->bytes());
  session->block.reset();
}

void SessionWindows::CountHeap(KeyState* state) {
  if (!plan_->has_heap()) return;
  heap_bytes_ -= state->heap_bytes;
  state->heap_bytes = 0;
  for (const Session& s : state->sessions) state->heap_bytes += plan_->HeapBytes(s.bytes());
  heap_bytes_ += state->heap_bytes;
}

Status SessionWindows::Open() {
  return view_->Scan(timer_prefix_, timer_prefix_ + "\xff",
                     [&](std::string_view row, std::string_view) {
                       row.remove_prefix(timer_prefix_.size());
                       cold_ = GetOrderedI64(&row, &next_cold_timer_);
                       return false;
                     });
}

SessionWindows::KeyState* SessionWindows::FindKey(std::string_view key, uint64_t hash,
                                                  bool create) {
  const auto [begin, end] = keys_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    if (it->second->key == key) return it->second.get();
  }
  auto state = std::make_unique<KeyState>();
  state->key = key;
  state->hash = hash;
  state->timer = state->stored_timer = kNoTimer;
  const bool loaded = cold_ && LoadKey(state.get());
  if (!loaded && !create) return nullptr;
  KeyState* raw = state.get();
  keys_.emplace(hash, std::move(state));
  sessions_in_memory_ += raw->sessions.size();
  if (loaded) {
    CountHeap(raw);
    raw->timer = raw->stored_timer;
    timers_.emplace(std::pair(raw->timer, std::string_view(raw->key)), raw);
  }
  return raw;
}

bool SessionWindows::LoadKey(KeyState* state) {
  std::string row;
  const Result<bool> found = view_->Get(key_prefix_ + state->key, &row);
  Status status = found.status();
  if (found.ok() && *found) status = DecodeKey(row, state);
  if (!status.ok()) {
    if (status_.ok()) status_ = status;
    for (Session& s : state->sessions) FreeSession(&s);
    state->sessions.clear();
  }
  return found.ok() && *found && status.ok();
}

void SessionWindows::EncodeKey(const KeyState& state, std::string* out) const {
  PutFixed(out, state.stored_timer);
  if (spec_.per_key.on) PutFixed(out, state.own);
  PutVarint(out, state.sessions.size());
  std::string pane;
  for (const Session& s : state.sessions) {
    PutFixed(out, s.start);
    PutVarint(out, static_cast<uint64_t>(s.end - s.start));
    out->push_back(s.emitted ? 1 : 0);
    pane.clear();
    layouts_->Encode(s.revision, s.bytes(), &pane);
    PutBytes(out, pane);
  }
}

Status SessionWindows::DecodeKey(std::string_view row, KeyState* state) const {
  const Status corrupt(ErrorCode::kCorrupt, "the stored sessions of a key cannot be read");
  uint64_t count = 0;
  if (!GetFixed(&row, &state->stored_timer) || state->stored_timer == kNoTimer ||
      (spec_.per_key.on && !GetFixed(&row, &state->own)) || !GetVarint(&row, &count)) {
    return corrupt;
  }
  for (uint64_t i = 0; i < count; ++i) {
    Session s;
    uint64_t length = 0;
    uint8_t emitted = 0;
    std::string_view pane;
    if (!GetFixed(&row, &s.start) || !GetVarint(&row, &length) || !GetFixed(&row, &emitted) ||
        !GetBytes(&row, &pane)) {
      return corrupt;
    }
    s.end = s.start + static_cast<int64_t>(length);
    s.emitted = emitted != 0;
    s.block = std::make_unique<int64_t[]>(plan_->block_bytes() / 8 + 1);
    RIVULET_RETURN_IF_ERROR(layouts_->Decode(pane, &s.revision, s.bytes()));
    state->sessions.push_back(std::move(s));
  }
  state->stored = true;
  return Status::Ok();
}

void SessionWindows::MarkDirty(KeyState* state) {
  state->recent = true;
  if (state->dirty_index >= 0) return;
  state->dirty_index = static_cast<int64_t>(dirty_.size());
  dirty_.push_back(state);
}

int64_t SessionWindows::Deadline(const KeyState& state) const {
  int64_t deadline = kNoTimer;
  for (const Session& s : state.sessions) {
    deadline = std::min(deadline, s.emitted ? SaturatingAdd(s.end, spec_.lateness_us) : s.end);
  }
  return state.sessions.empty() && state.own > fired_ ? state.own : deadline;
}

// Registers the key's next deadline. A timer that is early stays.
void SessionWindows::SetTimer(KeyState* state) {
  const int64_t deadline = Deadline(*state);
  if (state->timer <= deadline && state->timer != kNoTimer && state->timer > fired_) return;
  if (state->timer == deadline) return;
  if (state->timer != kNoTimer) timers_.erase({state->timer, state->key});
  state->timer = deadline;
  if (deadline != kNoTimer) timers_.emplace(std::pair(deadline, std::string_view(state->key)), state);
}

void SessionWindows::Process(const WindowInput& input, ResultSink* sink) {
  if (!spec_.per_key.on) {
    for (uint32_t k = 0; k < input.count; ++k) AddRecord(input, input.rows[k], true, sink);
  } else {
    uint32_t next = 0;
    for (uint32_t k = 0; k < input.clock_count; ++k) {
      const uint32_t row = input.clock_rows[k];
      const bool joins = next < input.count && input.rows[next] == row;
      next += joins ? 1 : 0;
      AddRecord(input, row, joins, sink);
    }
  }
  accumulator_.Flush(input);
}

void SessionWindows::AddRecord(const WindowInput& input, uint32_t row, bool joins,
                               ResultSink* sink) {
  const ResultOrder order{std::max(input.watermark[row], fired_), 1, input.position + row};
  KeyState* state = FindKey(input.keys->Key(row), input.keys->hashes[row], true);
  if (joins) JoinSession(input, row, order, state, sink);
  if (spec_.per_key.on) MoveClock(input, row, order, state, sink);
  if (Gone(*state, order.time)) {
    Erase(state);
  } else {
    SetTimer(state);
  }
}

void SessionWindows::JoinSession(const WindowInput& input, uint32_t row, const ResultOrder& order,
                                 KeyState* state, ResultSink* sink) {
  const int64_t t = input.batch->event_time[row];
  const int64_t watermark = std::max(order.time, state->own);
  const bool grows = state->sessions.size() == 1 && t >= state->sessions[0].start &&
                     t <= state->sessions[0].end && state->sessions[0].end > watermark;
  if (!grows) {
    // Blocks may be merged or emitted below: what was gathered for them must be in first.
    accumulator_.Flush(input);
    Settle(state, order.time, nullptr, sink);
  }
  Session* session = Join(state, t);
  if (session == nullptr) {  // alone: would it be late?
    if (SaturatingAdd(t, SaturatingAdd(spec_.size_us, spec_.lateness_us)) <= watermark) {
      sink->OnLate(order, row);
      return;
    }
    const auto place = std::find_if(state->sessions.begin(), state->sessions.end(),
                                    [t](const Session& s) { return s.start > t; });
    session = &*state->sessions.insert(place, Session{t, t + spec_.size_us, 0, false, NewBlock()});
    ++sessions_in_memory_;
  }
  accumulator_.Add(row, session->bytes());
  MarkDirty(state);
  session->emitted = false;
  if (session->end <= watermark) {  // closed, but within lateness: out at once
    accumulator_.Flush(input);
    sink->OnResult(order, state->key, state->hash, session->start, session->end,
                   session->revision, session->bytes());
    session->emitted = true;
    ++session->revision;
  }
}

void SessionWindows::MoveClock(const WindowInput& input, uint32_t row, const ResultOrder& order,
                               KeyState* state, ResultSink* sink) {
  const int64_t moved = input.batch->event_time[row] - spec_.per_key.delay_us;
  if (moved <= state->own || moved <= order.time) return;
  const auto closes = [&](const Session& s) {
    return (s.emitted ? SaturatingAdd(s.end, spec_.lateness_us) : s.end) <= moved;
  };
  if (std::any_of(state->sessions.begin(), state->sessions.end(), closes)) {
    accumulator_.Flush(input);
    Settle(state, order.time, nullptr, sink);  // what W has closed by now comes first
    state->own = moved;
    Settle(state, moved, &order, sink);
  }
  state->own = moved;
  MarkDirty(state);
}

// The session that a record at `t` belongs to, grown and merged with its neighbours; null when it touches
// none.
SessionWindows::Session* SessionWindows::Join(KeyState* state, int64_t t) {
  auto& sessions = state->sessions;
  const int64_t end = t + spec_.size_us;
  size_t first = 0;
  while (first < sessions.size() && sessions[first].end < t) ++first;
  if (first == sessions.size() || sessions[first].start > end) return nullptr;
  Session& joined = sessions[first];
  joined.start = std::min(joined.start, t);
  joined.end = std::max(joined.end, end);
  size_t last = first + 1;
  for (; last < sessions.size() && sessions[last].start <= joined.end; ++last) {
    Session& other = sessions[last];
    plan_->Merge(joined.bytes(), other.bytes());
    joined.end = std::max(joined.end, other.end);
    joined.revision = std::max(joined.revision, other.revision);
    FreeSession(&other);
    --sessions_in_memory_;
  }
  sessions.erase(sessions.begin() + static_cast<std::ptrdiff_t>(first) + 1,
                 sessions.begin() + static_cast<std::ptrdiff_t>(last));
  return &sessions[first];
}

void SessionWindows::Settle(KeyState* state, int64_t watermark, const ResultOrder* caused,
                            ResultSink* sink) {
  auto& sessions = state->sessions;
  const int64_t effective = std::max(watermark, state->own);
  for (size_t i = 0; i < sessions.size();) {
    Session& s = sessions[i];
    if (!s.emitted && s.end <= watermark) {
      sink->OnResult(caused == nullptr ? ResultOrder{s.end, 0, 0} : *caused, state->key, state->hash,
                     s.start, s.end, s.revision, s.bytes());
      s.emitted = true;
      ++s.revision;
      MarkDirty(state);
    }
    if (SaturatingAdd(s.end, spec_.lateness_us) <= effective) {
      FreeSession(&s);
      --sessions_in_memory_;
      sessions.erase(sessions.begin() + static_cast<std::ptrdiff_t>(i));
      MarkDirty(state);
    } else {
      ++i;
    }
  }
}

void SessionWindows::BringExpired(const FirePoint& point) {
  if (!cold_ || next_cold_timer_ > point.time) return;
  std::vector<std::string> expired;
  next_cold_timer_ = kNoTimer;
  const Status status = view_->Scan(
      timer_prefix_, timer_prefix_ + "\xff", [&](std::string_view row, std::string_view) {
        row.remove_prefix(timer_prefix_.size());
        int64_t time = 0;
        if (!GetOrderedI64(&row, &time)) return true;
        if (!point.Covers(time, row)) {
          next_cold_timer_ = time;
          return false;
        }
        if (share_.Owns(Hash64(row))) expired.emplace_back(row);
        return true;
      });
  if (!status.ok() && status_.ok()) status_ = status;
  for (const std::string& key : expired) FindKey(key, Hash64(key), false);
}

// Keys have one timer each, so as many timers give at most about as many results. Timers that are due already
// (of keys that closed but whose rows a commit has yet to delete, of keys that came back) are not counted: a
// point must lie behind fired_, or closing would never end.
FirePoint SessionWindows::NextPoint(int64_t watermark, size_t limit) {
  FirePoint point{watermark, true, ""};
  if (!(partial_ < point)) return point;
  // Unlike those of slices, rows of keys are read, changed and written again: smaller steps.
  limit = std::max<size_t>(1, limit / 8);
  size_t count = 0;
  auto it = partial_.whole ? timers_.lower_bound({partial_.time + 1, std::string_view()})
                           : timers_.upper_bound({partial_.time, std::string_view(partial_.key)});
  for (; it != timers_.end() && it->first.first <= watermark; ++it) {
    if (++count < limit) continue;
    point = {it->first.first, false, std::string(it->first.second)};
    break;
  }
  if (!cold_ || next_cold_timer_ > point.time) return point;
  count = 0;
  const std::string from = partial_.whole
                               ? TimerRow(timer_prefix_, partial_.time + 1, "")
                               : TimerRow(timer_prefix_, partial_.time, partial_.key) + '\0';
  const Status status = view_->Scan(from, timer_prefix_ + "\xff",
                                    [&](std::string_view row, std::string_view) {
                                      row.remove_prefix(timer_prefix_.size());
                                      int64_t time = 0;
                                      if (!GetOrderedI64(&row, &time)) return true;
                                      if (!point.Covers(time, row)) return false;
                                      if (++count < limit) return true;
                                      point = {time, false, std::string(row)};
                                      return false;
                                    });
  if (!status.ok() && status_.ok()) status_ = status;
  return point;
}

void SessionWindows::Advance(const FirePoint& point, ResultSink* sink) {
  if (!(partial_ < point)) return;
  BringExpired(point);
  partial_ = point;
  while (!timers_.empty() &&
         point.Covers(timers_.begin()->first.first, timers_.begin()->first.second)) {
    KeyState* state = timers_.begin()->second;
    fired_ = point.Covers(point.time, state->key) ? point.time : point.time - 1;  // for this key
    Settle(state, fired_, nullptr, sink);
    if (Gone(*state, fired_)) {
      Erase(state);
    } else {
      SetTimer(state);
    }
  }
  fired_ = point.whole ? point.time : point.time - 1;
}

// The key has no sessions left.
void SessionWindows::Erase(KeyState* state) {
  if (state->timer != kNoTimer) timers_.erase({state->timer, state->key});
  state->timer = kNoTimer;
  if (state->stored || state->going) {
    MarkDirty(state);
  } else {
    Remove(state);
  }
}

void SessionWindows::Remove(KeyState* state) {
  heap_bytes_ -= state->heap_bytes;
  if (state->dirty_index >= 0) dirty_[static_cast<size_t>(state->dirty_index)] = nullptr;
  const auto [begin, end] = keys_.equal_range(state->hash);
  for (auto it = begin; it != end; ++it) {
    if (it->second.get() != state) continue;
    keys_.erase(it);
    return;
  }
}

void SessionWindows::CollectChanges(StateChanges* changes) {
  std::erase(dirty_, nullptr);
  std::sort(dirty_.begin(), dirty_.end(),
            [](const KeyState* a, const KeyState* b) { return a->key < b->key; });
  std::string row;
  for (KeyState* state : dirty_) {
    state->dirty_index = -1;
    CountHeap(state);
    const bool gone = state->timer == kNoTimer;
    if (state->stored && (gone || state->stored_timer != state->timer)) {
      changes->Delete(TimerRow(timer_prefix_, state->stored_timer, state->key));
    }
    if (gone) {
      if (state->stored) changes->Delete(key_prefix_ + state->key);
      state->stored = false;
      if (!state->going) gone_.push_back(state);
      state->going = true;
      continue;
    }
    if (!state->stored || state->stored_timer != state->timer) {
      changes->Put(TimerRow(timer_prefix_, state->timer, state->key), "");
    }
    state->stored_timer = state->timer;
    row.clear();
    EncodeKey(*state, &row);
    changes->Put(key_prefix_ + state->key, row);
    state->stored = true;
  }
  dirty_.clear();
}

void SessionWindows::OnCommitted() {
  for (KeyState* state : gone_) {
    state->going = false;
    if (state->timer == kNoTimer && state->dirty_index < 0) Remove(state);
  }
  gone_.clear();
}

size_t SessionWindows::MemoryBytes() const {
  const size_t per_key = sizeof(KeyState) + 160;
  const size_t per_session = sizeof(Session) + plan_->block_bytes() + 32;
  return keys_.size() * per_key + sessions_in_memory_ * per_session + heap_bytes_;
}

void SessionWindows::Evict(size_t target) {
  for (const bool spare_recent : {true, false}) {
    // Which keys go is not visible in results, so in any order.
    for (auto it = keys_.begin(); it != keys_.end();) {
      KeyState* state = it->second.get();
      const bool keep = state->dirty_index >= 0 || !state->stored || (spare_recent && state->recent);
      state->recent = false;
      if (keep || MemoryBytes() <= target) {
        ++it;
        continue;
      }
      if (state->timer != kNoTimer) timers_.erase({state->timer, state->key});
      next_cold_timer_ = std::min(next_cold_timer_, state->stored_timer);
      cold_ = true;
      sessions_in_memory_ -= state->sessions.size();
      heap_bytes_ -= state->heap_bytes;
      for (Session& s : state->sessions) FreeSession(&s);
      it = keys_.erase(it);
    }
    if (MemoryBytes() <= target) return;
  }
}

}  // namespace rivulet
