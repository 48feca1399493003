// OutputBound: a pipeline for whose sinks too much waits takes in nothing more. The log it reads holds what
// comes.
#pragma once

#include <cstdint>

#include "base/log_message.h"
#include "node/engine/pipeline_set.h"

namespace rivulet {

// One thread (the engine's).
class OutputBound {
 public:
  // `limit`: bytes of outputs that not all sinks have, of all pipelines.
  OutputBound(uint64_t limit, LogFunction log) : limit_(limit), log_(std::move(log)) {}

  // Looks how much waits; changes are said in the log.
  void Look(const PipelineSet& pipelines);
  // Whether, as of the last look, the pipeline takes in nothing more.
  bool Full(const Pipeline& pipeline) const;
  // Whether any is, as last said.
  bool any_full() const { return full_; }

 private:
  const uint64_t limit_;
  const LogFunction log_;
  uint64_t held_ = 0;
  size_t pipelines_ = 0;
  bool full_ = false;
};

}  // namespace rivulet
