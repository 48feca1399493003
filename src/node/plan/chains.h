// Chains: pipelines that read each other's results, seen together.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "node/config/config_error.h"
#include "node/config/spec.h"

namespace rivulet {

// Indexes of `pipelines`, each behind that of the pipeline it reads, where that is among them; otherwise in
// the order given. Members of circles come last.
std::vector<size_t> ChainOrder(std::span<const PipelineSpec* const> pipelines);

// Reports, once each: a pipeline that reads one that is not among `pipelines` (kUnknownPipeline), pipelines
// in a circle (kPipelineCycle; kMqttCycle where it goes over the broker), a
// pipeline without sinks that nobody reads (kMissingSetting). Returns the
// indexes of those at fault, ascending; of a circle, all that are in it. With `all` false `pipelines` are
// perhaps not all there are: one that is read may be elsewhere.
std::vector<size_t> CheckChains(std::span<const PipelineSpec* const> pipelines, bool all,
                                ConfigErrors* errors);

}  // namespace rivulet
