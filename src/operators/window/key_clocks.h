// KeyClocks: per-key time. What time each key has it by its own records, and when a key must be looked at
// because the time that all keys have in common has reached it.
//
// A timer says "look at this key when the held watermark reaches this time". It may be early: a healthy key
// closes its windows by its own clock, so its timer rings once in a hold and is set anew. A clock that the
// held watermark has passed, of a key without open windows, says nothing any more and is forgotten.
//
// Row: the clock | next | until (8 bytes each), and the timer.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "operators/state/fire_point.h"
#include "operators/state/key_state_table.h"

namespace rivulet {

struct KeyClock final : KeyState {
  static constexpr int64_t kNever = kNoTimer;

  int64_t own = std::numeric_limits<int64_t>::min();  // the key's largest event time less the delay
  // Ends of windows: none that is open and has records ends before `next` or after `until`.
  int64_t next = kNever;
  int64_t until = std::numeric_limits<int64_t>::min();
};

// One thread.
class KeyClocks final : public KeyStateTableOf<KeyClock> {
 public:
  // `slide_us` is the least distance between ends of a key's windows: how much closing up to a point may
  // give is estimated from it.
  KeyClocks(const std::string& prefix, const StateView* view, KeyShare share, int64_t slide_us);
  ~KeyClocks() override { Clear(); }

  // Sets the timer for what is next, everything up to the held watermark being closed; forgets the clock
  // when nothing is.
  void Settle(KeyClock* clock, int64_t held);
  // Makes sure that NextDue finds every clock with a timer within `point`. Such a clock must be settled
  // before the next call of that.
  void Bring(const FirePoint& point) { BringDue(FirePoint(), point); }
  // See KeyedOperator::NextPoint; `from` is the point reached.
  FirePoint NextPoint(const FirePoint& from, int64_t watermark, size_t limit);

  // Mostly the clock's own row alone, as timers stay.
  size_t DirtyRows() const override { return DirtyKeys(); }

 private:
  class Estimate;
  void Encode(const KeyState& state, std::string* out) override;
  Status Decode(std::string_view row, KeyState* state) override;
  bool Empty(const KeyState& state) const override { return TimerOf(state) == KeyClock::kNever; }
  size_t Measure(const KeyState&) const override { return sizeof(KeyClock) - sizeof(KeyState); }

  int64_t slide_us_;
};

}  // namespace rivulet
