// How our options are said to Paho: the same for the link that works and the probe that looks for
// faults.
#pragma once

#include <mqtt/connect_options.h>

#include "transport/mqtt_link.h"

namespace rivulet {

// Publishes of the link's own (status) beside the caller's max_inflight.
constexpr int kPahoOwnPublishes = 16;
constexpr int kPahoConnectTimeoutSeconds = 10;

// Paho stops its threads, for up to a second, when its last client goes, and starts them with the
// next. One client that never connects keeps them; it lives as long as the process.
void KeepPahoRunning();

// `tls`: the broker's address asks for it.
mqtt::connect_options PahoConnectOptions(const MqttOptions& options, bool tls);

}  // namespace rivulet
