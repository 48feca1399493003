// The line that 'systemctl status' shows of a running node.
#pragma once

#include <string>

#include "node/live/node_status.h"

namespace rivulet {

// What `now` says, with rates since `before`, an earlier status of the same node:
// "2 pipelines, 120 messages/s, 240 records/s, lag 0, broker tcp://localhost:1883".
std::string ServiceStatusLine(const NodeStatus& before, const NodeStatus& now);

}  // namespace rivulet
