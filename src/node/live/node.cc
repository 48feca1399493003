#include "node/live/node.h"

#include <algorithm>
#include <limits>

#include "base/coding.h"
#include "node/config/sink_paths.h"
#include "node/engine/heartbeat.h"
#include "node/engine/memory_budget.h"
#include "node/engine/store_keys.h"
#include "node/live/large_message.h"
#include "node/sinks/make_sink.h"

namespace rivulet {
namespace {

constexpr Duration kTrimEvery = Duration::Seconds(5);
constexpr Duration kDiskCheckEvery = Duration::Seconds(2);
constexpr Duration kTableCheckEvery = Duration::Seconds(2);
constexpr Duration kSinkCheckEvery = Duration::Seconds(1);
// A sync of the journal that fails writes a whole segment anew; a medium that is gone is not pestered.
constexpr Duration kRetrySyncEvery = Duration::Seconds(1);

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
      new_filters_(spec.commit_sync ? 1 : kCommitsForSure),
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
  JournalOptions options = spec_.journal;
  options.directory = spec_.data_directory + "/lane-0";
  RIVULET_RETURN_IF_ERROR(parts_.files->CreateDirectories(options.directory));
  JournalRecovery recovery;
  RIVULET_ASSIGN_OR_RETURN(journal_, Journal::Open(parts_.files, options, &recovery));
  if (recovery.torn_bytes > 0 || recovery.damaged_entries > 0 || recovery.doubtful_segments > 0) {
    parts_.log('w', recovery.detail);
  }
  feed_ = std::make_unique<JournalFeed>(journal_.get());
  clock_ = std::make_unique<LaneClock>(journal_->last_time(), parts_.log);
  clock_->SetKnown(!parts_.clock_known || parts_.clock_known());
  RIVULET_RETURN_IF_ERROR(OpenNotes());
  for (const size_t i : order) {
    RIVULET_RETURN_IF_ERROR(StartPipeline(std::move(plans[i]), sources[i].text));
  }
  RIVULET_RETURN_IF_ERROR(BuildGroups());
  assembled_ = true;
  KeepForReaders();
  parts_.lane_link->OnMessage([this](const MqttMessage& m) { return Ingest(m); });
  RIVULET_RETURN_IF_ERROR(OpenFilters());
  Subscribe();
  // Without room for it it is tried again, as ever.
  const Status committed = CommitNow(parts_.clock());
  if (!WantsRoom(committed)) RIVULET_RETURN_IF_ERROR(committed);
  // Commits until now saw some of the pipelines only.
  consumed_ = consumed_before_ = {};
  RIVULET_RETURN_IF_ERROR(parts_.sink_link->Start());
  RIVULET_RETURN_IF_ERROR(parts_.lane_link->Start());
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
  Running running;
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
  pipelines_.push_back(std::move(running));
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
  KeepTime(now);
  more = ReadTurns() || more;
  if (commit_ == nullptr) CommitIfDue(now);
  more = FinishCommit() || more;
  more = PumpSinks() || more;
  SyncJournal(now);
  TrimJournal(now);
  WatchDisk(now);
  WatchTables(now);
  WatchSinks(now);
  WatchLinks(now);
  return more && status_.ok();
}

bool Node::PumpSinks() {
  bool moved = false;
  for (Running& r : pipelines_) {
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

void Node::SyncJournal(Now now) {
  if (spec_.journal.sync != JournalSync::kInterval || sync_under_way_) return;
  const Duration every =
      sync_failed_ ? std::max(spec_.journal_interval, kRetrySyncEvery) : spec_.journal_interval;
  if (now.monotonic - last_sync_ < every) return;
  const JournalStats stats = journal_->Stats();
  if (stats.synced >= stats.end) return;
  last_sync_ = now.monotonic;
  sync_under_way_ = true;
  parts_.syncer->Post([this] {
    const Status status = journal_->Sync();
    if (!status.ok()) parts_.log('e', LogMessage(status, "journal: "));
    sync_failed_ = !status.ok();
    sync_under_way_ = false;
  });
}

Offset Node::LeastCommitted() const {
  Offset least = journal_->end();
  for (const Running& r : pipelines_) {
    if (!r.pipeline->upstream().empty()) continue;
    least = std::min(least, Offset{r.pipeline->committed_offset()});
  }
  return least;
}

void Node::TrimJournal(Now now) {
  if (now.monotonic - last_trim_ < kTrimEvery) return;
  last_trim_ = now.monotonic;
  const uint64_t end = journal_->end().value;
  const Offset known{end - std::min(end, parts_.redelivery_window)};
  Offset consumed = LeastCommitted();
  if (!spec_.commit_sync) consumed = std::min(consumed, consumed_before_);
  consumed = std::min(consumed, KeptOfNewFilters());
  const Status status = journal_->Trim(std::min(consumed, known), now.wall);
  if (!status.ok()) parts_.log('e', LogMessage(status, "journal: "));
  const JournalStats stats = journal_->Stats();
  if (stats.damaged_entries > damaged_entries_) {
    parts_.log('e', "journal: " + std::to_string(stats.damaged_entries - damaged_entries_) +
                        " entries were found damaged when they were read, and are lost; the disk or card "
                        "changes bytes: replace it");
  }
  damaged_entries_ = stats.damaged_entries;
  const uint64_t failed = stats.failed_syncs;
  if (failed > failed_syncs_) {
    parts_.log('e', "journal: " + std::to_string(failed - failed_syncs_) +
                        " syncs failed; what they were to make durable is written anew. The disk or card is "
                        "failing: replace it");
  }
  failed_syncs_ = failed;
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
  for (Running& r : pipelines_) r.pipeline->tables().Refresh(false, now.wall.us, parts_.log);
}

void Node::WatchSinks(Now now) {
  if (now.monotonic - last_sink_check_ < kSinkCheckEvery) return;
  last_sink_check_ = now.monotonic;
  for (const Running& r : pipelines_) sink_watch_.Look(r.pipeline->name(), r.pipeline->Sinks(), parts_.log);
}

void Node::Fail(const Status& status) {
  if (status_.ok()) parts_.log('e', LogMessage(status));
  if (status_.ok()) status_ = status;
  ready_ = false;
}

}  // namespace rivulet
