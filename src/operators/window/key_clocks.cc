#include "operators/window/key_clocks.h"

#include <algorithm>

#include "base/coding.h"
#include "base/hash.h"
#include "base/types.h"

namespace rivulet {

KeyClocks::KeyClocks(std::string prefix, const StateView* view, KeyShare share, int64_t slide_us)
    : clock_prefix_(prefix + "k"),
      timer_rows_(prefix + "t", view),
      view_(view),
      share_(share),
      slide_us_(slide_us) {}

void KeyClocks::Fail(const Status& status) {
  if (!status.ok() && status_.ok()) status_ = status;
}

Status KeyClocks::Open() {
  RIVULET_RETURN_IF_ERROR(timer_rows_.Open());
  cold_ = timer_rows_.next() != KeyClock::kNever;
  return Status::Ok();
}

KeyClock* KeyClocks::Find(std::string_view key, uint64_t hash) {
  const auto [begin, end] = clocks_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    if (it->second->key == key) return it->second.get();
  }
  auto made = std::make_unique<KeyClock>();
  made->key = key;
  made->hash = hash;
  KeyClock* clock = made.get();
  clocks_.emplace(hash, std::move(made));
  if (cold_ && Load(clock)) timers_.emplace(std::pair(clock->timer, std::string_view(clock->key)), clock);
  return clock;
}

bool KeyClocks::Load(KeyClock* clock) {
  std::string value;
  const Result<bool> found = view_->Get(clock_prefix_ + clock->key, &value);
  Fail(found.status());
  if (!found.ok() || !*found) return false;
  std::string_view row = value;
  int64_t own = 0, next = 0, until = 0, timer = 0;
  if (!GetFixed(&row, &own) || !GetFixed(&row, &next) || !GetFixed(&row, &until) ||
      !GetFixed(&row, &timer) || !row.empty() || timer == KeyClock::kNever) {
    Fail(Status(ErrorCode::kCorrupt, "the stored clock of a key cannot be read"));
    return false;
  }
  clock->own = own;
  clock->next = next;
  clock->until = until;
  clock->timer = clock->stored_timer = timer;
  clock->stored = true;
  return true;
}

void KeyClocks::Touch(KeyClock* clock) {
  clock->recent = true;
  if (clock->dirty_index >= 0) return;
  clock->dirty_index = static_cast<int64_t>(dirty_.size());
  dirty_.push_back(clock);
}

void KeyClocks::SetTimer(KeyClock* clock, int64_t time) {
  if (clock->timer == time) return;
  if (clock->timer != KeyClock::kNever) timers_.erase({clock->timer, clock->key});
  clock->timer = time;
  if (time != KeyClock::kNever) timers_.emplace(std::pair(time, std::string_view(clock->key)), clock);
  Touch(clock);
}

void KeyClocks::Settle(KeyClock* clock, int64_t held) {
  // A timer that is early stays.
  if (clock->timer > held && clock->timer <= clock->next && clock->timer != KeyClock::kNever) return;
  const int64_t open = clock->own > held ? clock->own : KeyClock::kNever;
  SetTimer(clock, clock->next != KeyClock::kNever ? clock->next : open);
  if (clock->timer == KeyClock::kNever && !clock->stored && !clock->going) Remove(clock);
}

void KeyClocks::Remove(KeyClock* clock) {
  if (clock->dirty_index >= 0) dirty_[static_cast<size_t>(clock->dirty_index)] = nullptr;
  const auto [begin, end] = clocks_.equal_range(clock->hash);
  for (auto it = begin; it != end; ++it) {
    if (it->second.get() != clock) continue;
    clocks_.erase(it);
    return;
  }
}

void KeyClocks::Bring(const FirePoint& point) {
  if (!cold_) return;
  std::vector<std::string> due;
  const auto owned = [this](std::string_view key) { return share_.Owns(Hash64(key)); };
  Fail(timer_rows_.TakeDue(FirePoint(), point, owned, &due));
  for (const std::string& key : due) {
    // The row may be one that a commit has yet to delete: then there may be no clock.
    KeyClock* clock = Find(key, Hash64(key));
    if (clock->timer == KeyClock::kNever && !clock->stored && !clock->going) Remove(clock);
  }
}

KeyClock* KeyClocks::Due(const FirePoint& point) {
  if (timers_.empty()) return nullptr;
  const auto& [place, clock] = *timers_.begin();
  return point.Covers(place.first, place.second) ? clock : nullptr;
}

