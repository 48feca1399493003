// ChannelWatermarks: the watermark of one or several input channels, after Flink's combined watermark and
// its idleness. Each channel has a watermark of its own; W is the least of those that count, and never falls.
//
// The rule of what happens when nothing comes:
//
// 1. A channel from which nothing has come for `idle` is idle and does not count; when it is back it counts
//    again once its own watermark has caught up with W. One that never had data holds W back until it is
//    idle.
// 2. When all are idle, W goes on at the clock's pace: it is the watermark of the channel that fell idle
//    last, and the time since its last record. With one channel that is its largest event time, and the time
//    since then, less the delay. W holds again as soon as a record is back, until event times have caught up.
// 3. A channel that goes by arrival is never idle: nothing that is yet to come can have come before now.
// 4. Without `idle` a channel is waited for without end.
//
// How much time has passed is told from receive times alone, those of the records and of the ticks between
// them, never from a clock, so that reading them again gives the same. With one channel a tick changes
// nothing that the next record would not have changed before it was looked at; it only does so earlier. Time
// in which nobody listened to the broker (Resume) is no silence, and behind it a channel is not idle before
// `idle`, or kCatchUp if that is less, has passed: what the broker had kept comes first.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/types.h"

namespace rivulet {

// What of a channel must be known to go on. Times in us.
struct ChannelState {
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::min();
  std::string name;
  int64_t watermark = kNever;
  int64_t heard = kNever;    // receive time of its last record; later by what was not listened to since
  bool counts = true;
  bool operator==(const ChannelState&) const = default;
};

// Of all channels together.
struct ListeningState {
  int64_t now = ChannelState::kNever;      // latest receive time
  int64_t resumed = ChannelState::kNever;  // when listening last began anew
  bool operator==(const ListeningState&) const = default;
};

// Plain data; one thread.
class ChannelWatermarks {
 public:
  // How long what a broker has kept may take to come.
  static constexpr int64_t kCatchUp = 60'000'000;
  struct Channel {
    std::string name;
    std::optional<Duration> idle;    // not given: waited for without end
    std::optional<Duration> arrival{};  // goes by arrival, with this delay
  };
  explicit ChannelWatermarks(const std::vector<Channel>& channels);

  // Goes on from what was stored: channels are known by name, one that was not there before begins anew.
  void Restore(const std::vector<ChannelState>& states, const ListeningState& listening,
               int64_t watermark);

  // A record of `channel` received at `received` is next. 0: it has no receive time, and no time passes. Nor
  // does it where receive times lie behind an earlier one.
  void Hear(size_t channel, int64_t received);
  // Nothing more has come up to `received`.
  void Tick(int64_t received);
  // Nor is it known whether anything would have, since the last receive time.
  void Resume(int64_t received);
  // The channel's own watermark is at least `watermark`.
  void Raise(size_t channel, int64_t watermark);
  // So is that of all, and W with them.
  void RaiseAll(int64_t watermark);

  int64_t watermark() const { return watermark_; }
  const std::vector<ChannelState>& states() const { return states_; }
  const ListeningState& listening() const { return listening_; }
  // All are idle: W goes on with the clock.
  bool idle() const { return all_idle_; }
  bool empty() const { return states_.empty(); }

 private:
  void Pass(int64_t received);
  void Combine();
  void FindIdle();
  void GoOn();

  std::vector<Channel> channels_;
  std::vector<ChannelState> states_;
  std::vector<char> silent_;       // by channel: nothing for `idle`, as of the last FindIdle
  bool all_idle_ = false;
  bool by_arrival_ = false;        // some channel goes by arrival
  ListeningState listening_;
  int64_t next_idle_ = ChannelState::kNever;   // before this no channel becomes idle
  int64_t watermark_ = ChannelState::kNever;
};

}  // namespace rivulet
