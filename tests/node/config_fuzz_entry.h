// What a fuzzer does with its bytes: both readers must come back, with a spec or with errors that
// can be shown, and never with both.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

#include "node/config/reader.h"

namespace rivulet {

inline void FuzzConfig(std::string_view bytes) {
  const auto require = [](bool holds) {
    if (!holds) std::abort();
  };
  ConfigErrors errors;
  PipelineSpec pipeline;
  const bool pipeline_ok = ReadPipeline(bytes, "fuzz.yaml", &pipeline, &errors);
  require(pipeline_ok == errors.empty());
  for (const ConfigError& error : errors) {
    require(error.code != ErrorCode::kOk && !error.ToString().empty());
    require(error.line >= 0 && error.column >= 0);
  }
  if (pipeline_ok) {
    require(!pipeline.name.text.empty());
    require(pipeline.source.topics.empty() != pipeline.source.pipeline.text.empty());
  }
  errors.clear();
  NodeSpec node;
  const bool node_ok = ReadNode(bytes, "fuzz.yaml", &node, &errors);
  require(node_ok == errors.empty());
  if (node_ok) require(!node.name.empty() && !node.mqtt.brokers.empty());
}

}  // namespace rivulet
