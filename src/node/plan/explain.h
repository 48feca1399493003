// Explain: a plan as text for people: stages, state, exchange, outputs.
#pragma once

#include <string>

#include "node/plan/pipeline_plan.h"

namespace rivulet {

std::string ExplainPlan(const PipelinePlan& plan, uint16_t partitions);

}  // namespace rivulet
