#include "node/live/node.h"

#include <algorithm>
#include <limits>

#include "base/coding.h"
#include "node/config/sink_paths.h"
#include "node/engine/heartbeat.h"
#include "node/engine/memory_budget.h"
#include "node/engine/store_keys.h"
#include "node/plan/publish_loops.h"
#include "node/sinks/make_sink.h"

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

std::string SinkName(const SinkSpec& sink) {
  switch (sink.kind) {
    case SinkSpec::Kind::kMqtt: return "mqtt " + sink.target.text;
    case SinkSpec::Kind::kSqlite: return "sqlite " + sink.target.text + " " + sink.table;
    case SinkSpec::Kind::kFile: return "file " + sink.target.text;
    case SinkSpec::Kind::kStdout: return "stdout";
  }
  return "";
}

}  // namespace

Node::Node(const NodeSpec& spec, const NodeParts& parts)
    : spec_(spec),
      parts_(parts),
      started_(parts.clock().monotonic),
      lane_(LaneOf(spec, parts), LanePartsOf(parts)),
      refused_results_(parts.files, spec.data_directory, [clock = parts.clock] { return clock().wall; },
                       parts.log),
      notes_(parts.files, spec.data_directory + "/delivery.notes") {}

Node::~Node() {
  // The committer may still write into commit_.
  const ActivityScope waiting(Activity::kWaiting);
  while (commit_ != nullptr && !commit_->done.load(std::memory_order_acquire)) {
    commit_->done.wait(false);
  }
}

bool Node::PlanAll(std::vector<PipelineSource>* sources, ConfigErrors* errors,
                   std::vector<std::unique_ptr<PipelinePlan>>* plans) {
  bool good = true;
  std::map<std::string, std::string> names;
  std::vector<std::string> files;
  for (const PipelineSource& source : *sources) files.push_back(source.spec.file);
  SinkPaths paths(spec_, files);
  for (PipelineSource& source : *sources) {
    plans->push_back(nullptr);
    if (!source.readable) {
      good = false;
      continue;
    }
    plans->back() = PlanPipeline(source.spec, {}, errors);
    if (!paths.Check(source.spec, errors)) plans->back().reset();
    if (plans->back() != nullptr) {
      for (const ConfigError& w : plans->back()->warnings) {
        parts_.log('w', w.ToLog().Of(source.spec.name.text));
      }
    }
    const MarkedText& name = source.spec.name;
    const auto [it, fresh] = names.emplace(name.text, source.spec.file);
    if (!fresh) {
      errors->push_back({source.spec.file, name.mark.line, name.mark.column,
                         ErrorCode::kDuplicatePipeline,
                         "'" + name.text + "' is also declared in " + it->second});
      plans->back().reset();
    }
    good = good && plans->back() != nullptr;
  }
  return good;
}

Status Node::Open(std::vector<PipelineSource> sources, ConfigErrors* errors) {
  std::vector<std::unique_ptr<PipelinePlan>> plans;
  const size_t faults = errors->size();
  std::vector<size_t> order;
  if (PlanAll(&sources, errors, &plans)) order = SettleChains(&sources, errors, &plans);
  if (order.size() < sources.size() || errors->size() > faults) {
    return Status(ErrorCode::kBadSettingValue, "a pipeline cannot run");
  }
  RIVULET_RETURN_IF_ERROR(lane_.Open());
  RIVULET_RETURN_IF_ERROR(OpenNotes());
  for (const size_t i : order) {
    RIVULET_RETURN_IF_ERROR(StartPipeline(std::move(plans[i]), sources[i].text));
  }
  RIVULET_RETURN_IF_ERROR(BuildGroups());
  assembled_ = true;
  KeepForReaders();
  RIVULET_RETURN_IF_ERROR(lane_.OpenSession());
  Subscribe();
  // Without room for it it is tried again, as ever.
  const Status committed = CommitNow(parts_.clock());
  if (!WantsRoom(committed)) RIVULET_RETURN_IF_ERROR(committed);
  // Commits until now saw some of the pipelines only.
  consumed_ = consumed_before_ = {};
  RIVULET_RETURN_IF_ERROR(parts_.sink_link->Start());
  RIVULET_RETURN_IF_ERROR(lane_.Start());
  ready_ = true;
  return Status::Ok();
}

Status Node::StartPipeline(std::unique_ptr<PipelinePlan> plan, const std::string& text) {
  RIVULET_RETURN_IF_ERROR(FinishFormer(plan->name, text));
  RIVULET_RETURN_IF_ERROR(OpenPipeline(std::move(plan), text));
  return CommitOpened();
}

Status Node::OpenPipeline(std::unique_ptr<PipelinePlan> plan, const std::string& text) {
  PipelineOptions options;
  options.partitions = spec_.partitions;
  options.workers = std::max<uint32_t>(1, spec_.workers);
  RIVULET_RETURN_IF_ERROR(PlaceInLog(*plan, &options));
  options.results_per_step = parts_.results_per_step;
  RunningPipeline running;
  running.text = text;
  RIVULET_ASSIGN_OR_RETURN(running.pipeline,
                           Pipeline::Open(std::move(plan), options, parts_.store, true));
  RIVULET_RETURN_IF_ERROR(CheckPlace(running.pipeline.get()));
  // Until its readers are there too, nothing of its results goes.
  running.pipeline->channel(ChannelKind::kResults).KeepFrom(0);
  running.pipeline->tables().Refresh(true, parts_.clock().wall.us, parts_.log);
  Beat();
  RIVULET_RETURN_IF_ERROR(OpenSinks(running.pipeline.get()));
  RIVULET_RETURN_IF_ERROR(RememberText(running.pipeline->name(), text));
  pipelines_.Add(std::move(running));
  return Status::Ok();
}

