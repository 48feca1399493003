#include "node/engine/engine.h"

#include <algorithm>
#include <utility>

#include "node/config/reader.h"
#include "node/engine/heartbeat.h"
#include "node/engine/store_keys.h"

namespace rivulet {
namespace {

// Entries of the input that a restart reads again: a fraction of a second's work on any board.
constexpr uint64_t kMostReadAgain = 1 << 16;
constexpr Duration kRetryCommitEvery = Duration::Seconds(1);
constexpr Duration kRetryWithRoomEvery = Duration::Millis(20);

}  // namespace

Engine::Engine(EngineOptions options, EngineParts parts)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      outputs_(options_.held_outputs, parts_.log),
      care_(options_.turns.entries, options_.turns.results_per_step, options_.turns.outputs_per_step,
            parts_.log),
      turns_(options_.turns, {&pipelines_, parts_.input, parts_.runner, &care_, &outputs_, parts_.log}),
      commit_({parts_.store, parts_.committer, parts_.before_commit, parts_.clock, parts_.wake}) {}

// --- the set of pipelines ---

PipelineSet::Members Engine::TakeAll() {
  turns_.Clear();
  assembled_ = false;
  return pipelines_.TakeAll();
}

Status Engine::Start(std::unique_ptr<PipelinePlan> plan, const std::string& text) {
  RIVULET_RETURN_IF_ERROR(FinishFormer(plan->name, text));
  RIVULET_RETURN_IF_ERROR(Open(std::move(plan), text));
  return options_.durable ? CommitOpened() : Status::Ok();
}

Status Engine::Open(std::unique_ptr<PipelinePlan> plan, const std::string& text) {
  PipelineOptions options;
  options.partitions = options_.partitions;
  options.workers = options_.turns.workers;
  options.results_per_step = options_.turns.results_per_step;
  options.outputs_per_turn = options_.turns.outputs_per_step;
  RIVULET_RETURN_IF_ERROR(PlaceInLog(*plan, &options));
  RunningPipeline running;
  running.text = text;
  RIVULET_ASSIGN_OR_RETURN(running.pipeline,
                           Pipeline::Open(std::move(plan), options, parts_.store, options_.durable));
  Pipeline* const pipeline = running.pipeline.get();
  RIVULET_RETURN_IF_ERROR(CheckPlace(pipeline));
  // Until its readers are there too, nothing of its results goes.
  pipeline->channel(ChannelKind::kResults).KeepFrom(0);
  pipeline->tables().Refresh(true, parts_.clock().wall.us, parts_.log);
  Beat();
  RIVULET_RETURN_IF_ERROR(parts_.open_sinks(pipeline));
  RIVULET_RETURN_IF_ERROR(RememberText(pipeline->name(), text));
  pipelines_.Add(std::move(running));
  return Status::Ok();
}

Status Engine::CommitOpened() {
  // Where a new pipeline begins must be known before the first message comes: found nowhere after a crash,
  // it would be the input's end then, and what was acknowledged in between would be passed over. And its
  // number must be taken before the next new pipeline asks for one. How far sinks are by their notes can
  // wait.
  const CommitNeed need = pipelines_.back().pipeline->commit_need();
  const bool can_wait = need == CommitNeed::kNone || need == CommitNeed::kDelivery;
  if (remembered_.empty() && can_wait) return Status::Ok();
  return CommitNow(parts_.clock());
}

Status Engine::Assemble() {
  RIVULET_RETURN_IF_ERROR(turns_.Build(parts_.clock().monotonic));
  assembled_ = true;
  KeepForReaders();
  return Status::Ok();
}

// Without commits what was read is done with.
void Engine::KeepForReaders() {
  if (assembled_) pipelines_.KeepForReaders(options_.durable);
}

void Engine::RelyOn(Offset consumed) {
  consumed_ = std::min(consumed_, consumed);
  consumed_before_ = std::min(consumed_before_, consumed);
}

Status Engine::RememberText(const std::string& name, const std::string& text) {
  if (text.empty()) return Status::Ok();
  std::string stored;
  RIVULET_ASSIGN_OR_RETURN(const bool found, parts_.store->Get(store_keys::Text(name), &stored));
  if (!found || stored != text) remembered_.Put(store_keys::Text(name), text);
  return Status::Ok();
}

// Whether a pipeline would go on in the middle of a close, were it opened with this plan.
Result<bool> Engine::WouldClose(const PipelinePlan& plan) const {
  Delta changes;
  RIVULET_ASSIGN_OR_RETURN(const CatalogueEntry entry,
                           OpenCatalogueEntry(*parts_.store, plan, &changes));
  // State of another form: the text is not the one that wrote it.
  if (!changes.empty()) return false;
  std::string stored;
  RIVULET_ASSIGN_OR_RETURN(const bool found,
                           parts_.store->Get(store_keys::Position(entry.id), &stored));
  if (!found) return false;
  RIVULET_ASSIGN_OR_RETURN(const Position position, Position::Decode(stored));
  const FirePoint target{plan.window.per_key.Held(position.watermark), true, ""};
  if (!(position.fired < target) || position.cursors.empty()) return false;
  const InputLog* const log = LogOf(plan.source.pipeline);
  return log != nullptr && position.cursors[0].log == log->id();
}

// A pipeline that went down in the middle of a large close, and whose text was edited before it came back:
// the text before puts out the rest, as with a reload. It must not go by other rules than its beginning, nor
// be lost to a text that has other windows.
Status Engine::FinishFormer(const std::string& name, const std::string& text) {
  std::string former;
  RIVULET_ASSIGN_OR_RETURN(const bool found, parts_.store->Get(store_keys::Text(name), &former));
  if (!found || text.empty() || former == text) return Status::Ok();
  PipelineSpec spec;
  ConfigErrors errors;
  std::unique_ptr<PipelinePlan> plan;
  if (ReadPipeline(former, "the former text of '" + name + "'", &spec, &errors)) {
    plan = PlanPipeline(spec, {}, &errors);
  }
  if (plan == nullptr || plan->name != name) {
    parts_.log('w', "pipeline '" + name + "': its former text cannot be run any more; if it was in the "
                    "middle of a close, the rest goes by the new one" +
                    (errors.empty() ? "" : ": " + errors.front().ToString()));
    return Status::Ok();
  }
  RIVULET_ASSIGN_OR_RETURN(const bool closing, WouldClose(*plan));
  if (!closing) return Status::Ok();
  parts_.log('i', "pipeline '" + name + "' was edited in the middle of a close: its former text puts out "
                  "the rest");
  RIVULET_RETURN_IF_ERROR(Open(std::move(plan), former));
  RIVULET_RETURN_IF_ERROR(CommitOpened());
  while (pipelines_.back().pipeline->closing()) {
    RIVULET_RETURN_IF_ERROR(pipelines_.back().pipeline->Continue(parts_.runner));
    RIVULET_RETURN_IF_ERROR(CommitNow(parts_.clock()));
    Beat();
  }
  // It lets go of its files and cursors before the new one opens them.
  pipelines_.RemoveLast();
  return Status::Ok();
}

InputLog* Engine::LogOf(const std::string& upstream) const {
  return upstream.empty() ? parts_.input : pipelines_.ResultsOf(upstream);
}

Status Engine::PlaceInLog(const PipelinePlan& plan, PipelineOptions* options) const {
  const InputLog* const log = LogOf(plan.source.pipeline);
  if (log == nullptr) {
    return Status(ErrorCode::kUnknownPipeline, "'" + plan.source.pipeline + "', which '" + plan.name +
                                                   "' reads, does not run");
  }
  options->log = log->id();
  options->start = log->begin_of_new();
  return Status::Ok();
}

// Brings the position of a pipeline and the log it reads together, where they are apart.
Status Engine::CheckPlace(Pipeline* pipeline) {
  const Offset from{pipeline->offset()};
  InputLog* const log = LogOf(pipeline->upstream());
  // A power cut can take entries that were processed before (journal sync: never). Their numbers must not be
  // given out again.
  if (log->end() < from) RIVULET_RETURN_IF_ERROR(log->AdvanceTo(from));
  RIVULET_ASSIGN_OR_RETURN(const Offset begin, log->begin());
  if (from >= begin) return Status::Ok();
  // Of results, one that was taken out for a while and is back goes on with what there still is.
  if (pipeline->upstream().empty()) {
    parts_.log('e', LogMessage("pipeline '" + pipeline->name() + "' had read up to entry " +
                               std::to_string(from.value) + ", but the journal begins at " +
                               std::to_string(begin.value) + "; it goes on there")
                        .Of(pipeline->name()));
  }
  pipeline->SkipTo(begin.value);
  return Status::Ok();
}

// --- running ---

bool Engine::Step(Now now) {
  if (!status_.ok()) return false;
  bool more = FinishCommit();
  more = ReadTurns() || more;
  if (options_.durable) {
    if (!commit_.under_way()) CommitIfDue(now);
    more = FinishCommit() || more;
  } else {
    KeepForReaders();
  }
  more = PumpSinks() || more;
  return more && status_.ok();
}

RoundLimits Engine::Limits() const { return {Budget(), parts_.store->Stats(), commit_.under_way()}; }

bool Engine::ReadTurns() {
  outputs_.Look(pipelines_);
  if (care_.on()) return ReadCarefully();
  const RoundLimits limits = Limits();
  // When sinks or the disk are behind, the input holds what comes.
  const auto must_wait = [&](const MemoryUse& use) {
    return limits.commit_under_way ? limits.budget.Full(use)
                                   : limits.budget.CommitDue(use, limits.store) && AnyChanges();
  };
  const Result<bool> more = turns_.Read(limits, Measure(), must_wait, parts_.clock().monotonic);
  if (!more.ok()) Fail(more.status());
  return more.ok() && *more;
}

// One pipeline's turn, or step of a close, and a commit.
bool Engine::ReadCarefully() {
  if (commit_.under_way()) return false;
  const Now now = parts_.clock();
  const Result<TurnSchedule::Taken> read = turns_.ReadCarefully(Limits(), now.monotonic);
  if (!read.ok()) {
    Fail(read.status());
    return false;
  }
  if (read->pipeline != nullptr) {
    const std::string& name = read->pipeline->name();
    std::unique_ptr<Commit> commit = Collect(now, true, !read->takes_in);
    commit->pipeline = name;
    commit->alone = care_.TakesOne(name) && read->any;
    commit->message = read->first;
    commit_.Start(std::move(commit), now.monotonic);
  } else if (!read->more) {
    care_.End(pipelines_);
    turns_.MayMerge();
  }
  return read->more;
}

bool Engine::PumpSinks() {
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

void Engine::Fail(const Status& status) {
  if (!status_.ok()) return;
  parts_.log('e', LogMessage(status));
  status_ = status;
}

// --- commits ---

bool Engine::IsDue(const TurnSchedule::Group& group, Now now) const {
  const bool waited = now.monotonic - last_commit_ >= options_.commit_interval;
  const bool checkpoint = now.monotonic - group.checkpoint >= options_.checkpoint_interval;
  bool due = false;
  for (const Pipeline* p : group.members()) {
    if (p->closing()) return true;
    if (!waited) continue;
    const CommitNeed need = p->commit_need();
    // Others may wait for how far its results are out.
    const bool awaited = need != CommitNeed::kResults && p->channel(ChannelKind::kResults).is_read() &&
                         p->releasable() > p->released() && pipelines_.ReadersDue(*p, p->releasable());
    due = due || need == CommitNeed::kResults || awaited ||
          (need != CommitNeed::kNone && (checkpoint || p->uncommitted() >= kMostReadAgain));
  }
  return due;
}

MemoryBudget Engine::Budget() const {
  uint64_t tables = 0;
  for (const RunningPipeline& r : pipelines_) tables += r.pipeline->TableBytes();
  return MemoryBudget{options_.state_memory}.Without(tables);
}

MemoryUse Engine::Measure() const {
  MemoryUse use;
  for (const RunningPipeline& r : pipelines_) r.pipeline->Measure(&use);
  return use;
}

bool Engine::AnyChanges() const {
  return std::any_of(pipelines_.begin(), pipelines_.end(), [](const RunningPipeline& r) {
    return r.pipeline->commit_need() != CommitNeed::kNone;
  });
}

// Memory is bounded, and what was not written cannot leave it.
bool Engine::MemoryWantsCommit() const {
  return Budget().CommitDue(Measure(), parts_.store->Stats()) && AnyChanges();
}

void Engine::CommitIfDue(Now now) {
  const bool all = MemoryWantsCommit();
  const bool waited = now.monotonic - last_commit_ >= options_.commit_interval;
  // What is delivered is deleted with a commit: where processing waits for that, soon.
  const bool makes_room = outputs_.any_full() && waited && SinksMoved();
  const std::vector<TurnSchedule::Group>& groups = turns_.groups();
  const bool due = all || makes_room || (!remembered_.empty() && waited) ||
                   std::any_of(groups.begin(), groups.end(), [&](const auto& g) { return IsDue(g, now); });
  if (due) StartCommit(now, all);
}

void Engine::StartCommit(Now now, bool all) {
  commit_.Start(Collect(now, all, false), now.monotonic);
}

std::unique_ptr<Commit> Engine::Collect(Now now, bool all, bool makes_room) {
  auto commit = std::make_unique<Commit>();
  Delta* const delta = &commit->delta;
  constexpr size_t kBytesOfRow = 256;  // more than most have; what is not used is not in memory either
  const MemoryUse use = Measure();
  delta->Expect(use.outputs + use.outputs / 4 + (all ? use.dirty_rows * kBytesOfRow : 0));
  if (makes_room) delta->UseReserve();
  delta->Append(remembered_);
  commit->remembered = std::exchange(remembered_, Delta());
  // Apart, as it makes room: see MakeRoom.
  for (RunningPipeline& r : pipelines_) r.pipeline->CollectDelivery(&commit->delivery);
  for (CommitListener* listener : parts_.listeners) listener->OnCollected();
  delta->Append(commit->delivery);
  if (all) {  // also those that are being started, and in no group yet
    for (RunningPipeline& r : pipelines_) r.pipeline->CollectCommit(delta);
  }
  for (TurnSchedule::Group& group : turns_.groups()) {
    const bool due = all || IsDue(group, now);
    if (due) group.checkpoint = now.monotonic;
    if (all || !due) continue;
    for (Pipeline* p : group.members()) p->CollectCommit(delta);
  }
  last_commit_ = now.monotonic;
  return commit;
}

bool Engine::FinishCommit() {
  if (!commit_.done()) return false;
  if (WantsRoom(commit_->result) && options_.goes_on_when_full) {
    RetryCommit();
    return false;
  }
  const std::unique_ptr<Commit> commit = commit_.Take();
  if (!commit->result.ok()) {
    Fail(commit->result);
    return false;
  }
  ++counters_.count;
  counters_.bytes += commit->delta.bytes().size();
  const auto took = static_cast<uint64_t>(std::max<int64_t>(0, commit->took.us));
  counters_.time_us += took;
  counters_.last_us = took;
  counters_.longest_us = std::max(counters_.longest_us, took);
  for (RunningPipeline& r : pipelines_) r.pipeline->OnCommitted();
  for (CommitListener* listener : parts_.listeners) listener->OnCommitted();
  if (care_.Relax(pipelines_, commit->pipeline)) {
    care_.End(pipelines_);
    turns_.MayMerge();
  }
  KeepForReaders();
  consumed_before_ = consumed_;
  consumed_ = LeastCommitted();
  size_t share = Budget().panes();
  if (!pipelines_.empty()) share /= pipelines_.size();
  for (RunningPipeline& r : pipelines_) r.pipeline->BoundMemory(share);
  return true;
}

// No room for it now. The store is as it was before, nothing that hangs on the commit has left, and the
// input holds what comes: the same changes are tried again until there is room. What sinks take meanwhile
// makes some.
void Engine::RetryCommit() {
  const Monotonic now = parts_.clock().monotonic;
  const bool store_full = commit_->result.code() == ErrorCode::kStoreFull;
  if (store_full && !RoomWillCome() && care_.Begin(pipelines_, *commit_)) {
    const Status status = StartAfresh();
    if (!status.ok()) Fail(status);
    return;
  }
  // Soon where sinks have moved.
  const bool moved = !commit_->delivery.empty() || SinksMoved();
  if (now - commit_->started < (moved && store_full ? kRetryWithRoomEvery : kRetryCommitEvery)) return;
  MakeRoom();
  if (!commit_->complained) {
    LogMessage message(commit_->result);
    message.text += "; trying again until there is room";
    parts_.log('e', message);
  }
  commit_->complained = true;
  commit_.Again(now);
}

bool Engine::RoomWillCome() const {
  return !(*commit_).delivery.empty() || !(*commit_).first.empty() || SinksMoved() || !Drained();
}

bool Engine::SinksMoved() const {
  return std::any_of(pipelines_.begin(), pipelines_.end(), [](const RunningPipeline& r) {
    return r.pipeline->CursorsMoved() || r.pipeline->KeepsDelivered();
  });
}

void Engine::MakeRoom() {
  Delta delivery;
  for (RunningPipeline& r : pipelines_) r.pipeline->CollectDelivery(&delivery);
  commit_->first.Append(commit_->delivery);
  commit_->delivery.Clear();
  commit_->first.Append(delivery);
  commit_->delta.Append(delivery);
}

Status Engine::StartAfresh() {
  const Offset consumed = LeastCommitted();
  // In front of what came to it since.
  const std::unique_ptr<Commit> commit = commit_.Take();
  commit->remembered.Append(remembered_);
  remembered_ = std::move(commit->remembered);
  for (RunningPipeline& r : TakeAll()) {
    ConfigErrors ignored;
    std::unique_ptr<PipelinePlan> plan = PlanPipeline(r.pipeline->plan().spec, {}, &ignored);
    // It lets go of its files before they are opened again.
    r.pipeline.reset();
    // What it has to commit goes with the commits to come: there is no room now, and a step does not wait.
    RIVULET_RETURN_IF_ERROR(Open(std::move(plan), r.text));
    care_.Limit(pipelines_.back().pipeline.get());
  }
  turns_.RestartCarefully();
  RIVULET_RETURN_IF_ERROR(Assemble());
  RelyOn(consumed);
  return Status::Ok();
}

Status Engine::CommitNow(Now now) {
  const auto finish = [this] {
    if (!commit_.under_way()) return status_;
    commit_.Wait();
    if (WantsRoom(commit_->result) && options_.goes_on_when_full) return commit_->result;
    FinishCommit();
    return status_;
  };
  RIVULET_RETURN_IF_ERROR(finish());
  if (options_.durable && (!remembered_.empty() || AnyChanges())) StartCommit(now, true);
  return finish();
}

// --- what it has got to ---

Offset Engine::LeastCommitted() const {
  Offset least = parts_.input->end();
  for (const RunningPipeline& r : pipelines_) {
    if (!r.pipeline->upstream().empty()) continue;
    least = std::min(least, Offset{r.pipeline->committed_offset()});
  }
  return least;
}

Offset Engine::ConsumedForSure() const {
  const Offset consumed = LeastCommitted();
  return options_.commits_synced ? consumed : std::min(consumed, consumed_before_);
}

uint64_t Engine::LagOf(const Pipeline& pipeline) const {
  const uint64_t end = LogOf(pipeline.upstream())->end().value;
  return end - std::min(end, pipeline.offset());
}

bool Engine::Drained() const {
  return std::all_of(pipelines_.begin(), pipelines_.end(),
                     [](const RunningPipeline& r) { return r.pipeline->Drained(); });
}

}  // namespace rivulet
