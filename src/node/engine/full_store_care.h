// FullStoreCare: how an engine goes on whose store has no room for a commit, and none will come by itself.
//
// Pipelines go on one at a time, each with few messages, small steps of closes and a commit after each, so
// that they fit if they can at all: fewer after each commit that fails, more after each that is made. A
// message that alone finds no room is put aside as a dead letter; when even that has no room, it is left out.
// In both cases W goes on by its event times: windows close, and make room.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/log_message.h"
#include "node/engine/commit_cycle.h"
#include "node/engine/pipeline_set.h"

namespace rivulet {

// One thread (the engine's).
class FullStoreCare {
 public:
  // `most_messages`: of a turn. The others: of a step of a close, see PipelineOptions.
  FullStoreCare(size_t most_messages, size_t results_per_step, size_t outputs_per_step, LogFunction log)
      : most_messages_(most_messages),
        results_per_step_(results_per_step),
        outputs_per_step_(outputs_per_step),
        log_(std::move(log)) {}

  bool on() const { return !messages_.empty(); }
  // A commit found no room, and is too large. False: there is nothing that could be made smaller.
  bool Begin(const PipelineSet& pipelines, const Commit& commit);
  // A pipeline is to be handled with care, as ever since Begin.
  void Limit(Pipeline* pipeline) const;
  // How many messages its turn may have, of `most`.
  size_t MostMessages(const std::string& pipeline, size_t most) const;
  bool TakesOne(const std::string& pipeline) const { return MostMessages(pipeline, 2) == 1; }
  // A commit of the pipeline was made: its next may be larger. True when it needs no care any more, nor does
  // any other.
  bool Relax(const PipelineSet& pipelines, const std::string& pipeline);
  // What did not fit is behind.
  void End(const PipelineSet& pipelines);

  // Messages that were read for the pipeline, of which the one that is put aside does nothing but move W.
  // Rows of tables are left out whole; ticks have no more than their time. Valid until the next call.
  std::span<const InputMessage> PutAside(const std::string& pipeline, std::span<const InputMessage> messages);
  // Whether the message put aside lies in [from, to).
  bool HasAside(const std::string& pipeline, uint64_t from, uint64_t to) const;

 private:
  bool Refuse(const Commit& commit);

  struct Aside {
    uint64_t offset;
    bool silent;       // even a dead letter has no room
  };
  const size_t most_messages_, results_per_step_, outputs_per_step_;
  const LogFunction log_;
  std::map<std::string, size_t> messages_;  // of a turn, by pipeline; empty: as ever
  std::map<std::string, Aside> aside_;
  std::vector<InputMessage> left_;   // scratch
  std::deque<std::string> reasons_;
};

}  // namespace rivulet
