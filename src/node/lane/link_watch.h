// LinkWatch: says in the log how the links to the broker are.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/log_message.h"
#include "base/types.h"
#include "transport/mqtt_link.h"

namespace rivulet {

// Each change is one line; what comes and goes again and again is one line a minute, which counts.
class LinkWatch {
 public:
  // `role`: "broker (input)".
  explicit LinkWatch(std::string role) : role_(std::move(role)) {}

  void Look(Monotonic now, const MqttLinkStats& link, const LogFunction& log);

 private:
  static constexpr size_t kStates = static_cast<size_t>(LinkState::kNotTaken) + 1;
  static constexpr Duration kRepeatAfter = Duration::Seconds(60);

  void SayTrouble(Monotonic now, const MqttLinkStats& link, const LogFunction& log);

  const std::string role_;
  uint64_t troubles_ = 0;        // as last seen
  uint64_t connects_ = 0;
  bool well_ = false;            // as last said
  uint64_t unsaid_ = 0;          // troubles since the last line
  std::array<Monotonic, kStates> said_{};  // when a trouble was last spoken of; 0: never
};

}  // namespace rivulet
