// Whether the files that a pipeline's tables are read from can be read now.
#pragma once

#include "node/config/config_error.h"
#include "node/plan/pipeline_plan.h"

namespace rivulet {

// Reads them all, and reports every fault with its place in the pipeline file.
bool CheckTableFiles(const PipelinePlan& plan, ConfigErrors* errors);

}  // namespace rivulet
