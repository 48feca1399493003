#include "node/engine/output_bound.h"

#include <string>

namespace rivulet {

bool OutputBound::Full(const Pipeline& pipeline) const {
  // One whose sinks keep up does not wait for those of others.
  return held_ > limit_ && pipeline.HeldBytes() > limit_ / pipelines_;
}

void OutputBound::Look(const PipelineSet& pipelines) {
  held_ = 0;
  pipelines_ = pipelines.size();
  for (const RunningPipeline& r : pipelines) held_ += r.pipeline->HeldBytes();
  std::string names;
  for (const RunningPipeline& r : pipelines) {
    if (Full(*r.pipeline)) names += (names.empty() ? "'" : ", '") + r.pipeline->name() + "'";
  }
  if (names.empty() == !full_) return;
  full_ = !names.empty();
  if (full_) {
    log_('e', "outputs of " + names + " have reached 'state.outputs' as their sinks do not take them: "
              "processing pauses until they do; the journal holds what comes");
  } else {
    log_('i', "sinks have taken results: processing goes on");
  }
}

}  // namespace rivulet
