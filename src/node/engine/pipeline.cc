#include "node/engine/pipeline.h"

#include <algorithm>
#include <limits>

#include "base/types.h"
#include "node/engine/store_keys.h"
#include "operators/keyed/keyed_chain.h"

namespace rivulet {
namespace {

constexpr uint64_t kSkippedEntries = 10000;

}  // namespace

// The store as an operator sees it.
class Pipeline::View final : public StateView {
 public:
  explicit View(const Store* store) : store_(store) {}
  Result<bool> Get(std::string_view key, std::string* value) const override {
    return store_->Get(key, value);
  }
  Status Scan(std::string_view from, std::string_view to, const Visitor& visit) const override {
    return store_->Scan(from, to, visit);
  }

 private:
  const Store* store_;
};

class Pipeline::Changes final : public StateChanges {
 public:
  explicit Changes(Delta* delta) : delta_(delta) {}
  void Put(std::string_view key, std::string_view value) override { delta_->Put(key, value); }
  void Delete(std::string_view key) override { delta_->Delete(key); }
  void DeleteRange(std::string_view from, std::string_view to) override {
    delta_->DeleteRange(from, to);
  }

 private:
  Delta* delta_;
};

Pipeline::Pipeline() = default;
Pipeline::~Pipeline() = default;

Result<std::unique_ptr<Pipeline>> Pipeline::Open(std::unique_ptr<PipelinePlan> plan,
                                                 const PipelineOptions& options, Store* store,
                                                 bool durable) {
  std::unique_ptr<Pipeline> p(new Pipeline());
  p->plan_ = std::move(plan);
  p->durable_ = durable;
  p->results_per_step_ = options.results_per_step;
  p->outputs_per_turn_ = options.outputs_per_turn;
  p->workers_ = std::max<uint32_t>(1, options.workers);
  RIVULET_ASSIGN_OR_RETURN(p->entry_, OpenCatalogueEntry(*store, *p->plan_, &p->opening_));

  Position position;
  position.watermark = std::numeric_limits<int64_t>::min();
  position.fired.time = position.watermark;
  position.cursors.push_back({options.log, options.start});
  std::string stored;
  RIVULET_ASSIGN_OR_RETURN(const bool found, store->Get(store_keys::Position(p->entry_.id), &stored));
  if (found) {
    RIVULET_ASSIGN_OR_RETURN(position, Position::Decode(stored));
  }
  p->has_position_ = found;
  position.sequences.resize(kChannels);
  // Another source than before: W goes on, and it is read from now on.
  if (position.cursors.empty() || position.cursors[0].log != options.log) {
    position.cursors.assign(1, {options.log, options.start});
    p->has_position_ = false;
  }
  p->log_ = options.log;
  p->offset_ = p->collected_offset_ = p->committed_offset_ = position.cursors[0].next.value;

  p->layouts_ = std::make_unique<PaneLayouts>(&p->plan_->aggregates, p->entry_.layouts);
  p->view_ = std::make_unique<View>(store);
  p->source_ = std::make_unique<SourceTask>(&p->plan_->source, p->workers_, position.watermark);
  p->source_->RestoreChannels(position.inputs, position.listening);
  p->task_ = std::make_unique<PipelineTask>(
      p->plan_.get(), p->layouts_.get(), store_keys::Operator(p->entry_.id, p->entry_.generation),
      store_keys::KeyedSteps(p->entry_.id), p->view_.get(), options.partitions, p->workers_,
      p->workers_, position.fired);
  p->tables_ = std::make_unique<PipelineTables>(&p->plan_->tables, store_keys::Tables(p->entry_.id),
                                                p->view_.get());
  p->task_->SetTables(&p->tables_->view());
  p->state_.Add(&p->task_->state());
  p->state_.Add(&p->tables_->state());
  p->fired_ = position.fired;
  p->placed_ = p->released_ = p->collected_release_ = position.fired.WholeTime();
  p->closing_ = position.fired < p->Target();
  for (size_t i = 0; i < kChannels; ++i) {
    p->channels_.push_back(std::make_unique<OutputChannel>(
        p->plan_->name, p->entry_.id, static_cast<ChannelKind>(i), durable ? store : nullptr,
        position.sequences[i]));
    RIVULET_RETURN_IF_ERROR(p->channels_.back()->Measure());
  }
  if (!p->plan_->windows()) p->channel(ChannelKind::kResults).NumberIds();
  // Operator state of another generation is still in the store until the first commit deletes it, but
  // under another prefix: it is not seen.
  Changes opening(&p->opening_);
  RIVULET_RETURN_IF_ERROR(KeyedChain::DropForeign(
      p->plan_->keyed, store_keys::KeyedSteps(p->entry_.id), *p->view_, &opening));
  RIVULET_RETURN_IF_ERROR(p->tables_->DropForeign(&opening));
  p->source_->SetTableFaults(&p->tables_->faults());
  RIVULET_RETURN_IF_ERROR(p->state_.Open());
  return p;
}

Status Pipeline::Turn(std::span<const InputMessage> messages, uint64_t next_offset,
                      TaskRunner* runner) {
  ApplyTables(messages);
  const size_t share = (messages.size() + workers_ - 1) / workers_;
  runner->Run(workers_, [&](uint32_t i) {
    const size_t begin = std::min(messages.size(), i * share);
    source_->Decode(i, messages.subspan(begin, std::min(share, messages.size() - begin)));
  });
  source_->Combine();
  return RunWindows(next_offset, runner);
}

Status Pipeline::SharedTurn(SourceTask* shared, const ColumnMap& map, uint64_t next_offset,
                            TaskRunner* runner) {
  source_->Exchange(shared, map);
  const Status status = RunWindows(next_offset, runner);
  SourceTask::Reached reached = source_->reached();
  source_->Exchange(shared, map);
  source_->GoOnFrom(std::move(reached));
  return status;
}

Status Pipeline::Finish(TaskRunner* runner) {
  for (uint32_t i = 0; i < workers_; ++i) source_->Decode(i, {});
  source_->Finish();
  return RunWindows(offset_, runner);
}

Status Pipeline::LoadTable(std::span<const InputMessage> messages) {
  tables_->Apply(messages);
  processed_ = true;
  if (tables_->faults().empty()) return Status::Ok();
  const DecodeError& first = tables_->faults().front().error;
  return {first.code, first.detail + ": " + std::string(first.raw.substr(0, 100))};
}

Status Pipeline::RunWindows(uint64_t next_offset, TaskRunner* runner) {
  runner->Run(workers_, [&](uint32_t i) { task_->Prepare(i, &source_->slot(i)); });
  const uint64_t end = ProcessRecords(runner);
  offset_ = end == TurnParts::kEnd ? next_offset : end;
  tables_->Settle(offset_);
  if (!durable_) tables_->DropChanges();
  return CloseWindows(runner, true, end);
}

uint64_t Pipeline::ProcessRecords(TaskRunner* runner) {
  const WindowSpec& window = plan_->window;
  if (!window.per_key.on) {
    runner->Run(workers_, [&](uint32_t i) {
      task_->BeginStep(i);
      task_->Process(i, source_.get(), 0, TurnParts::kEnd);
    });
    return TurnParts::kEnd;
  }
  // One record closes windows that its key has open, which lie within a window's length and the delay.
  const auto closed_by_one = static_cast<size_t>(
      (window.size_us + window.per_key.delay_us) / std::max<int64_t>(window.slide_us, 1) + 1);
  const size_t records = std::max<size_t>(results_per_step_ / closed_by_one, 1);
  parts_.Begin(source_.get());
  runner->Run(workers_, [&](uint32_t i) { task_->BeginStep(i); });
  for (;;) {
    const int64_t last = window.per_key.Held(parts_.last_watermark());
    const FirePoint point = task_->NextPoint(last, results_per_step_);
    const int64_t most = point.time < last ? SaturatingAdd(point.time, window.per_key.hold_us)
                                           : std::numeric_limits<int64_t>::max();
    const TurnParts::Part part = parts_.Next(records, most);
    runner->Run(workers_,
                [&](uint32_t i) { task_->Process(i, source_.get(), part.begin, part.end); });
    if (part.end == TurnParts::kEnd) return part.end;
    const bool jump = window.per_key.Held(part.watermark) > point.time;
    if (!jump && task_->ResultsSoFar() < results_per_step_) continue;
    source_->Rewind(part.watermark, part.end);
    return part.end;
  }
}

Status Pipeline::Continue(TaskRunner* runner) {
  runner->Run(workers_, [&](uint32_t i) { task_->BeginStep(i); });
  return CloseWindows(runner, false, TurnParts::kEnd);
}

FirePoint Pipeline::Target() const {
  return {plan_->window.per_key.Held(source_->watermark()), true, ""};
}

int64_t Pipeline::releasable() const { return fired_.WholeTime(); }

bool Pipeline::DueBy(int64_t watermark) const {
  const int64_t held = Held(watermark);
  return !closing_ && held > fired_.WholeTime() && task_->DueBy(held);
}

// A tick, and nothing came of it: a restart may as well read it again, and no commit is worth it.
bool Pipeline::OnlyTimePassed() const {
  return source_->only_ticks() && task_->results().empty() && task_->late().empty() &&
         task_->dead().empty() && DirtyRows() == 0;
}

Status Pipeline::CloseWindows(TaskRunner* runner, bool with_records, uint64_t end) {
  const FirePoint target = Target();
  for (;;) {
    const FirePoint point = task_->NextPoint(target.time, results_per_step_);
    runner->Run(workers_, [&](uint32_t i) { task_->Close(i, point); });
    task_->Collect(with_records ? source_.get() : nullptr, end);
    fired_ = std::max(fired_, point);
    processed_ = processed_ || !with_records || !OnlyTimePassed();
    Emit();
    closing_ = fired_ < target;
    // What a close changes stays in memory until a commit, even when its results are not put out.
    const bool pause =
        OutputBytes() > outputs_per_turn_ || task_->state().DirtyRows() > results_per_step_ / 2;
    if (!closing_ || pause || !task_->state().status().ok()) return task_->state().status();
    with_records = false;
    runner->Run(workers_, [&](uint32_t i) { task_->BeginStep(i); });
  }
}

// Each result gets its place in time. What W closes comes when all that ends before is out: W just before it
// is 1 us less than what made it due. What a record causes comes with W as it was just before that record. As
// this is the order in which results are put out, W never falls from one to the next; nor below what was
// closed before a change of the text, such as of the hold.
//
// A pipeline that reads the results takes its W from these places, and in between from how far all results
// have been committed (released). Such a step of W lies at or below the place of the next result, so a record
// meets the same W whether or not steps came before it; and what a step closes, the next record would
// have closed first, in the same order. So the reader's results do not depend on where commits fall.
void Pipeline::EmitResults() {
  OutputChannel& results = channel(ChannelKind::kResults);
  for (const PipelineResult& r : task_->results()) {
    const int64_t before = r.order.caused != 0 ? r.order.time : SaturatingSub(r.order.time, 1);
    placed_ = std::max(placed_, before);
    const OutputPlace place{r.time_us, placed_};
    results.Append(r.revision, r.identity_us, r.key, r.json, &place);
  }
}

void Pipeline::Emit() {
  EmitResults();
  for (const std::string& line : task_->late()) channel(ChannelKind::kLate).Append(0, 0, "", line);
  for (const std::string& line : task_->dead()) channel(ChannelKind::kDead).Append(0, 0, "", line);
  if (durable_) return;
  for (const auto& c : channels_) c->Release();
  released_ = fired_.WholeTime();
}

CommitNeed Pipeline::commit_need() const {
  if (!durable_) return CommitNeed::kNone;
  const auto any = [this](auto what) {
    return std::any_of(channels_.begin(), channels_.end(), what);
  };
  if (!opening_.empty() || !has_position_ ||
      any([](const auto& c) { return c->HasNewEntries() || c->Unsettled(); })) {
    return CommitNeed::kResults;
  }
  // Messages of others that were passed over are worth a commit only when they hold up the journal.
  if (processed_ || uncommitted() > kSkippedEntries) return CommitNeed::kState;
  return CursorsMoved() ? CommitNeed::kDelivery : CommitNeed::kNone;
}

Position Pipeline::CurrentPosition() const {
  Position position;
  position.cursors.push_back({log_, Offset{offset_}});
  position.watermark = source_->watermark();
  position.fired = fired_;
  for (const auto& c : channels_) position.sequences.push_back(c->next());
  position.inputs = source_->channels().states();
  position.listening = source_->channels().listening();
  return position;
}

void Pipeline::CollectCommit(Delta* delta) {
  delta->Append(opening_);
  opening_.Clear();
  // Time that passed without a commit has left little, but what it left goes with the position.
  if (processed_ || offset_ != collected_offset_) {
    Changes changes(delta);
    tables_->Forget(source_->watermark());
    state_.CollectChanges(&changes);
  }
  if (processed_ || !has_position_ || offset_ != collected_offset_) {
    delta->Put(store_keys::Position(entry_.id), CurrentPosition().Encode());
    has_position_ = true;
  }
  for (const auto& c : channels_) c->CollectChanges(delta);
  processed_ = false;
  commit_pending_ = true;
  collected_offset_ = offset_;
  collected_release_ = fired_.WholeTime();
}

void Pipeline::CollectDelivery(Delta* delta) {
  for (const auto& c : channels_) c->CollectCursors(delta);
}

void Pipeline::OnCommitted() {
  if (!commit_pending_) return;
  commit_pending_ = false;
  committed_offset_ = collected_offset_;
  released_ = collected_release_;
  state_.OnCommitted();
  for (const auto& c : channels_) c->OnCommitted();
}

void Pipeline::BoundMemory(size_t bytes) {
  if (!durable_ || commit_pending_ || task_->state().MemoryBytes() <= bytes) return;
  // To half the bound: evicting a little after every commit would cost more.
  task_->state().Evict(bytes / 2);
}

Result<bool> Pipeline::Pump() {
  bool moved = false;
  for (const auto& c : channels_) {
    RIVULET_ASSIGN_OR_RETURN(const bool one, c->Pump());
    moved = moved || one;
  }
  return moved;
}

bool Pipeline::CursorsMoved() const {
  return std::any_of(channels_.begin(), channels_.end(), [](const auto& c) { return c->CursorsMoved(); });
}

bool Pipeline::KeepsDelivered() const {
  return std::any_of(channels_.begin(), channels_.end(), [](const auto& c) { return c->KeepsDelivered(); });
}

bool Pipeline::Drained() const {
  return std::all_of(channels_.begin(), channels_.end(), [](const auto& c) { return c->Drained(); });
}

void Pipeline::Measure(MemoryUse* use) const {
  use->state += StateBytes();
  use->outputs += OutputBytes();
  use->dirty_rows += DirtyRows();
}

size_t Pipeline::OutputBytes() const {
  size_t bytes = 0;
  for (const auto& c : channels_) bytes += c->WaitingBytes();
  return bytes;
}

uint64_t Pipeline::HeldBytes() const {
  uint64_t bytes = 0;
  for (const auto& c : channels_) bytes += c->HeldBytes();
  return bytes;
}

uint64_t Pipeline::OutputsWaiting() const { return channels_[0]->waiting(); }

std::vector<SinkStats> Pipeline::Sinks() const {
  std::vector<SinkStats> all;
  for (const auto& c : channels_) {
    for (SinkStats& s : c->Stats()) all.push_back(std::move(s));
  }
  return all;
}

}  // namespace rivulet