// Takes timers in order, and says how far closing may go for about `limit` results: so many keys have so many
// windows each, from the first timer on.
class KeyClocks::Estimate {
 public:
  Estimate(int64_t slide_us, size_t limit) : slide_us_(slide_us), limit_(std::max<size_t>(limit, 1)) {}

  // False when this timer is too many.
  bool Take(int64_t time, std::string_view key) {
    if (count_ == 0) first_ = time;
    const uint64_t windows =
        static_cast<uint64_t>(SaturatingSub(time, first_)) / static_cast<uint64_t>(slide_us_) + 1;
    if (count_ > 0 && windows > limit_ / (count_ + 1)) {
      point_ = time > last_ ? FirePoint{last_, true, ""} : FirePoint{last_, false, last_key_};
      return false;
    }
    ++count_;
    last_ = time;
    last_key_ = key;
    return true;
  }
  // All timers were taken.
  void End(int64_t watermark) {
    if (count_ == 0) {
      point_ = {watermark, true, ""};
      return;
    }
    const auto windows = static_cast<int64_t>(limit_ / count_);
    const int64_t reach = windows > KeyClock::kNever / slide_us_ ? KeyClock::kNever : windows * slide_us_;
    point_ = {std::min(watermark, std::max(last_, SaturatingAdd(first_, reach - slide_us_))), true, ""};
  }
  const FirePoint& point() const { return point_; }

 private:
  int64_t slide_us_;
  size_t limit_, count_ = 0;
  int64_t first_ = 0, last_ = 0;
  std::string last_key_;
  FirePoint point_;
};

FirePoint KeyClocks::NextPoint(const FirePoint& from, int64_t watermark, size_t limit) {
  Estimate hot(slide_us_, limit);
  bool all = true;
  for (auto it = timers_.begin(); all && it != timers_.end() && it->first.first <= watermark; ++it) {
    if (!from.Covers(it->first.first, it->first.second)) all = hot.Take(it->first.first, it->first.second);
  }
  if (all) hot.End(watermark);
  if (!cold_ || timer_rows_.next() > hot.point().time) return hot.point();
  Estimate cold(slide_us_, limit);
  all = true;
  Fail(timer_rows_.Visit(from, [&](int64_t time, std::string_view key) {
    if (time > watermark) return false;
    all = cold.Take(time, key);
    return all;
  }));
  if (all) cold.End(watermark);
  return std::min(hot.point(), cold.point());
}

void KeyClocks::CollectChanges(StateChanges* changes) {
  std::erase(dirty_, nullptr);
  std::sort(dirty_.begin(), dirty_.end(),
            [](const KeyClock* a, const KeyClock* b) { return a->key < b->key; });
  std::string row, value;
  for (KeyClock* clock : dirty_) {
    clock->dirty_index = -1;
    const bool gone = clock->timer == KeyClock::kNever;
    if (clock->stored && clock->stored_timer != clock->timer) {
      changes->Delete(timer_rows_.Row(clock->stored_timer, clock->key));
    }
    row = clock_prefix_;
    row += clock->key;
    if (gone) {
      if (clock->stored) changes->Delete(row);
      clock->stored = false;
      if (!clock->going) gone_.push_back(clock);
      clock->going = true;
      continue;
    }
    if (!clock->stored || clock->stored_timer != clock->timer) {
      changes->Put(timer_rows_.Row(clock->timer, clock->key), "");
    }
    clock->stored_timer = clock->timer;
    clock->stored = true;
    value.clear();
    for (const int64_t v : {clock->own, clock->next, clock->until, clock->timer}) PutFixed(&value, v);
    changes->Put(row, value);
  }
  dirty_.clear();
}

void KeyClocks::OnCommitted() {
  for (KeyClock* clock : gone_) {
    clock->going = false;
    if (clock->timer == KeyClock::kNever && !clock->stored) Remove(clock);
  }
  gone_.clear();
}

void KeyClocks::Evict(size_t target) {
  for (const bool spare_recent : {true, false}) {
    // Which clocks go is not visible in results, so in any order.
    for (auto it = clocks_.begin(); it != clocks_.end();) {
      KeyClock* clock = it->second.get();
      const bool keep = clock->dirty_index >= 0 || !clock->stored || (spare_recent && clock->recent);
      clock->recent = false;
      if (keep || MemoryBytes() <= target) {
        ++it;
        continue;
      }
      timers_.erase({clock->timer, clock->key});
      timer_rows_.Lower(clock->stored_timer);
      cold_ = true;
      it = clocks_.erase(it);
    }
    if (MemoryBytes() <= target) return;
  }
}

}  // namespace rivulet
