// KeyClocks: per-key time. What time each key has it by its own records, and when a key must be looked at
// because the time that all keys have in common has reached it.
//
// Rows:  prefix k | key -> the clock;   prefix t | time (8 bytes, ordered) | key -> nothing.
// A timer row says "look at this key when the held watermark reaches this time". It may be early: a healthy
// key closes its windows by its own clock, so its timer rings once in a hold and is set anew. A clock that
// the held watermark has passed, of a key without open windows, says nothing any more and is forgotten.
//
// In memory a bounded number of clocks; the rest come back on access, as panes do (see SliceStore).
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/status.h"
#include "operators/state/state_view.h"
#include "operators/state/timer_rows.h"
#include "operators/state/fire_point.h"
#include "operators/state/key_share.h"
#include "operators/state/state_owner.h"

namespace rivulet {

struct KeyClock {
  static constexpr int64_t kNever = kNoTimer;

  std::string key;
  uint64_t hash = 0;
  int64_t own = std::numeric_limits<int64_t>::min();  // the key's largest event time less the delay
  // Ends of windows: none that is open and has records ends before `next` or after `until`.
  int64_t next = kNever;
  int64_t until = std::numeric_limits<int64_t>::min();

 private:
  friend class KeyClocks;
  int64_t timer = kNever;         // registered in timers_; kNever: the clock is to be forgotten
  int64_t stored_timer = kNever;  // of the timer row in the store
  bool stored = false;
  bool recent = false;
  bool going = false;             // listed in gone_
  int64_t dirty_index = -1;       // place in dirty_, -1: not dirty
};

// One thread.
class KeyClocks final : public StateOwner {
 public:
  // `slide_us` is the least distance between ends of a key's windows: how much closing up to a point may
  // give is estimated from it.
  KeyClocks(std::string prefix, const StateView* view, KeyShare share, int64_t slide_us);

  Status Open() override;

  // The clock of a key, brought back or made. Valid until Settle lets it go, or Evict.
  KeyClock* Find(std::string_view key, uint64_t hash);
  // True when the held watermark has reached the clock's timer.
  static bool Rings(const KeyClock& clock, int64_t held) { return clock.timer <= held; }
  // The clock has changed.
  void Touch(KeyClock* clock);
  // Sets the timer for what is next, everything up to the held watermark being closed; forgets the clock
  // when nothing is.
  void Settle(KeyClock* clock, int64_t held);

  // Makes sure that Due finds every clock with a timer within `point`.
  void Bring(const FirePoint& point);
  // One of the clocks with a timer within `point`, the earliest first; null when there is none. It must be
  // settled before the next call.
  KeyClock* Due(const FirePoint& point);
  // See KeyedOperator::NextPoint; `from` is the point reached.
  FirePoint NextPoint(const FirePoint& from, int64_t watermark, size_t limit);

  void CollectChanges(StateChanges* changes) override;
  void OnCommitted() override;
  size_t MemoryBytes() const override { return clocks_.size() * kClockBytes; }
  void Evict(size_t target) override;
  size_t EntriesInMemory() const override { return clocks_.size(); }
  size_t DirtyRows() const override { return dirty_.size(); }
  const Status& status() const override { return status_; }

 private:
  static constexpr size_t kClockBytes = sizeof(KeyClock) + 176;  // with nodes of both containers

  class Estimate;
  bool Load(KeyClock* clock);
  void SetTimer(KeyClock* clock, int64_t time);
  void Remove(KeyClock* clock);
  void Fail(const Status& status);

  std::string clock_prefix_;
  TimerRows timer_rows_;
  const StateView* view_;
  KeyShare share_;
  int64_t slide_us_;
  // Lookups only; never walked where order could reach the output.
  std::unordered_multimap<uint64_t, std::unique_ptr<KeyClock>> clocks_;
  std::map<std::pair<int64_t, std::string_view>, KeyClock*> timers_;
  std::vector<KeyClock*> dirty_;  // null where a clock was forgotten before its commit
  // Forgotten clocks whose rows' deletion is under way: until it is committed they stay in memory, or a
  // lookup would find the old row again.
  std::vector<KeyClock*> gone_;
  bool cold_ = false;  // some clocks are in the store only
  Status status_;
};

}  // namespace rivulet
