// LaneClock: when messages were received, out of a wall clock that may be wrong and a monotonic one that
// knows no date. A Pi has no clock battery: it boots in 1970, or when it was last switched off; a time server
// corrects that later, or errs for an hour.
//
// Receive times never fall, over restarts as well. The rule:
//
// - As long as the wall clock keeps up with the monotonic one, to kTolerance, it is followed.
// - A wall clock that is behind (set back, or before the journal's last entry at the start) is not: time goes
//   on from where it was, as the monotonic clock does, until the wall clock has caught up. Time that the node
//   was not running then does not count, so that it does.
// - One that is ahead is not believed at once: time goes on as before until it has stayed so for kPatience,
//   or for kShortPatience as long as the date has never been known; at once when it is set for the first time
//   by somebody who knows. Listening begins anew with the step, so that it is no silence.
// - What the date is has been known once a time server was heard or a hardware clock agrees. Before that, and
//   while a step is in doubt, receive times are marked as assumed: they say when, but not what is ahead.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/log_message.h"
#include "base/types.h"
#include "state/journal.h"

namespace rivulet {

// Not thread-safe.
class LaneClock {
 public:
  static constexpr Duration kTolerance = Duration::Seconds(2);
  static constexpr Duration kPatience = Duration::Seconds(600);
  static constexpr Duration kShortPatience = Duration::Seconds(60);

  // `last`: receive time of the journal's last entry, 0 when there is none.
  LaneClock(EventTime last, LogFunction log) : last_(last), log_(std::move(log)) {}

  // Whether the machine knows the date now.
  void SetKnown(bool known);

  struct Reading {
    ReceiveTime time;
    bool resumes;      // there was a step: a tick must say so before anything else is journaled
  };
  Reading Read(Now now);
  void Resumed() { resumes_ = false; }

  // "known", or what is assumed instead.
  std::string Describe() const;

 private:
  void Begin(Now now);
  bool Believe(Now now, int64_t step);
  bool assumed() const { return !known_once_ || doubt_.has_value(); }

  struct Doubt {
    Monotonic since;
    int64_t step;      // how far the wall clock is ahead, us
  };
  EventTime last_;
  LogFunction log_;
  Monotonic at_;       // when last_ was
  bool begun_ = false;
  bool known_ = false, known_once_ = false;
  bool behind_ = false;
  bool resumes_ = false;
  std::optional<Doubt> doubt_;
};

}  // namespace rivulet
