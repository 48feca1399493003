#include "node/engine/turn_schedule.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "node/engine/heartbeat.h"

namespace rivulet {

Status TurnSchedule::Build(Monotonic now) {
  groups_.clear();
  const PipelineSet& pipelines = *parts_.pipelines;
  std::map<std::string, std::vector<Pipeline*>> by_key;
  for (const RunningPipeline& r : pipelines) {
    r.pipeline->BoundOutputs(MemoryBudget::kStoredOutputs / pipelines.size());
    std::string key = SourceGroup::Key(*r.pipeline);
    if (parts_.care->on()) key += "\n" + r.pipeline->name();
    by_key[key].push_back(r.pipeline.get());
  }
  for (auto& [key, members] : by_key) {
    Group group;
    const Pipeline& first = *members.front();
    group.log = first.upstream().empty() ? parts_.input : pipelines.ResultsOf(first.upstream());
    RIVULET_RETURN_IF_ERROR(group.log->Prepare(Offset{first.offset()}));
    group.source = std::make_unique<SourceGroup>(std::move(members), options_.workers);
    group.checkpoint = now;
    if (!parts_.care->on()) ShareSteps(group);
    groups_.push_back(std::move(group));
  }
  return Status::Ok();
}

// Pipelines that read together close their windows in the same turn, so they share what one may put out in
// it.
void TurnSchedule::ShareSteps(const Group& group) const {
  constexpr size_t kLeastResults = 64, kLeastBytes = 16 << 10;
  const size_t members = group.members().size();
  const size_t results = std::max(options_.results_per_step / members,
                                  std::min(options_.results_per_step, kLeastResults));
  const size_t bytes = std::max(options_.outputs_per_step / members,
                                std::min(options_.outputs_per_step, kLeastBytes));
  for (Pipeline* p : group.members()) p->LimitSteps(results, bytes);
}

// Where memory is used up before, the others come first when a commit has let go of some.
Result<bool> TurnSchedule::Read(const RoundLimits& limits, MemoryUse use,
                                const std::function<bool(const MemoryUse&)>& must_wait, Monotonic now) {
  bool more = false;
  for (size_t left = groups_.size(); left > 0 && !must_wait(use); --left) {
    Group& group = groups_[next_++ % groups_.size()];
    next_ %= groups_.size();
    MemoryUse before, after;
    for (const Pipeline* p : group.members()) p->Measure(&before);
    Beat();
    RIVULET_RETURN_IF_ERROR(Turn(&group, limits, &more));
    for (const Pipeline* p : group.members()) p->Measure(&after);
    use.state += after.state - before.state;
    use.outputs += after.outputs - before.outputs;
    use.dirty_rows += after.dirty_rows - before.dirty_rows;
  }
  parts_.input->EndRound();
  RIVULET_RETURN_IF_ERROR(Regroup(!more, now));
  return more;
}

Result<TurnSchedule::Taken> TurnSchedule::ReadCarefully(const RoundLimits& limits, Monotonic now) {
  Taken taken;
  for (size_t i = 0; i < groups_.size() && taken.pipeline == nullptr; ++i) {
    Group& group = groups_[careful_next_++ % groups_.size()];  // until pipelines are regrouped
    const Pipeline& pipeline = *group.members().front();
    const bool closing = pipeline.closing();
    const uint64_t before = pipeline.offset();
    messages_ = {};
    RIVULET_RETURN_IF_ERROR(Turn(&group, limits, &taken.more));
    // What was cut off this turn is read again.
    RIVULET_RETURN_IF_ERROR(Regroup(false, now));
    const bool left_out = parts_.care->HasAside(pipeline.name(), before, pipeline.offset());
    if (messages_.empty() && !closing && !left_out) continue;
    taken.pipeline = &pipeline;
    taken.any = !messages_.empty();
    if (taken.any) taken.first = messages_.front().payload.offset;
    taken.takes_in = std::any_of(messages_.begin(), messages_.end(), [](const InputMessage& m) {
      return m.kind == InputMessage::Kind::kRecord || m.kind == InputMessage::Kind::kTable;
    });
  }
  parts_.input->EndRound();
  return taken;
}

Status TurnSchedule::Regroup(bool quiet, Monotonic now) {
  // Than the first that reads the same log.
  const PipelineSet& pipelines = *parts_.pipelines;
  const auto elsewhere = [&pipelines](const RunningPipeline& r) {
    const auto first = std::find_if(pipelines.begin(), pipelines.end(), [&r](const RunningPipeline& other) {
      return other.pipeline->upstream() == r.pipeline->upstream();
    });
    return r.pipeline->offset() != first->pipeline->offset();
  };
  const bool together = apart_ && quiet && std::none_of(pipelines.begin(), pipelines.end(), elsewhere);
  if (!cut_ && !together) return Status::Ok();
  apart_ = cut_;
  cut_ = false;
  return Build(now);
}

Status TurnSchedule::Turn(Group* group, const RoundLimits& limits, bool* more) {
  const auto waits = [this](const Pipeline& p) { return parts_.outputs->Full(p); };
  const auto& members = group->members();
  if (std::all_of(members.begin(), members.end(), [&](const Pipeline* p) { return waits(*p); })) {
    return Status::Ok();
  }
  bool closing = false;
  for (Pipeline* p : members) {
    // The results of a large close leave step by step, each with a commit.
    if (p->closing() && !limits.commit_under_way) {
      RIVULET_RETURN_IF_ERROR(p->Continue(parts_.runner));
      *more = true;
    }
    closing = closing || p->closing();
  }
  if (closing) return Status::Ok();
  for (const Pipeline* p : members) {
    if (!p->tables().ready()) return Status::Ok();
  }
  uint64_t next = group->source->offset();
  const uint64_t before = next;
  RIVULET_RETURN_IF_ERROR(ReadInto(group, limits, &next));
  if (next == before && messages_.empty()) return Status::Ok();
  *more = true;
  messages_ = parts_.care->PutAside(members.front()->name(), messages_);
  if (messages_.empty()) {
    group->source->Skip(next);
    return Status::Ok();
  }
  RIVULET_RETURN_IF_ERROR(group->source->Turn(messages_, next, parts_.runner, waits));
  for (const Pipeline* p : members) {
    cut_ = cut_ || p->offset() != next || group->source->apart();
    unquoted_watch_.Look(*p, parts_.log);
  }
  return Status::Ok();
}

Status TurnSchedule::ReadInto(Group* group, const RoundLimits& limits, uint64_t* next) {
  const Pipeline& first = *group->members().front();
  const size_t fit = limits.budget.TurnMessages(options_.entries, group->members().size(), limits.store);
  const size_t entries = parts_.care->MostMessages(first.name(), fit);
  // Few bytes can be very many elements.
  const size_t bytes = first.plan().source.explode ? options_.bytes / 4 : options_.bytes;
  return group->log->Read(group->source.get(), Offset{*next}, entries, bytes, &messages_, next);
}

}  // namespace rivulet
