// Publish loops: pipelines whose results come back to them over the broker.
//
// A pipeline publishes into a source for certain when the source's filter covers every topic that a sink
// (also of late records and dead letters) can make. A circle of such steps, and of pipelines that read each
// other's results, would feed itself for ever. Where topics only may meet, the fields decide when results are
// there: the node then stops the one result that would close a circle (RefusedResults::ComesBack).
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "node/config/config_error.h"
#include "node/config/spec.h"
#include "transport/topic.h"

namespace rivulet {

// Reports each circle once (kMqttCycle), where one of it publishes, and adds all that are in it to `faulty`.
void CheckPublishLoops(std::span<const PipelineSpec* const> pipelines, std::set<size_t>* faulty,
                       ConfigErrors* errors);

// By pipeline: the topics that lead back to it for certain: its own sources, and those of pipelines whose
// results come to it.
std::map<std::string, std::vector<TopicPattern>, std::less<>> TopicsThatComeBack(
    std::span<const PipelineSpec* const> pipelines);

}  // namespace rivulet
