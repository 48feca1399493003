// From a pipeline's declaration to the sink it asks for.
#pragma once

#include <memory>
#include <string>

#include "node/sinks/sink.h"

namespace rivulet {

// `link` and `refused` are used by MQTT sinks only and may be null without one; `files` is used by
// file sinks. All
// outlive the sink. Errors: those of the New...Sink functions.
Result<std::unique_ptr<Sink>> MakeSink(const SinkSpec& spec, const std::string& pipeline,
                                       MqttLink* link, FileSystem* files,
                                       RefusedResults* refused = nullptr);

}  // namespace rivulet
