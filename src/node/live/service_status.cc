#include "node/live/service_status.h"

#include <algorithm>

namespace rivulet {
namespace {

// Rounded. Counters of pipelines begin anew when these are changed: then there is no rate.
uint64_t Rate(uint64_t before, uint64_t now, int64_t us) {
  if (now <= before || us <= 0) return 0;
  return static_cast<uint64_t>(static_cast<double>(now - before) * 1e6 / static_cast<double>(us) + 0.5);
}

uint64_t Records(const NodeStatus& s) {
  uint64_t records = 0;
  for (const PipelineStatus& p : s.pipelines) records += p.counters.records;
  return records;
}

}  // namespace

std::string ServiceStatusLine(const NodeStatus& before, const NodeStatus& now) {
  const int64_t us = now.uptime_us - before.uptime_us;
  uint64_t lag = 0, waiting = 0;
  for (const PipelineStatus& p : now.pipelines) {
    lag = std::max(lag, p.lag);
    waiting += p.outputs_waiting;
  }
  std::string line = std::to_string(now.pipelines.size()) +
                     (now.pipelines.size() == 1 ? " pipeline, " : " pipelines, ");
  line += std::to_string(Rate(before.journal.appended_entries, now.journal.appended_entries, us)) +
          " messages/s, " + std::to_string(Rate(Records(before), Records(now), us)) + " records/s, lag " +
          std::to_string(lag);
  if (waiting > 0) line += ", " + std::to_string(waiting) + " results waiting";
  if (now.paused) {
    line += ", disk nearly full: not reading from MQTT";
  } else if (now.lane.connected) {
    line += ", broker " + now.lane.broker;
  } else {
    line += ", no broker" + (now.lane.last_error.empty() ? "" : ": " + now.lane.last_error);
  }
  return line;
}

}  // namespace rivulet