Status Node::CommitOpened() {
  // Where a new pipeline begins must be known before the first message comes: found nowhere after a crash,
  // it would be the journal's end then, and what was acknowledged in between would be passed over. And its
  // number must be taken before the next new pipeline asks for one. How far sinks are by their notes can
  // wait.
  const CommitNeed need = pipelines_.back().pipeline->commit_need();
  const bool can_wait = need == CommitNeed::kNone || need == CommitNeed::kDelivery;
  if (remembered_.empty() && can_wait) return Status::Ok();
  return CommitNow(parts_.clock());
}

Status Node::OpenNotes() {
  std::string stored;
  uint64_t epoch = 0;
  RIVULET_ASSIGN_OR_RETURN(const bool found, parts_.store->Get(store_keys::NotesEpoch(), &stored));
  std::string_view in = stored;
  if (found && !GetVarint(&in, &epoch)) {
    return Status(ErrorCode::kCorrupt, "the stored epoch of delivery notes cannot be read");
  }
  notes_.Open(epoch);
  return Status::Ok();
}

Status Node::OpenSinks(Pipeline* pipeline) {
  const PipelineSpec& spec = pipeline->plan().spec;
  RIVULET_RETURN_IF_ERROR(AddSinks(pipeline, ChannelKind::kResults, spec.sinks));
  RIVULET_RETURN_IF_ERROR(AddSinks(pipeline, ChannelKind::kLate, spec.late));
  RIVULET_RETURN_IF_ERROR(AddSinks(pipeline, ChannelKind::kDead, spec.dead_letters));
  if (const uint64_t epoch = notes_.TakeNewEpoch(); epoch != 0) {
    std::string value;
    PutVarint(&value, epoch);
    remembered_.Put(store_keys::NotesEpoch(), value);
  }
  return Status::Ok();
}

Status Node::AddSinks(Pipeline* pipeline, ChannelKind kind, const std::vector<SinkSpec>& sinks) {
  pipeline->channel(kind).NoteIn(&notes_, spec_.mqtt.max_inflight);
  for (SinkSpec sink : sinks) {
    const std::string name = SinkName(sink);
    if (WritesFile(sink)) sink.target.text = SinkPath(spec_.data_directory, sink);
    RIVULET_ASSIGN_OR_RETURN(std::unique_ptr<Sink> made,
                             MakeSink(sink, pipeline->name(), parts_.sink_link, parts_.files,
                                      &refused_results_));
    OutputChannel& channel = pipeline->channel(kind);
    RIVULET_RETURN_IF_ERROR(channel.AddSink(name, std::move(made), /*may_wait=*/true));
    sink_watch_.Look(pipeline->name(), channel.Stats(), parts_.log);
  }
  return Status::Ok();
}

bool Node::Step(Now now) {
  if (!status_.ok()) return false;
  bool more = FinishCommit();
  if (!stopping_) {
    lane_.KeepTime(now, [this](EventTime at, bool tell) { return pipelines_.TickIsDue(at, tell); });
  }
  more = ReadTurns() || more;
  if (commit_ == nullptr) CommitIfDue(now);
  more = FinishCommit() || more;
  more = PumpSinks() || more;
  lane_.Sync(now);
  lane_.Trim(now, [this] { return ConsumedForSure(); }, &remembered_);
  WatchDisk(now);
  WatchTables(now);
  WatchSinks(now);
  lane_.WatchLink(now, &remembered_);
  WatchSinkLink(now);
  return more && status_.ok();
}

bool Node::PumpSinks() {
  bool moved = false;
  for (RunningPipeline& r : pipelines_) {
    Beat();
    const Result<bool> one = r.pipeline->Pump();
    if (!one.ok()) {
      Fail(one.status());
      return false;
    }
    moved = moved || *one;
  }
  return moved;
}

Offset Node::LeastCommitted() const {
  Offset least = lane_.journal().end();
  for (const RunningPipeline& r : pipelines_) {
    if (!r.pipeline->upstream().empty()) continue;
    least = std::min(least, Offset{r.pipeline->committed_offset()});
  }
  return least;
}

// What every pipeline has consumed, also after a power cut.
Offset Node::ConsumedForSure() const {
  const Offset consumed = LeastCommitted();
  return spec_.commit_sync ? consumed : std::min(consumed, consumed_before_);
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
  for (RunningPipeline& r : pipelines_) r.pipeline->tables().Refresh(false, now.wall.us, parts_.log);
}

void Node::WatchSinks(Now now) {
  if (now.monotonic - last_sink_check_ < kSinkCheckEvery) return;
  last_sink_check_ = now.monotonic;
  for (const RunningPipeline& r : pipelines_) {
    sink_watch_.Look(r.pipeline->name(), r.pipeline->Sinks(), parts_.log);
  }
}

void Node::WatchSinkLink(Now now) {
  if (now.monotonic - last_link_check_ < kLinkCheckEvery) return;
  last_link_check_ = now.monotonic;
  sink_link_watch_.Look(now.monotonic, parts_.sink_link->Stats(), parts_.log);
}

std::vector<WantedFilter> Node::Wanted() const {
  std::vector<WantedFilter> wanted;
  for (const RunningPipeline& r : pipelines_) {
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
  std::vector<const PipelineSpec*> specs;
  for (const RunningPipeline& r : pipelines_) specs.push_back(&r.pipeline->plan().spec);
  refused_results_.SetLoops(TopicsThatComeBack(specs));
  lane_.Subscribe(Wanted(), &remembered_);
}

void Node::Fail(const Status& status) {
  if (status_.ok()) parts_.log('e', LogMessage(status));
  if (status_.ok()) status_ = status;
  ready_ = false;
}

}  // namespace rivulet
