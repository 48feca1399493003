#include "node/live/stall_detector.h"

#include <algorithm>

namespace rivulet {

StallDetector::StallDetector(const Heartbeats* heartbeats, ThreadStates* states, Duration limit)
    : heartbeats_(heartbeats), states_(states), limit_(limit) {}

bool StallDetector::Excused(const Heartbeat& heartbeat, bool others_work) {
  if (heartbeat.activity() == Activity::kWaiting && others_work) return true;
  const ThreadState state = states_->Of(heartbeat.thread_id());
  return state == ThreadState::kWaitsForDisk ||
         (state == ThreadState::kSleeps && states_->AnyWaitsForDisk());
}

std::vector<std::string> StallDetector::Sample(Monotonic now) {
  const Duration step = sampled_ ? std::clamp(now - last_, Duration{}, Duration{limit_.us / 4})
                                 : Duration{};
  sampled_ = true;
  last_ = now;
  int working = 0;
  heartbeats_->ForEach([&working](const Heartbeat& h) {
    working += h.activity() == Activity::kWorking ? 1 : 0;
  });
  std::vector<std::string> stuck;
  heartbeats_->ForEach([&](const Heartbeat& h) {
    const auto [it, fresh] = seen_.try_emplace(&h);
    Seen& seen = it->second;
    const uint32_t beats = h.beats();
    if (fresh || beats != seen.beats || h.activity() == Activity::kIdle) {
      seen = {beats, Duration{}};
      return;
    }
    if (!Excused(h, working > 0)) seen.stuck.us += step.us;
    if (seen.stuck >= limit_) stuck.push_back(h.name());
  });
  return stuck;
}

}  // namespace rivulet
