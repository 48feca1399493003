#include "node/lane/lane_clock.h"

#include <algorithm>

#include "base/units.h"
#include "node/engine/source_task.h"
#include "operators/decode/decoder.h"

namespace rivulet {
namespace {

std::string Show(EventTime time) { return FormatIso8601(time.us - FloorMod(time.us, 1'000'000)); }

std::string ShowSpan(int64_t us) {
  return FormatDuration(Duration::Seconds(std::max<int64_t>(us / 1'000'000, 1)));
}

}  // namespace

void LaneClock::SetKnown(bool known) { known_ = known; }

void LaneClock::Begin(Now now) {
  begun_ = true;
  at_ = now.monotonic;
  const EventTime former = last_;
  // The step that may follow is one of this clock, not of the time the node was not running.
  last_ = std::max(last_, now.wall);
  known_once_ = known_ && now.wall >= kNoClockBefore;
  if (!known_once_) {
    log_('w', "the clock says " + Show(now.wall) + ", and nobody vouches for it: receive times are assumed, "
              "and records up to ten years ahead of them are taken in");
  }
  if (now.wall.us < former.us - kTolerance.us) {
    behind_ = true;
    log_('w', "the clock says " + Show(now.wall) + ", but messages were received until " + Show(former) +
                  ": receive times go on from there until the clock has caught up");
  }
}

LaneClock::Reading LaneClock::Read(Now now) {
  if (!begun_) Begin(now);
  const EventTime expected{last_.us + std::max<int64_t>(0, (now.monotonic - at_).us)};
  const int64_t step = now.wall.us - expected.us;
  EventTime time = expected;
  if (step > kTolerance.us) {
    if (Believe(now, step)) time = now.wall;
  } else {
    if (doubt_) log_('i', "the clock is back in step");
    doubt_.reset();
    const bool behind = step < -kTolerance.us;
    if (behind && !behind_) {
      log_('w', "the clock was set back by " + ShowSpan(-step) + " to " + Show(now.wall) +
                    ": receive times go on until it has caught up");
    }
    behind_ = behind;
    if (!behind) time = std::max(last_, now.wall);
  }
  if (!known_once_ && known_ && !behind_ && !doubt_ && now.wall >= kNoClockBefore) {
    known_once_ = true;
    log_('i', "the clock is known to be right: " + Show(now.wall));
  }
  last_ = time;
  at_ = now.monotonic;
  return {{time, assumed()}, resumes_};
}

bool LaneClock::Believe(Now now, int64_t step) {
  const bool other = doubt_ && std::max(doubt_->step, step) - std::min(doubt_->step, step) > kTolerance.us;
  const bool first = known_ && !known_once_;
  if (!doubt_ || other) {
    doubt_ = Doubt{now.monotonic, step};
    if (!first) {
      log_('w', "the clock was set forward by " + ShowSpan(step) + " to " + Show(now.wall) +
                    ": receive times follow if it stays so");
    }
  }
  const Duration patience = first ? Duration{} : known_once_ ? kPatience : kShortPatience;
  if (now.monotonic - doubt_->since < patience) return false;
  log_('i', "receive times follow the clock from here: " + Show(now.wall));
  doubt_.reset();
  behind_ = false;
  resumes_ = true;
  return true;
}

std::string LaneClock::Describe() const {
  if (doubt_) return "set forward, not followed yet";
  if (behind_) return "behind: receive times go on until it has caught up";
  return known_once_ ? "known" : "assumed";
}

}  // namespace rivulet
