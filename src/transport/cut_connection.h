// Cuts TCP connections of this process from below the library that owns them.
#pragma once

#include <cstdint>

namespace rivulet {

// Shuts down, in both directions, every TCP connection of this process whose far end has `port`;
// with port 0, every connection it has. The descriptors stay open and stay their owner's, who finds
// its next write refused: nothing more reaches the wire. Returns how many were shut down.
//
// Paho 1.3.12 acknowledges a message whatever its callback returns, and does not tell which
// descriptor is its own. When the journal cannot take a message this is what keeps the PUBACK from
// the broker. Other links to the same broker port go down with it; they reconnect, and what was
// unacknowledged comes again.
//
// Linux. Any thread.
int CutConnectionsTo(uint16_t port);

}  // namespace rivulet
