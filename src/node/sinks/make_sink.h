// From a pipeline's declaration to the sink it asks for.
#pragma once

#include <memory>
#include <string>

#include "node/sinks/sink.h"

namespace rivulet {

// `link` and `refused` are used by MQTT sinks only, may be null without one, and outlive the
// sink. Errors: those
// of the New...Sink functions.
Result<std::unique_ptr<Sink>> MakeSink(const SinkSpec& spec, const std::string& pipeline,
                                       MqttLink* link, RefusedResults* refused = nullptr);

}  // namespace rivulet
