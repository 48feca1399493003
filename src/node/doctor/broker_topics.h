// Topics on which mosquitto tells how it is doing.
#pragma once

namespace rivulet {

// Messages dropped since the broker's start, over limits of queues and of inflight messages.
inline constexpr char kDroppedTopic[] = "$SYS/broker/publish/messages/dropped";
inline constexpr char kVersionTopic[] = "$SYS/broker/version";

}  // namespace rivulet
