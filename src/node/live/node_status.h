// NodeStatus: the figures of a node at one moment, and the two forms they are shown in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "node/engine/engine.h"
#include "node/engine/pipeline_tables.h"
#include "node/engine/pipeline_task.h"
#include "node/sinks/sink.h"
#include "operators/time/channel_watermarks.h"
#include "state/journal.h"
#include "state/store.h"
#include "transport/mqtt_link.h"

namespace rivulet {

// Counted since the start of the process.
struct NodeCounters {
  CommitCounters commits;
  uint64_t note_bytes = 0;          // of delivery notes
};

struct PipelineStatus {
  std::string name;
  PipelineCounters counters;
  int64_t watermark_us = 0;         // int64 min: nothing seen yet
  std::vector<ChannelState> inputs; // of several sources; empty when it has one
  bool waits = false;               // an open window or the like: W going on would bring something about
  bool follows_time = false;        // and W can go on without a record
  std::string reads;                // the pipeline whose results it reads; empty: the journal
  uint64_t offset = 0;              // of the next entry it reads there
  uint64_t lag = 0;                 // entries not read yet
  size_t state_panes = 0;
  size_t state_bytes = 0;
  uint64_t outputs_waiting = 0;
  std::vector<SinkStats> sinks;
  std::vector<TableStats> tables;
};

struct NodeStatus {
  std::string name;
  std::string version;
  int64_t uptime_us = 0;
  int64_t wall_us = 0;
  bool started = false;             // pipelines run
  bool ready = false;               // and it can do its work: `trouble` is empty
  std::string trouble;              // what keeps it from that
  bool paused = false;              // not reading from MQTT: disk nearly full
  std::string error;                // why it cannot go on; empty: it can
  MqttLinkStats lane, sink;
  uint64_t refused = 0;
  std::string clock;                // "known", or what is assumed of it
  JournalStats journal;
  StoreStats store;
  NodeCounters counters;
  std::vector<PipelineStatus> pipelines;
};

// The answer of /api/v1/status.
std::string StatusJson(const NodeStatus& status);
// The answer of /metrics: Prometheus text.
std::string StatusMetrics(const NodeStatus& status);

}  // namespace rivulet
