// NodeSinks: makes the sinks of a node's pipelines, and knows what all of them share: the link they publish
// by, the notes of what they have delivered, the file of results that a broker refused.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/log_message.h"
#include "base/status.h"
#include "base/types.h"
#include "node/config/spec.h"
#include "node/engine/delivery_notes.h"
#include "node/engine/pipeline_set.h"
#include "node/live/sink_watch.h"
#include "node/sinks/refused_file.h"
#include "state/delta.h"
#include "state/file.h"
#include "state/store.h"
#include "transport/mqtt_link.h"

namespace rivulet {

// The engine's thread.
class NodeSinks {
 public:
  // All must outlive it.
  NodeSinks(const NodeSpec& spec, FileSystem* files, MqttLink* link, const std::function<Now()>& clock,
            LogFunction log);

  // Before the first pipeline. Errors: those of the store.
  Status Open(const Store& store);
  // Those of a pipeline that is being opened. What is to be remembered goes into `delta`, for the next
  // commit.
  Status OpenOf(Pipeline* pipeline, Delta* delta);
  // Results of some pipelines may come back as input of others: see TopicsThatComeBack.
  void SetReaders(const PipelineSet& pipelines);
  // Says in the log how they are.
  void Look(const PipelineSet& pipelines);

  CommitListener* listener() { return &notes_; }
  uint64_t note_bytes() const { return notes_.bytes_written(); }

 private:
  Status Add(Pipeline* pipeline, ChannelKind kind, const std::vector<SinkSpec>& sinks);

  const NodeSpec& spec_;
  FileSystem* const files_;
  MqttLink* const link_;
  const LogFunction log_;
  RefusedFile refused_results_;
  DeliveryNotes notes_;
  SinkWatch watch_;
};

}  // namespace rivulet
