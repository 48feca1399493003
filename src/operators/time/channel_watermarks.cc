#include "operators/time/channel_watermarks.h"

#include <algorithm>

namespace rivulet {

ChannelWatermarks::ChannelWatermarks(const std::vector<Channel>& channels)
    : channels_(channels), silent_(channels.size()) {
  for (const Channel& channel : channels_) {
    states_.push_back({channel.name});
    by_arrival_ = by_arrival_ || channel.arrival;
  }
}

void ChannelWatermarks::Restore(const std::vector<ChannelState>& states, const ListeningState& listening,
                                int64_t watermark) {
  for (ChannelState& mine : states_) {
    const auto stored = std::find_if(states.begin(), states.end(), [&mine](const ChannelState& s) {
      return s.name == mine.name;
    });
    mine = stored == states.end() ? ChannelState{mine.name} : *stored;
  }
  listening_ = listening;
  // Of channels that are gone, too: time does not go back with them.
  for (const ChannelState& s : states) listening_.now = std::max(listening_.now, s.heard);
  watermark_ = watermark;
  next_idle_ = ChannelState::kNever;  // which are idle is found as soon as time goes on
}

void ChannelWatermarks::Hear(size_t channel, int64_t received) {
  if (received == 0) return;
  if (received > listening_.now) Pass(received);
  states_[channel].heard = listening_.now;
  if (!silent_[channel]) return;
  silent_[channel] = false;
  all_idle_ = false;
  next_idle_ = ChannelState::kNever;  // it can become idle again
}

void ChannelWatermarks::Tick(int64_t received) {
  // As long as there was no record, there is nothing to go on from.
  if (received <= listening_.now || (listening_.now == ChannelState::kNever && !by_arrival_)) return;
  Pass(received);
}

void ChannelWatermarks::Resume(int64_t received) {
  if (received > listening_.now && listening_.now != ChannelState::kNever) {
    const int64_t gap = received - listening_.now;
    for (ChannelState& state : states_) {
      if (state.heard != ChannelState::kNever) state.heard = SaturatingAdd(state.heard, gap);
    }
  }
  if (received >= listening_.now && (listening_.now != ChannelState::kNever || by_arrival_)) {
    listening_ = {received, received};
    next_idle_ = ChannelState::kNever;
    Pass(received);
  }
}

void ChannelWatermarks::Pass(int64_t received) {
  listening_.now = received;
  for (size_t i = 0; by_arrival_ && i < channels_.size(); ++i) {
    if (channels_[i].arrival) Raise(i, SaturatingSub(received, channels_[i].arrival->us));
  }
  if (received >= next_idle_) FindIdle();
  if (all_idle_) GoOn();
}

void ChannelWatermarks::FindIdle() {
  const int64_t now = listening_.now;
  bool changed = false;
  next_idle_ = std::numeric_limits<int64_t>::max();
  all_idle_ = !states_.empty();
  for (size_t i = 0; i < states_.size(); ++i) {
    ChannelState& state = states_[i];
    silent_[i] = false;
    if (!channels_[i].idle || channels_[i].arrival) {
      all_idle_ = false;
      continue;
    }
    // What was never heard is waited for from the first record of any.
    if (state.heard == ChannelState::kNever) state.heard = now;
    const int64_t idle = channels_[i].idle->us;
    const int64_t due = std::max(SaturatingAdd(state.heard, idle),
                                 SaturatingAdd(listening_.resumed, std::min(idle, kCatchUp)));
    if (due <= now) {
      silent_[i] = true;
      changed = changed || state.counts;
      state.counts = false;
    } else {
      all_idle_ = false;
      next_idle_ = std::min(next_idle_, due);
    }
  }
  if (changed) Combine();
}

void ChannelWatermarks::GoOn() {
  // The last one that fell idle; of several at one time the one that is least far.
  const ChannelState* last = nullptr;
  int64_t since = 0;
  for (size_t i = 0; i < states_.size(); ++i) {
    const ChannelState& state = states_[i];
    if (state.watermark == ChannelState::kNever) continue;
    const int64_t idle_at = SaturatingAdd(state.heard, channels_[i].idle->us);
    const bool later = last == nullptr || idle_at > since;
    if (!later && (idle_at < since || state.watermark >= last->watermark)) continue;
    last = &state;
    since = idle_at;
  }
  if (last == nullptr) return;
  watermark_ = std::max(watermark_, SaturatingAdd(last->watermark, listening_.now - last->heard));
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
