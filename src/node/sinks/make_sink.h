// From a pipeline's declaration to the sink it asks for.
#pragma once

#include <memory>
#include <string>

#include "node/sinks/sink.h"

namespace rivulet {

// `link` is used by MQTT sinks only, may be null without one, and outlives the sink, as does `files`, which
// file sinks use. Errors: those of the New...Sink functions.
Result<std::unique_ptr<Sink>> MakeSink(const SinkSpec& spec, const std::string& pipeline,
                                       MqttLink* link, FileSystem* files);

}  // namespace rivulet
