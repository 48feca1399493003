// Sources that are the results of another pipeline.
#include <limits>

#include "node/plan/planner.h"

namespace rivulet {

// Live, results come with their time and with W, out of the output log. A file of them has neither: its W is
// made of their times, as that of any file.
void Planner::PlanUpstream() {
  SourcePlan& source = plan_->source;
  source.pipeline = spec_.source.pipeline.text;
  source.brings_watermark = !source.pipeline.empty() && !options_.replay;
}

void Planner::PlanResultTime() {
  SourcePlan& source = plan_->source;
  if (source.brings_watermark) {
    source.arrival_time = true;
    return;
  }
  const auto column_of = [this](const char* name) {
    if (const std::optional<expr::Field> field = scope_.Resolve(name)) return field->column;
    // Fields were declared, and this is none of them.
    const uint32_t column = scope_.Define(name, MaskOf(Type::kInt) | MaskOf(Type::kNull));
    return column;
  };
  source.start_column = column_of("window_start");
  source.time_column = column_of("window_end");
  source.time.unit = TimeUnit::kMillis;
  TakeNewFields();
}

}  // namespace rivulet
