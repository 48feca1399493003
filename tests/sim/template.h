// Template: a pipeline that simulated lives may have. Every template publishes under its own name:
// out/NAME/N/..., late/NAME and dead/NAME.
#pragma once

#include "sim/scenario.h"

namespace rivulet::sim {

struct Template {
  const char* yaml;
  // The edit that a reload brings: this text becomes that.
  const char* before;
  const char* after;
};

Scenario::PipelineText Edited(const Template& one);

// Adds pipelines of several sources and joins of them to some scenarios: see several_sources.cc.
void ChooseSourcePipelines(Scenario* s);

// Filters that overlap, brokers that send a copy for each, retained messages: see overlapping_filters.cc.
void ChooseOverlaps(Scenario* s);

}  // namespace rivulet::sim
