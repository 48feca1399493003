// What a node does when its state store is full, or what outputs may take of it.
//
// Outputs: a pipeline for whose sinks too much waits takes in nothing more. The journal holds what comes, up
// to the disk's reserve; then the broker does.
//
// The store: a commit that finds no room is tried again when sinks have taken what waits for them; what they
// have is deleted first. When nothing waits for them, no room will come by itself. Then all pipelines go back
// to the last commit, and on one at a time, with few messages, small steps of closes and a commit after each,
// so that they fit if they can at all. A message that alone finds no room is put aside as
// a dead letter; when even that has no room, it is left out. In both cases W goes on by its event times:
// windows close, and make room.
#include <algorithm>
#include <utility>

#include "node/live/node.h"

namespace rivulet {
namespace {

// Messages that are tried together first; and for each, how large the steps of a close are.
constexpr size_t kFirstCare = 64;
constexpr size_t kResultsPerMessage = 4;
constexpr size_t kOutputsPerMessage = 1 << 10;

}  // namespace

bool Node::OutputsFull(const Pipeline& pipeline) const {
  const uint64_t limit = spec_.state_outputs > 0 ? spec_.state_outputs : spec_.state_map_size / 2;
  // One whose sinks keep up does not wait for those of others.
  return held_outputs_ > limit && pipeline.HeldBytes() > limit / pipelines_.size();
}

void Node::WatchOutputs() {
  held_outputs_ = 0;
  for (const RunningPipeline& r : pipelines_) held_outputs_ += r.pipeline->HeldBytes();
  std::string names;
  for (const RunningPipeline& r : pipelines_) {
    if (OutputsFull(*r.pipeline)) names += (names.empty() ? "'" : ", '") + r.pipeline->name() + "'";
  }
  if (names.empty() == !outputs_full_) return;
  outputs_full_ = !names.empty();
  if (outputs_full_) {
    parts_.log('e', "outputs of " + names + " have reached 'state.outputs' as their sinks do not take them: "
                    "processing pauses until they do; the journal holds what comes");
  } else {
    parts_.log('i', "sinks have taken results: processing goes on");
  }
}

bool Node::RoomWillCome() const {
  return !commit_->delivery.empty() || !commit_->first.empty() || SinksMoved() ||
         std::any_of(pipelines_.begin(), pipelines_.end(),
                     [](const RunningPipeline& r) { return !r.pipeline->Drained(); });
}

bool Node::SinksMoved() const {
  return std::any_of(pipelines_.begin(), pipelines_.end(),
                     [](const RunningPipeline& r) {
                       return r.pipeline->CursorsMoved() || r.pipeline->KeepsDelivered();
                     });
}

void Node::MakeRoom() {
  Delta delivery;
  for (RunningPipeline& r : pipelines_) r.pipeline->CollectDelivery(&delivery);
  commit_->first.Append(commit_->delivery);
  commit_->delivery.Clear();
  commit_->first.Append(delivery);
  commit_->delta.Append(delivery);
}

bool Node::PutAside() {
  if (careful_.empty()) {
    parts_.log('w', LogMessage(commit_->result, "a commit is too large, smaller ones are made: "));
    for (const RunningPipeline& r : pipelines_) careful_[r.pipeline->name()] = kFirstCare;
  } else {
    const auto care = careful_.find(commit_->pipeline);
    if (care == careful_.end()) return false;
    if (care->second == 1 && !(commit_->alone && RefuseMessage(*commit_))) return false;
    care->second = std::max<size_t>(care->second / 2, 1);
  }
  const Status status = StartAfresh();
  if (!status.ok()) Fail(status);
  return true;
}

// False when it is left out already.
bool Node::RefuseMessage(const Commit& commit) {
  const auto known = aside_.find(commit.pipeline);
  const bool tried = known != aside_.end() && known->second.offset == commit.message;
  if (tried && known->second.silent) return false;
  aside_[commit.pipeline] = {commit.message, tried};
  const Status reason(ErrorCode::kNeverFits,
                      "message " + std::to_string(commit.message) + " of '" + commit.pipeline + "' " +
                          (tried ? "is left out, as there is no room even for a dead letter"
                                 : "becomes a dead letter") +
                          "; raise 'state.map_size', or keep less state");
  parts_.log('e', LogMessage(reason).Of(commit.pipeline));
  return true;
}

Status Node::StartAfresh() {
  const Offset consumed = LeastCommitted();
  // In front of what came to it since.
  commit_->remembered.Append(remembered_);
  remembered_ = std::move(commit_->remembered);
  commit_.reset();
  groups_.clear();
  assembled_ = false;
  PipelineSet::Members before = pipelines_.TakeAll();
  for (RunningPipeline& r : before) {
    ConfigErrors ignored;
    std::unique_ptr<PipelinePlan> plan = PlanPipeline(r.pipeline->plan().spec, {}, &ignored);
    // It lets go of its files before they are opened again.
    r.pipeline.reset();
    // What it has to commit goes with the commits to come: there is no room now, and a step does not wait.
    RIVULET_RETURN_IF_ERROR(OpenPipeline(std::move(plan), r.text));
    TakeCare(pipelines_.back().pipeline.get());
  }
  careful_next_ = 0;
  RIVULET_RETURN_IF_ERROR(BuildGroups());
  assembled_ = true;
  KeepForReaders();
  consumed_ = std::min(consumed_, consumed);
  consumed_before_ = std::min(consumed_before_, consumed);
  return Status::Ok();
}

void Node::TakeCare(Pipeline* pipeline) const {
  const size_t messages = careful_.at(pipeline->name());
  pipeline->LimitSteps(std::min(messages * kResultsPerMessage, parts_.results_per_step),
                       std::min(messages * kOutputsPerMessage, PipelineOptions().outputs_per_turn));
}

size_t Node::MostEntries(const Group& group, size_t most) const {
  const auto care = careful_.find(group.source->members().front()->name());
  return care == careful_.end() ? most : std::min(care->second, most);
}

// One pipeline's turn, or step of a close, and a commit.
bool Node::ReadCarefully() {
  bool more = false;
  for (size_t i = 0; i < groups_.size() && commit_ == nullptr; ++i) {
    Group& group = groups_[careful_next_++ % groups_.size()];  // until pipelines are regrouped
    const Pipeline& pipeline = *group.source->members().front();
    const bool closing = pipeline.closing();
    const uint64_t before = pipeline.offset();
    messages_.clear();
    Status status = TurnOf(&group, &more);
    // What was cut off this turn is read again.
    if (status.ok()) status = RegroupPipelines(false);
    if (!status.ok()) {
      Fail(status);
      return false;
    }
    const auto aside = aside_.find(pipeline.name());
    const bool left_out = aside != aside_.end() && before <= aside->second.offset &&
                          aside->second.offset < pipeline.offset();
    if (messages_.empty() && !closing && !left_out) continue;
    const bool takes_in = std::any_of(messages_.begin(), messages_.end(), [](const InputMessage& m) {
      return m.kind == InputMessage::Kind::kRecord || m.kind == InputMessage::Kind::kTable;
    });
    StartCommit(parts_.clock(), true, !takes_in);
    commit_->pipeline = pipeline.name();
    commit_->alone = careful_[pipeline.name()] == 1 && !messages_.empty();
    if (commit_->alone) commit_->message = messages_.front().payload.offset;
  }
  // What did not fit is behind: on as ever.
  if (!more && commit_ == nullptr) EndCare();
  return more;
}

void Node::EndCare() {
  careful_.clear();
  aside_.clear();
  for (const RunningPipeline& r : pipelines_) {
    r.pipeline->LimitSteps(parts_.results_per_step, PipelineOptions().outputs_per_turn);
  }
  // Those that read on their own until now may read together again.
  apart_ = true;
}

void Node::TakeLessCare(const std::string& pipeline) {
  const auto care = careful_.find(pipeline);
  if (care == careful_.end()) return;
  const auto aside = aside_.find(pipeline);
  Pipeline* const running = pipelines_.Find(pipeline);
  if (aside != aside_.end() && aside->second.offset < running->committed_offset()) aside_.erase(aside);
  care->second = std::min(care->second * 2, kTurnEntries);
  TakeCare(running);
  const bool all = std::all_of(careful_.begin(), careful_.end(),
                               [](const auto& c) { return c.second == kTurnEntries; });
  if (all) EndCare();
}

// Of what was read, the message that is put aside does nothing but move W: windows that close make room. Rows
// of tables are left out whole; ticks have no more than their time.
void Node::RefuseAside(const Group& group) {
  if (aside_.empty()) return;
  const auto aside = aside_.find(group.source->members().front()->name());
  if (aside == aside_.end()) return;
  std::erase_if(messages_, [&](const InputMessage& m) {
    return m.payload.offset == aside->second.offset && m.kind == InputMessage::Kind::kTable;
  });
  for (InputMessage& m : messages_) {
    if (m.payload.offset != aside->second.offset || m.kind != InputMessage::Kind::kRecord) continue;
    m.kind = InputMessage::Kind::kTimeOnly;
    m.refused = ErrorCode::kNeverFits;
    if (aside->second.silent) continue;
    refusals_.emplace_back("there is no room for what it changes; raise 'state.map_size'");
    m.why = refusals_.back();
  }
}

}  // namespace rivulet
