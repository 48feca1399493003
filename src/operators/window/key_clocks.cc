#include "operators/window/key_clocks.h"

#include <algorithm>

#include "base/coding.h"
#include "base/types.h"

namespace rivulet {

KeyClocks::KeyClocks(const std::string& prefix, const StateView* view, KeyShare share, int64_t slide_us)
    : KeyStateTableOf(prefix, view, share, TimerPlace::kLast), slide_us_(slide_us) {}

void KeyClocks::Encode(const KeyState& state, std::string* out) {
  const auto& clock = static_cast<const KeyClock&>(state);
  for (const int64_t v : {clock.own, clock.next, clock.until}) PutFixed(out, v);
}

Status KeyClocks::Decode(std::string_view row, KeyState* state) {
  auto* const clock = static_cast<KeyClock*>(state);
  bool read = true;
  for (int64_t* v : {&clock->own, &clock->next, &clock->until}) read = read && GetFixed(&row, v);
  if (read && row.empty()) return Status::Ok();
  return {ErrorCode::kCorrupt, "the stored clock of a key cannot be read"};
}

void KeyClocks::Settle(KeyClock* clock, int64_t held) {
  // A timer that is early stays.
  const int64_t timer = TimerOf(*clock);
  if (timer > held && timer <= clock->next && timer != KeyClock::kNever) return;
  const int64_t open = clock->own > held ? clock->own : KeyClock::kNever;
  const int64_t deadline = clock->next != KeyClock::kNever ? clock->next : open;
  if (deadline == KeyClock::kNever) return Erase(clock);
  if (deadline != timer) MarkDirty(clock);
  SetTimer(clock, deadline, held);
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
  VisitTimers([&](int64_t time, std::string_view key) {
    if (time > watermark) return false;
    if (!from.Covers(time, key)) all = hot.Take(time, key);
    return all;
  });
  if (all) hot.End(watermark);
  if (!ColdBy(hot.point().time)) return hot.point();
  Estimate cold(slide_us_, limit);
  all = true;
  VisitRows(from, [&](int64_t time, std::string_view key) {
    if (time > watermark) return false;
    all = cold.Take(time, key);
    return all;
  });
  if (all) cold.End(watermark);
  return std::min(hot.point(), cold.point());
}

}  // namespace rivulet
