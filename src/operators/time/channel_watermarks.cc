#include "operators/time/channel_watermarks.h"

#include <algorithm>

namespace rivulet {

ChannelWatermarks::ChannelWatermarks(const std::vector<Channel>& channels) : channels_(channels) {
  for (const Channel& channel : channels_) states_.push_back({channel.name});
}

void ChannelWatermarks::Restore(const std::vector<ChannelState>& states, int64_t watermark) {
  for (ChannelState& mine : states_) {
    const auto stored = std::find_if(states.begin(), states.end(), [&mine](const ChannelState& s) {
      return s.name == mine.name;
    });
    mine = stored == states.end() ? ChannelState{mine.name} : *stored;
  }
  now_ = next_idle_ = ChannelState::kNever;
  // Of channels that are gone, too: time does not go back with them.
  for (const ChannelState& s : states) now_ = std::max(now_, s.heard);
  watermark_ = watermark;
}

void ChannelWatermarks::Hear(size_t channel, int64_t received) {
  if (received < kPlausibleTime) return;
  if (received > now_) {
    now_ = received;
    if (now_ >= next_idle_) FindIdle();
  }
  states_[channel].heard = now_;
}

void ChannelWatermarks::FindIdle() {
  bool changed = false;
  next_idle_ = std::numeric_limits<int64_t>::max();
  for (size_t i = 0; i < states_.size(); ++i) {
    ChannelState& state = states_[i];
    if (!channels_[i].idle || !state.counts) continue;
    // What was never heard is waited for from the first record of any.
    if (state.heard == ChannelState::kNever) state.heard = now_;
    const int64_t due = SaturatingAdd(state.heard, channels_[i].idle->us);
    if (due <= now_) {
      state.counts = false;
      changed = true;
    } else {
      next_idle_ = std::min(next_idle_, due);
    }
  }
  if (changed) Combine();
}

void ChannelWatermarks::Raise(size_t channel, int64_t watermark) {
  ChannelState& state = states_[channel];
  if (watermark <= state.watermark) {
    // It may have been far ahead of the others before it fell silent.
    if (state.counts || state.watermark < watermark_) return;
  }
  const bool least = state.watermark <= watermark_;
  state.watermark = std::max(state.watermark, watermark);
  if (!state.counts) {
    if (state.watermark < watermark_) return;
    state.counts = true;
    next_idle_ = ChannelState::kNever;  // it can become idle again
    Combine();
  } else if (least) {
    Combine();
  }
}

void ChannelWatermarks::RaiseAll(int64_t watermark) {
  for (ChannelState& state : states_) state.watermark = std::max(state.watermark, watermark);
  watermark_ = std::max(watermark_, watermark);
  Combine();
}

void ChannelWatermarks::Combine() {
  int64_t least = std::numeric_limits<int64_t>::max();
  bool any = false;
  for (const ChannelState& state : states_) {
    if (!state.counts) continue;
    any = true;
    least = std::min(least, state.watermark);
  }
  if (any) watermark_ = std::max(watermark_, least);
}

}  // namespace rivulet
