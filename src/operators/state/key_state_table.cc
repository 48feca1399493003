#include "operators/state/key_state_table.h"

#include <algorithm>
#include <utility>

#include "base/coding.h"
#include "base/hash.h"

namespace rivulet {
namespace {

// So many are kept for reuse beside as many as are in use: keys that come by turns and go all at once, as
// with time, leave few in use.
constexpr size_t kFewSpares = 64;
size_t MostSpares(size_t used) { return 2 * used + kFewSpares; }

}  // namespace

KeyStateTable::KeyStateTable(const std::string& prefix, const StateView* view, KeyShare share,
                             TimerPlace timer_place)
    : key_prefix_(prefix + "k"),
      timer_place_(timer_place),
      timer_rows_(prefix + "t", view),
      view_(view),
      share_(share) {}

KeyStateTable::~KeyStateTable() = default;

void KeyStateTable::Clear() {
  keys_.DeleteIf([this](KeyState* state) {
    Release(state);
    return true;
  });
}

Status KeyStateTable::Open() {
  RIVULET_RETURN_IF_ERROR(status_);
  RIVULET_RETURN_IF_ERROR(view_->Scan(key_prefix_, AfterPrefix(key_prefix_),
                                      [this](std::string_view, std::string_view) {
                                        cold_ = true;
                                        return false;
                                      }));
  return timer_rows_.Open();
}

// --- keys ---

KeyState* KeyStateTable::Find(std::string_view key, uint64_t hash, bool create) {
  if (KeyState* const known = keys_.Find(key, hash)) return known;
  std::unique_ptr<KeyState> loaded = cold_ ? Load(key, hash) : nullptr;
  if (loaded == nullptr && !create) return nullptr;
  if (loaded == nullptr) loaded = NewState(key, hash);
  KeyState* const state = keys_.Insert(std::move(loaded));
  bytes_ += state->key.size();
  Remeasure(state);
  if (state->stored_timer != kNoTimer) {
    state->timer = state->stored_timer;
    AddTimer(state);
  }
  return state;
}

std::unique_ptr<KeyState> KeyStateTable::NewState(std::string_view key, uint64_t hash) {
  std::unique_ptr<KeyState> state;
  if (spare_.empty()) {
    state = New();
  } else {
    state = std::move(spare_.back());
    spare_.pop_back();
    spare_bytes_ -= std::exchange(state->bytes, 0);
  }
  state->key.assign(key);
  state->hash = hash;
  return state;
}

// Takes a row's timer off it.
bool KeyStateTable::GetTimer(std::string_view* row, int64_t* timer) const {
  if (timer_place_ == TimerPlace::kFirst) return GetFixed(row, timer);
  if (row->size() < sizeof(*timer)) return false;
  std::string_view last = row->substr(row->size() - sizeof(*timer));
  row->remove_suffix(sizeof(*timer));
  return GetFixed(&last, timer);
}

std::unique_ptr<KeyState> KeyStateTable::Load(std::string_view key, uint64_t hash) {
  row_.assign(key_prefix_);
  row_.append(key);
  const Result<bool> found = view_->Get(row_, &value_);
  if (!found.ok()) Fail(found.status());
  if (!found.ok() || !*found) return nullptr;
  std::unique_ptr<KeyState> state = NewState(key, hash);
  std::string_view bytes = value_;
  const Status status = GetTimer(&bytes, &state->stored_timer)
                            ? Decode(bytes, state.get())
                            : Status(ErrorCode::kCorrupt, "the stored state of a key has no timer");
  state->stored = true;
  if (status.ok()) return state;
  Fail(status);
  Release(state.get());
  return nullptr;
}

void KeyStateTable::Remeasure(KeyState* state) {
  const size_t bytes = Measure(*state);
  bytes_ += bytes - state->bytes;
  state->bytes = bytes;
}

void KeyStateTable::RemeasureDirty() {
  unmeasured_records_ = 0;
  for (KeyState* state : dirty_) {
    if (state != nullptr) Remeasure(state);
  }
}

void KeyStateTable::MarkDirty(KeyState* state) {
  state->recent = true;
  if (state->dirty_index >= 0) return;
  state->dirty_index = static_cast<int64_t>(dirty_.size());
  dirty_.push_back(state);
}

void KeyStateTable::Erase(KeyState* state) {
  if (state->timer != kNoTimer) RemoveTimer(state);
  if (state->stored || state->going) {
    MarkDirty(state);
  } else {
    Forget(state);
  }
}

void KeyStateTable::Forget(KeyState* state) {
  if (state->timer != kNoTimer) RemoveTimer(state);
  if (state->dirty_index >= 0) dirty_[static_cast<size_t>(state->dirty_index)] = nullptr;
  bytes_ -= state->key.size() + state->bytes;
  Release(state);
  Spare(keys_.Take(state));
}

void KeyStateTable::Spare(std::unique_ptr<KeyState> state) {
  if (spare_.size() >= MostSpares(keys_.size()) || !Renew(state.get())) return;
  state->timer = state->stored_timer = kNoTimer;
  state->stored = state->recent = state->going = false;
  state->dirty_index = -1;
  state->bytes = Measure(*state);
  spare_bytes_ += state->bytes;
  spare_.push_back(std::move(state));
}

void KeyStateTable::DropSpares() {
  spare_.clear();
  spare_bytes_ = 0;
  spare_timers_.clear();
  DropSpare();
}

// --- timers ---

void KeyStateTable::SetTimer(KeyState* state, int64_t deadline, int64_t fired) {
  // One that rings too early does no harm.
  if (state->timer <= deadline && state->timer != kNoTimer && state->timer > fired) return;
  if (state->timer == deadline) return;
  // Or its row would have the key looked at again and again.
  if (state->stored) MarkDirty(state);
  if (state->timer != kNoTimer) RemoveTimer(state);
  state->timer = deadline;
  if (deadline != kNoTimer) AddTimer(state);
}

void KeyStateTable::AddTimer(KeyState* state) {
  const std::pair<int64_t, std::string_view> place(state->timer, state->key);
  if (spare_timers_.empty()) {
    timers_.emplace(place, state);
    return;
  }
  Timers::node_type node = std::move(spare_timers_.back());
  spare_timers_.pop_back();
  node.key() = place;
  node.mapped() = state;
  timers_.insert(std::move(node));
}

void KeyStateTable::RemoveTimer(KeyState* state) {
  Timers::node_type node = timers_.extract({state->timer, state->key});
  state->timer = kNoTimer;
  if (spare_timers_.size() < MostSpares(timers_.size())) spare_timers_.push_back(std::move(node));
}

KeyState* KeyStateTable::NextDue(const FirePoint& point) {
  if (timers_.empty()) return nullptr;
  const auto& [timer, state] = *timers_.begin();
  return point.Covers(timer.first, timer.second) ? state : nullptr;
}

void KeyStateTable::BringDue(const FirePoint& fired, const FirePoint& point) {
  if (!cold_) return;
  std::vector<std::string> due;
  const Status status = timer_rows_.TakeDue(
      fired, point, [this](std::string_view key) { return Owns(key, Hash64(key)); }, &due);
  if (!status.ok()) Fail(status);
  for (const std::string& key : due) Find(key, Hash64(key), false);
}

// Timers that are due already (of keys whose rows a commit has yet to delete, of keys that came back) are not
// counted: a point must lie behind `fired`, or closing would never end.
FirePoint KeyStateTable::LimitTimers(const FirePoint& fired, int64_t watermark, size_t limit) {
  FirePoint point{watermark, true, ""};
  if (fired.time > watermark || (fired.time == watermark && fired.whole)) return point;
  size_t count = 0;
  auto it = fired.whole ? timers_.lower_bound({fired.time + 1, std::string_view()})
                        : timers_.upper_bound({fired.time, std::string_view(fired.key)});
  for (; it != timers_.end() && it->first.first <= watermark; ++it) {
    if (++count < limit) continue;
    point = {it->first.first, false, std::string(it->first.second)};
    break;
  }
  if (!cold_) return point;
  const Status status = timer_rows_.Limit(fired, limit, &point);
  if (!status.ok()) Fail(status);
  return point;
}

// --- rows ---

void KeyStateTable::CollectKey(KeyState* state, StateChanges* changes) {
  state->dirty_index = -1;
  Remeasure(state);
  const bool gone = Empty(*state);
  const bool timer_moved = state->stored_timer != state->timer;
  if (state->stored && state->stored_timer != kNoTimer && (gone || timer_moved)) {
    changes->Delete(timer_rows_.Row(state->stored_timer, state->key));
  }
  row_.assign(key_prefix_).append(state->key);
  if (gone) {
    if (state->stored) changes->Delete(row_);
    state->stored = false;
    if (!state->going) gone_.push_back(state);
    state->going = true;
    return;
  }
  if (state->timer != kNoTimer && (!state->stored || timer_moved)) {
    changes->Put(timer_rows_.Row(state->timer, state->key), "");
  }
  state->stored_timer = state->timer;
  value_.clear();
  if (timer_place_ == TimerPlace::kFirst) PutFixed(&value_, state->timer);
  Encode(*state, &value_);
  if (timer_place_ == TimerPlace::kLast) PutFixed(&value_, state->timer);
  changes->Put(row_, value_);
  state->stored = true;
}

void KeyStateTable::CollectChanges(StateChanges* changes) {
  std::erase(dirty_, nullptr);
  std::sort(dirty_.begin(), dirty_.end(),
            [](const KeyState* a, const KeyState* b) { return a->key < b->key; });
  for (KeyState* state : dirty_) CollectKey(state, changes);
  dirty_.clear();
}

void KeyStateTable::OnCommitted() {
  for (KeyState* state : gone_) {
    state->going = false;
    if (state->dirty_index < 0 && Empty(*state)) Forget(state);
  }
  gone_.clear();
}

// --- memory ---

void KeyStateTable::Evict(size_t target) {
  DropSpares();
  for (const bool spare_recent : {true, false}) {
    // Which keys go is not visible in results, so in any order.
    keys_.DeleteIf([&](KeyState* state) {
      const bool keep =
          state->dirty_index >= 0 || !state->stored || (spare_recent && state->recent);
      state->recent = false;
      if (keep || MemoryBytes() <= target) return false;
      if (state->timer != kNoTimer) timers_.erase({state->timer, state->key});  // to be rid of it
      timer_rows_.Lower(state->stored_timer);
      cold_ = true;
      bytes_ -= state->key.size() + state->bytes;
      Release(state);
      return true;
    });
    if (MemoryBytes() <= target) return;
  }
}

}  // namespace rivulet
