// Node: the daemon without its threads: a lane, an engine that runs pipelines over its journal, and the sinks
// their results go to. Step(now) advances everything that is due. `rivulet run` puts threads and signals
// around it, the simulation a clock of its own.
//
//   link thread   ──Lane──►  journal          (before the message is acknowledged)
//   Step          journal ──Engine──► outputs ──► sinks
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log_message.h"
#include "base/status.h"
#include "base/types.h"
#include "node/config/spec.h"
#include "node/engine/background.h"
#include "node/engine/engine.h"
#include "node/engine/task_runner.h"
#include "node/lane/lane.h"
#include "node/lane/link_watch.h"
#include "node/live/node_sinks.h"
#include "node/live/node_status.h"
#include "node/live/plan_together.h"
#include "state/file.h"
#include "state/store.h"
#include "transport/mqtt_link.h"

namespace rivulet {

// What a node stands on. All must outlive it.
struct NodeParts {
  FileSystem* files = nullptr;
  Store* store = nullptr;
  MqttLink* lane_link = nullptr;    // subscribes; persistent session
  MqttLink* sink_link = nullptr;    // publishes results; clean session
  TaskRunner* runner = nullptr;
  Background* committer = nullptr;  // commits, and the journal syncs they need
  Background* syncer = nullptr;     // journal syncs in between
  std::function<Now()> clock;       // called on any thread
  std::function<bool()> clock_known;  // the machine knows the date; called now and then; null: it does
  std::function<void()> wake;       // something arrived: Step soon; called on any thread; may be null
  std::function<void(Duration)> wait;  // until woken, at most this long; may be null
  // The most messages a broker sends without an acknowledgement. So many entries of the journal are kept
  // whatever retention says: what comes again after a restart must be known.
  uint64_t redelivery_window = 1024;
  // A large close: about so many results at once; see PipelineOptions.
  size_t results_per_step = PipelineOptions().results_per_step;
  LogFunction log;
};

class Node {
 public:
  Node(const NodeSpec& spec, const NodeParts& parts);
  ~Node();

  // Opens the journal and starts the pipelines, then the links. Errors: those of store and journal; a
  // pipeline that cannot be planned is refused with its faults in `errors` and nothing is started.
  Status Open(std::vector<PipelineSource> pipelines, ConfigErrors* errors);

  // Does what is due. True when there is more to do at once.
  bool Step(Now now);

  // Takes over a new set of pipeline files: unchanged ones are not touched; changed ones are replaced and
  // keep the windows they still have; those no longer there stop. When any cannot be planned, or opened,
  // it is reported in `errors`, and the old one of that name goes on.
  Status Reload(std::vector<PipelineSource> pipelines, Now now, ConfigErrors* errors);

  // The end: stops ingest, processes what is journaled, commits, gives sinks the time until `deadline`, and
  // commits how far they got.
  Status Stop(Monotonic deadline);

  // Not ok: something that cannot be gone on from (the store is damaged or full).
  const Status& status() const { return engine_->status(); }
  bool ready() const { return ready_ && status().ok(); }
  NodeStatus Describe(Now now) const;

 private:
  Status FinishClosing(Now now);
  // Brings one pipeline of a reload into the engine: the old one of `before`, or one by the new plan.
  Status Replace(PipelineSource* source, std::unique_ptr<PipelinePlan> plan, PipelineSet::Members* before,
                 Now now, ConfigErrors* errors);
  std::vector<WantedFilter> Wanted() const;
  void Subscribe();
  void WatchDisk(Now now);
  void WatchTables(Now now);
  void WatchSinks(Now now);
  void WatchSinkLink(Now now);

  const NodeSpec spec_;
  const NodeParts parts_;
  const Monotonic started_;
  Lane lane_;
  NodeSinks sinks_;
  LinkWatch sink_link_watch_{"broker, output"};
  std::unique_ptr<Engine> engine_;
  Monotonic last_disk_check_, last_table_check_, last_sink_check_, last_link_check_;
  bool ready_ = false;
  bool stopping_ = false;
  bool paused_ = false;
};

}  // namespace rivulet
