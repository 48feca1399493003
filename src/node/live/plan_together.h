// From pipeline files to plans that can run together.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/log_message.h"
#include "node/config/spec.h"
#include "node/engine/pipeline_set.h"
#include "node/plan/pipeline_plan.h"

namespace rivulet {

// A pipeline file as read: the text decides whether a reload changes anything.
struct PipelineSource {
  PipelineSpec spec;
  std::string text;
  bool readable = true;  // false: only spec.file is set, the file's faults were reported
};

using PipelinePlans = std::vector<std::unique_ptr<PipelinePlan>>;

// Plans each, warnings going to the log; null where that cannot be done, for reasons in `errors`. True when
// all can.
bool PlanAll(const NodeSpec& node, const std::vector<PipelineSource>& sources, const LogFunction& log,
             ConfigErrors* errors, PipelinePlans* plans);

// Takes back the plans of pipelines that cannot read others' results as they want to, and reports why. When a
// running one that is to stop is still read by one that goes on, it is added to `sources`. Returns the order
// in which sources are to be started.
std::vector<size_t> SettleChains(const PipelineSet& running, const LogFunction& log,
                                 std::vector<PipelineSource>* sources, ConfigErrors* errors,
                                 PipelinePlans* plans);

}  // namespace rivulet
