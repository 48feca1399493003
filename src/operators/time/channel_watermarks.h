// ChannelWatermarks: the watermark of several input channels, after Flink's combined watermark and its
// idleness. Each channel has a watermark of its own; W is the least of those that count, and never falls.
//
// A channel from which nothing has come for `idle` is idle and does not count; when it is back it counts
// again once its own watermark has caught up with W. One that never had data holds W back until it is
// idle. When all are idle W holds. How long nothing has come is told from the receive times of the records
// themselves, never from a clock, so that reading them again gives the same.
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
  int64_t heard = kNever;    // receive time of its last record
  bool counts = true;
  bool operator==(const ChannelState&) const = default;
};

// Plain data; one thread.
class ChannelWatermarks {
 public:
  struct Channel {
    std::string name;
    std::optional<Duration> idle;  // not given: waited for without end
  };
  explicit ChannelWatermarks(const std::vector<Channel>& channels);

  // Goes on from what was stored: channels are known by name, one that was not there before begins anew.
  void Restore(const std::vector<ChannelState>& states, int64_t watermark);

  // A record of `channel` received at `received` is next. Receive times from before a clock was set, and
  // those that lie behind an earlier one, let no time pass.
  void Hear(size_t channel, int64_t received);
  // The channel's own watermark is at least `watermark`.
  void Raise(size_t channel, int64_t watermark);
  // So is that of all, and W with them.
  void RaiseAll(int64_t watermark);

  int64_t watermark() const { return watermark_; }
  const std::vector<ChannelState>& states() const { return states_; }
  bool empty() const { return states_.empty(); }

 private:
  void Combine();
  void FindIdle();

  std::vector<Channel> channels_;
  std::vector<ChannelState> states_;
  int64_t now_ = ChannelState::kNever;         // latest receive time
  int64_t next_idle_ = ChannelState::kNever;   // before this no channel becomes idle
  int64_t watermark_ = ChannelState::kNever;
};

// 2024-01-01: before this version was made, so no receive time can be earlier.
inline constexpr int64_t kPlausibleTime = int64_t{1'704'067'200} * 1'000'000;

}  // namespace rivulet
