#include "node/live/node.h"

#include <algorithm>

#include "node/engine/heartbeat.h"
#include "node/tables/check_tables.h"

namespace rivulet {
namespace {

constexpr Duration kDiskCheckEvery = Duration::Seconds(2);
constexpr Duration kTableCheckEvery = Duration::Seconds(2);
constexpr Duration kSinkCheckEvery = Duration::Seconds(1);
constexpr Duration kLinkCheckEvery = Duration::Millis(100);
// What so many commits have said outlives a power cut.
constexpr int kUnsyncedCommitsForSure = 2;

LaneOptions LaneOf(const NodeSpec& spec, const NodeParts& parts) {
  LaneOptions options;
  options.journal = spec.journal;
  options.journal.directory = spec.data_directory + "/lane-0";
  options.sync_interval = spec.journal_interval;
  options.max_payload = spec.max_payload;
  options.qos = spec.mqtt_qos;
  options.commits_for_sure = spec.commit_sync ? 1 : kUnsyncedCommitsForSure;
  options.redelivery_window = parts.redelivery_window;
  return options;
}

LaneParts LanePartsOf(const NodeParts& parts) {
  return {parts.files, parts.store,       parts.lane_link, parts.syncer,
          parts.clock, parts.clock_known, parts.wake,      parts.log};
}

// Ready is who can take in what is sent to it.
std::string TroubleOf(const NodeStatus& s, bool wants_nothing) {
  if (!s.error.empty()) return s.error;
  // A node that waits for room on its disk goes on by itself, and the broker holds what comes.
  if (s.lane.connected || s.paused || wants_nothing) return "";
  return "no broker: " + std::string(LinkStateName(s.lane.state)) +
         (s.lane.reason.empty() ? "" : ", " + s.lane.reason);
}

EngineOptions EngineOf(const NodeSpec& spec, const NodeParts& parts) {
  EngineOptions options;
  options.turns.workers = std::max<uint32_t>(1, spec.workers);
  options.turns.results_per_step = parts.results_per_step;
  options.partitions = spec.partitions;
  options.state_memory = spec.state_memory;
  options.held_outputs = spec.state_outputs > 0 ? spec.state_outputs : spec.state_map_size / 2;
  options.commit_interval = spec.commit_interval;
  options.checkpoint_interval = spec.checkpoint_interval;
  options.commits_synced = spec.commit_sync;
  return options;
}

}  // namespace

Node::Node(const NodeSpec& spec, const NodeParts& parts)
    : spec_(spec),
      parts_(parts),
      started_(parts.clock().monotonic),
      lane_(LaneOf(spec, parts), LanePartsOf(parts)),
      sinks_(spec_, parts.files, parts.sink_link, parts.clock, parts.log) {
  EngineParts engine;
  engine.store = parts.store;
  engine.input = lane_.input();
  engine.runner = parts.runner;
  engine.committer = parts.committer;
  // Cursors must never point past what the journal has on the medium.
  if (spec.journal.sync != JournalSync::kNever) {
    engine.before_commit = [this] { return lane_.journal().Sync(); };
  }
  engine.open_sinks = [this](Pipeline* p) { return sinks_.OpenOf(p, engine_->remembered()); };
  engine.listeners = {lane_.session().listener(), sinks_.listener()};
  engine.clock = parts.clock;
  engine.wake = parts.wake;
  engine.log = parts.log;
  engine_ = std::make_unique<Engine>(EngineOf(spec, parts), std::move(engine));
}

Node::~Node() = default;

Status Node::Open(std::vector<PipelineSource> sources, ConfigErrors* errors) {
  PipelinePlans plans;
  const size_t faults = errors->size();
  std::vector<size_t> order;
  if (PlanAll(spec_, sources, parts_.log, errors, &plans)) {
    order = SettleChains(engine_->pipelines(), parts_.log, &sources, errors, &plans);
  }
  if (order.size() < sources.size() || errors->size() > faults) {
    return Status(ErrorCode::kBadSettingValue, "a pipeline cannot run");
  }
  RIVULET_RETURN_IF_ERROR(lane_.Open());
  RIVULET_RETURN_IF_ERROR(sinks_.Open(*parts_.store));
  for (const size_t i : order) {
    RIVULET_RETURN_IF_ERROR(engine_->Start(std::move(plans[i]), sources[i].text));
  }
  RIVULET_RETURN_IF_ERROR(engine_->Assemble());
  RIVULET_RETURN_IF_ERROR(lane_.OpenSession());
  Subscribe();
  // Without room for it it is tried again, as ever.
  const Status committed = engine_->CommitNow(parts_.clock());
  if (!Engine::WantsRoom(committed)) RIVULET_RETURN_IF_ERROR(committed);
  // Commits until now saw some of the pipelines only.
  engine_->RelyOn({});
  RIVULET_RETURN_IF_ERROR(parts_.sink_link->Start());
  RIVULET_RETURN_IF_ERROR(lane_.Start());
  ready_ = true;
  return Status::Ok();
}

bool Node::Step(Now now) {
  if (!status().ok()) return false;
  if (!stopping_) {
    lane_.KeepTime(now, [this](EventTime at, bool tell) {
      return engine_->pipelines().TickIsDue(at, tell);
    });
  }
  const bool more = engine_->Step(now);
  lane_.Sync(now);
  lane_.Trim(now, [this] { return engine_->ConsumedForSure(); }, engine_->remembered());
  WatchDisk(now);
  WatchTables(now);
  WatchSinks(now);
  lane_.WatchLink(now, engine_->remembered());
  WatchSinkLink(now);
  return more && status().ok();
}

void Node::WatchDisk(Now now) {
  if (stopping_ || now.monotonic - last_disk_check_ < kDiskCheckEvery) return;
  last_disk_check_ = now.monotonic;
  const Result<uint64_t> room = parts_.files->FreeBytes(spec_.data_directory);
  if (!room.ok()) return;
  // Some slack before going on, so that a disk at the limit does not make the link flap.
  const bool pause = paused_ ? *room < spec_.disk_reserve + spec_.disk_reserve / 4
                             : *room < spec_.disk_reserve;
  if (pause == paused_) return;
  paused_ = pause;
  parts_.lane_link->Pause(pause);
  if (pause) {
    parts_.log('e', "disk nearly full: not reading from MQTT until there is room; the broker holds "
                    "the messages of the session");
  } else {
    parts_.log('i', "there is room on the disk again: reading from MQTT");
  }
}

// Files that tables are read from: what has changed is swapped in between two turns.
void Node::WatchTables(Now now) {
  if (now.monotonic - last_table_check_ < kTableCheckEvery) return;
  last_table_check_ = now.monotonic;
  for (RunningPipeline& r : engine_->pipelines()) {
    r.pipeline->tables().Refresh(false, now.wall.us, parts_.log);
  }
}

void Node::WatchSinks(Now now) {
  if (now.monotonic - last_sink_check_ < kSinkCheckEvery) return;
  last_sink_check_ = now.monotonic;
  sinks_.Look(engine_->pipelines());
}

void Node::WatchSinkLink(Now now) {
  if (now.monotonic - last_link_check_ < kLinkCheckEvery) return;
  last_link_check_ = now.monotonic;
  sink_link_watch_.Look(now.monotonic, parts_.sink_link->Stats(), parts_.log);
}

std::vector<WantedFilter> Node::Wanted() const {
  std::vector<WantedFilter> wanted;
  for (const RunningPipeline& r : engine_->pipelines()) {
    const SourcePlan& source = r.pipeline->plan().source;
    for (size_t i = 0; i < source.sources(); ++i) {
      for (const TopicPattern& topic : source.at(i).topics) wanted.push_back({topic.filter()});
    }
    const std::vector<TablePlan>& tables = r.pipeline->plan().tables;
    for (size_t i = 0; i < tables.size(); ++i) {
      if (!tables[i].of_topic()) continue;
      for (const TopicPattern& topic : tables[i].source->topics) {
        wanted.push_back({topic.filter(), r.pipeline->tables().fresh(i), true});
      }
    }
  }
  return wanted;
}

void Node::Subscribe() {
  sinks_.SetReaders(engine_->pipelines());
  lane_.Subscribe(Wanted(), engine_->remembered());
}

// What the old text's windows closed with must not be lost to a new text that has other windows.
Status Node::FinishClosing(Now now) {
  for (RunningPipeline& r : engine_->pipelines()) {
    while (r.pipeline->closing()) {
      RIVULET_RETURN_IF_ERROR(r.pipeline->Continue(parts_.runner));
      RIVULET_RETURN_IF_ERROR(engine_->CommitNow(now));
    }
  }
  return Status::Ok();
}

Status Node::Reload(std::vector<PipelineSource> sources, Now now, ConfigErrors* errors) {
  RIVULET_RETURN_IF_ERROR(engine_->CommitNow(now));
  RIVULET_RETURN_IF_ERROR(FinishClosing(now));
  // Commits made below see some of the pipelines only.
  const Offset consumed = engine_->LeastCommitted();
  PipelinePlans plans;
  PlanAll(spec_, sources, parts_.log, errors, &plans);
  const std::vector<size_t> order =
      SettleChains(engine_->pipelines(), parts_.log, &sources, errors, &plans);
  PipelineSet::Members before = engine_->TakeAll();
  for (const size_t i : order) {
    RIVULET_RETURN_IF_ERROR(Replace(&sources[i], std::move(plans[i]), &before, now, errors));
  }
  for (const RunningPipeline& r : before) {
    if (r.pipeline == nullptr) continue;
    const std::string& name = r.pipeline->name();
    parts_.log('i', LogMessage("pipeline '" + name + "' stopped").Of(name));
  }
  RIVULET_RETURN_IF_ERROR(engine_->Assemble());
  Subscribe();
  parts_.lane_link->Retry();
  parts_.sink_link->Retry();
  const Status status = engine_->CommitNow(now);
  engine_->RelyOn(consumed);
  return status;
}

Status Node::Replace(PipelineSource* source, std::unique_ptr<PipelinePlan> plan, PipelineSet::Members* before,
                     Now now, ConfigErrors* errors) {
  const std::string& name = source->spec.name.text;
  // A file that cannot be read says no name: it keeps what came from it before.
  const auto old = std::find_if(before->begin(), before->end(), [&](const RunningPipeline& r) {
    if (r.pipeline == nullptr) return false;
    return source->readable ? r.pipeline->name() == name
                            : r.pipeline->plan().spec.file == source->spec.file;
  });
  const bool known = old != before->end();
  if ((known && old->text == source->text) || plan == nullptr || !CheckTableFiles(*plan, errors)) {
    if (!known) return Status::Ok();
    old->pipeline->tables().Refresh(true, now.wall.us, parts_.log);
    engine_->pipelines().Add(std::move(*old));
    return Status::Ok();
  }
  // The old one must let go of its files and cursors before the new one opens them.
  std::unique_ptr<PipelinePlan> fallback;
  std::string fallback_text;
  if (known) {
    ConfigErrors ignored;
    fallback = PlanPipeline(old->pipeline->plan().spec, {}, &ignored);
    fallback_text = old->text;
    old->pipeline.reset();
  }
  const Status status = engine_->Start(std::move(plan), source->text);
  if (status.ok()) {
    parts_.log('i', LogMessage("pipeline '" + name + "' " + (fallback ? "changed" : "started")).Of(name));
    return Status::Ok();
  }
  errors->push_back({source->spec.file, 0, 0, status.code(), status.message()});
  return fallback == nullptr ? Status::Ok() : engine_->Start(std::move(fallback), fallback_text);
}

Status Node::Stop(Monotonic deadline) {
  stopping_ = true;
  ready_ = false;
  if (!lane_.is_open()) return status();
  parts_.lane_link->Stop(Duration::Millis(200));
  const auto in_time = [&] { return status().ok() && parts_.clock().monotonic < deadline; };
  // With each commit there can be results that others read.
  for (bool more = true; more;) {
    while (in_time() && engine_->ReadTurns()) {
    }
    RIVULET_RETURN_IF_ERROR(engine_->CommitNow(parts_.clock()));
    more = in_time() && engine_->ReadTurns();
  }
  while (!engine_->Drained() && in_time()) {
    const bool moved = engine_->PumpSinks();
    if (!moved && !parts_.sink_link->Stats().connected) break;  // delivered after the next start
    if (!moved && parts_.wait) parts_.wait(Duration::Millis(2));
  }
  RIVULET_RETURN_IF_ERROR(engine_->CommitNow(parts_.clock()));
  parts_.sink_link->Stop(Duration::Millis(200));
  return status().ok() ? lane_.journal().Sync() : status();
}

NodeStatus Node::Describe(Now now) const {
  NodeStatus s;
  s.name = spec_.name;
  s.version = RIVULET_VERSION;
  s.uptime_us = (now.monotonic - started_).us;
  s.wall_us = now.wall.us;
  s.started = ready();
  s.paused = paused_;
  if (!status().ok()) s.error = status().ToString();
  s.lane = parts_.lane_link->Stats();
  s.sink = parts_.sink_link->Stats();
  s.trouble = TroubleOf(s, lane_.session().wants_nothing());
  s.ready = s.started && s.trouble.empty();
  s.refused = lane_.refused();
  if (lane_.is_open()) {
    s.journal = lane_.journal().Stats();
    s.clock = lane_.DescribeClock();
  }
  s.store = parts_.store->Stats();
  s.counters.commits = engine_->counters();
  s.counters.note_bytes = sinks_.note_bytes();
  const PipelineSet& pipelines = engine_->pipelines();
  for (const RunningPipeline& r : pipelines) {
    PipelineStatus p;
    p.name = r.pipeline->name();
    p.counters = r.pipeline->counters();
    p.watermark_us = r.pipeline->watermark();
    if (r.pipeline->plan().source.several()) p.inputs = r.pipeline->inputs();
    p.waits = r.pipeline->Waits();
    p.follows_time = pipelines.FollowsTime(*r.pipeline);
    p.reads = r.pipeline->upstream();
    p.offset = r.pipeline->offset();
    p.lag = engine_->LagOf(*r.pipeline);
    p.state_panes = r.pipeline->StateEntries();
    p.state_bytes = r.pipeline->StateBytes();
    p.outputs_waiting = r.pipeline->OutputsWaiting();
    p.sinks = r.pipeline->Sinks();
    p.tables = r.pipeline->tables().Stats();
    s.pipelines.push_back(std::move(p));
  }
  return s;
}

}  // namespace rivulet
