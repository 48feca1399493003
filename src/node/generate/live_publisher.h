// Publishes made-up readings to a broker in real time and waits for every acknowledgement.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/status.h"
#include "base/types.h"
#include "node/generate/reading_stream.h"
#include "transport/mqtt_link.h"

namespace rivulet {

struct LiveOptions {
  ReadingStreamOptions stream;
  bool start_now = true;        // the wall clock replaces stream.start once connected
  bool paced = true;            // false: as fast as acknowledged, event time is the wall clock
  std::string topic;            // template
  int qos = 1;
  Duration connect_timeout = Duration::Seconds(10);
  Duration stall_timeout = Duration::Seconds(30);  // without an acknowledgement: give up
};

// What publishing needs from around it: the seam for clocks and the terminal.
struct LiveHooks {
  std::function<Now()> now;
  std::function<void(Monotonic until)> sleep_until;
  std::function<bool()> interrupted;
  std::function<void(uint64_t acknowledged)> progress;
};

struct LiveReport {
  uint64_t sent = 0;          // readings handed to the broker connection, each counted once
  uint64_t acknowledged = 0;
  uint64_t errors = 0;        // lost connections that made readings be sent again
  bool interrupted = false;
  Duration elapsed;
};

// Publishes until all readings are acknowledged, or, after an interruption, those already sent.
// Readings that are still held back when the last one has been made are sent at once, so a run
// takes no longer than its readings. `link` must be started. Errors: kBrokerUnreachable when the
// connection does not come up in time; kBadTopicPattern. A stall is no error: it shows in the
// report as sent > acknowledged.
Result<LiveReport> PublishLive(const LiveOptions& options, const LiveHooks& hooks, MqttLink* link);

}  // namespace rivulet
