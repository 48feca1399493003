// LogId: which log a position lies in.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

#include "base/types.h"

namespace rivulet {

// A lane's journal (of a replay: its input), or a pipeline's results.
class LogId {
 public:
  constexpr LogId() = default;  // lane 0
  static constexpr LogId OfLane(LaneId lane) {
    return LogId(lane.value == 0 ? 0 : kLanesFrom + lane.value);
  }
  static constexpr LogId OfResults(uint16_t pipeline_id) { return LogId(pipeline_id + 1u); }

  // As it is stored: 0 is lane 0, then come the results of pipeline 0, 1 ..., behind them lanes 1, 2 ...
  constexpr uint32_t code() const { return code_; }
  static constexpr std::optional<LogId> FromCode(uint64_t code) {
    if (code > kLanesFrom + UINT16_MAX) return std::nullopt;
    return LogId(static_cast<uint32_t>(code));
  }

  auto operator<=>(const LogId&) const = default;

 private:
  static constexpr uint32_t kLanesFrom = UINT16_MAX + 1u;
  explicit constexpr LogId(uint32_t code) : code_(code) {}
  uint32_t code_ = 0;
};

}  // namespace rivulet
