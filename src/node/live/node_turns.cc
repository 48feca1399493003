// Which pipelines read together, their turns, and that what these take in fits into memory.
#include <algorithm>
#include <map>
#include <utility>

#include "node/engine/heartbeat.h"
#include "node/lane/large_message.h"
#include "node/live/node.h"

namespace rivulet {

// Puts pipelines with equal sources and positions together. Called whenever the set of pipelines changes.
Status Node::BuildGroups() {
  groups_.clear();
  for (const RunningPipeline& r : pipelines_) {
    r.pipeline->BoundOutputs(MemoryBudget::kStoredOutputs / pipelines_.size());
  }
  std::map<std::string, std::vector<Pipeline*>> by_key;
  for (const RunningPipeline& r : pipelines_) {
    std::string key = SourceGroup::Key(*r.pipeline);
    if (!careful_.empty()) key += "\n" + r.pipeline->name();
    by_key[key].push_back(r.pipeline.get());
  }
  for (auto& [key, members] : by_key) {
    Group group;
    const Pipeline& first = *members.front();
    if (first.upstream().empty()) {
      RIVULET_RETURN_IF_ERROR(lane_.feed().Prepare(Offset{first.offset()}));
    } else {
      group.upstream = pipelines_.Find(first.upstream());
    }
    group.source = std::make_unique<SourceGroup>(std::move(members),
                                                 std::max<uint32_t>(1, spec_.workers));
    group.checkpoint = parts_.clock().monotonic;
    if (careful_.empty()) ShareSteps(group);
    groups_.push_back(std::move(group));
  }
  return Status::Ok();
}

// Pipelines that read together close their windows in the same turn, so they share what one may put out in
// it.
void Node::ShareSteps(const Group& group) const {
  constexpr size_t kLeastResults = 64, kLeastBytes = 16 << 10;
  const size_t members = group.source->members().size();
  const size_t results = std::max(parts_.results_per_step / members,
                                  std::min(parts_.results_per_step, kLeastResults));
  const size_t bytes = std::max(PipelineOptions().outputs_per_turn / members, kLeastBytes);
  for (Pipeline* p : group.source->members()) p->LimitSteps(results, bytes);
}

bool Node::ReadTurns() {
  WatchOutputs();
  if (!careful_.empty()) {
    const bool more = ReadCarefully();
    lane_.feed().EndRound();
    return more;
  }
  const bool more = ReadGroups();
  lane_.feed().EndRound();
  const Status regrouped = RegroupPipelines(!more);
  if (!regrouped.ok()) Fail(regrouped);
  return more;
}

// A turn of each. Where memory is used up before, the others come first when a commit has let go of some.
bool Node::ReadGroups() {
  bool more = false;
  const MemoryBudget budget = Budget();
  const StoreStats stats = parts_.store->Stats();
  // When sinks or the disk are behind, the journal holds what comes.
  const auto must_wait = [&](const MemoryUse& use) {
    return commit_ != nullptr ? budget.Full(use) : budget.CommitDue(use, stats) && AnyChanges();
  };
  MemoryUse use = Measure();
  for (size_t left = groups_.size(); left > 0; --left) {
    if (must_wait(use)) break;
    Group& group = groups_[next_group_++ % groups_.size()];
    next_group_ %= groups_.size();
    MemoryUse before, after;
    for (const Pipeline* p : group.source->members()) p->Measure(&before);
    Beat();
    const Status status = TurnOf(&group, &more);
    if (!status.ok()) Fail(status);
    for (const Pipeline* p : group.source->members()) p->Measure(&after);
    use.state += after.state - before.state;
    use.outputs += after.outputs - before.outputs;
    use.dirty_rows += after.dirty_rows - before.dirty_rows;
  }
  return more;
}

Status Node::RegroupPipelines(bool quiet) {
  // Than the first that reads the same log.
  const auto elsewhere = [this](const RunningPipeline& r) {
    const auto first = std::find_if(pipelines_.begin(), pipelines_.end(), [&r](const RunningPipeline& other) {
      return other.pipeline->upstream() == r.pipeline->upstream();
    });
    return r.pipeline->offset() != first->pipeline->offset();
  };
  const bool together =
      apart_ && quiet && std::none_of(pipelines_.begin(), pipelines_.end(), elsewhere);
  if (!cut_ && !together) return Status::Ok();
  apart_ = cut_;
  cut_ = false;
  return BuildGroups();
}

Status Node::TurnOf(Group* group, bool* more) {
  const auto waits = [this](const Pipeline& p) { return OutputsFull(p); };
  const auto& members = group->source->members();
  if (std::all_of(members.begin(), members.end(), [&](const Pipeline* p) { return waits(*p); })) {
    return Status::Ok();
  }
  bool closing = false;
  for (Pipeline* p : group->source->members()) {
    // The results of a large close leave step by step, each with a commit.
    if (p->closing() && commit_ == nullptr) {
      RIVULET_RETURN_IF_ERROR(p->Continue(parts_.runner));
      *more = true;
    }
    closing = closing || p->closing();
  }
  if (closing) return Status::Ok();
  for (const Pipeline* p : group->source->members()) {
    if (!p->tables().ready()) return Status::Ok();
  }
  uint64_t next = group->source->offset();
  const uint64_t before = next;
  RIVULET_RETURN_IF_ERROR(group->upstream != nullptr ? ReadResults(group, &next)
                                                     : ReadJournal(group, &next));
  if (next == before && messages_.empty()) return Status::Ok();
  *more = true;
  RefuseAside(*group);
  if (messages_.empty()) {
    group->source->Skip(next);
    return Status::Ok();
  }
  RIVULET_RETURN_IF_ERROR(group->source->Turn(messages_, next, parts_.runner, waits));
  for (const Pipeline* p : group->source->members()) {
    cut_ = cut_ || p->offset() != next || group->source->apart();
    unquoted_watch_.Look(*p, parts_.log);
  }
  return Status::Ok();
}

Status Node::ReadJournal(Group* group, uint64_t* next) {
  messages_.clear();
  refusals_.clear();
  const size_t entries = MostEntries(*group, Budget().TurnMessages(
      kTurnEntries, group->source->members().size(), parts_.store->Stats()));
  // Few bytes can be very many elements.
  const bool explodes = group->source->members().front()->plan().source.explode.has_value();
  const size_t bytes = explodes ? kTurnBytes / 4 : kTurnBytes;
  RIVULET_ASSIGN_OR_RETURN(const std::span<const JournalEntry> read,
                           lane_.feed().Read(Offset{*next}, entries, bytes));
  if (read.empty()) return Status::Ok();
  for (const JournalEntry& e : read) {
    InputMessage m;
    m.payload = {e.payload, e.received.us, e.offset.value};
    m.assumed = e.assumed;
    if (e.tick()) {
      m.kind = InputMessage::Kind::kTick;
      m.resumes = e.resumes;
      if (group->source->FollowsTime()) messages_.push_back(m);
      continue;
    }
    m.topic = e.topic;
    m.topic_id = e.topic_id;
    of_tables_.clear();
    group->source->MatchTables(e.topic_id, e.topic, &of_tables_);
    if (const auto large = ReadLargeMessage(e.payload)) {
      if (of_tables_.empty() && !group->source->Matches(e.topic_id, e.topic)) continue;
      m.payload.payload = large->head;
      m.whole_bytes = large->bytes;
      Refuse(ErrorCode::kPayloadTooLarge,
             "it has " + std::to_string(large->bytes) + " bytes; raise 'max_payload' to take it in", &m);
      messages_.push_back(m);
      continue;
    }
    m.kind = InputMessage::Kind::kTable;
    for (const uint32_t table : of_tables_) {
      m.table = table;
      messages_.push_back(m);
    }
    if (!group->source->Matches(e.topic_id, e.topic)) continue;
    m.kind = InputMessage::Kind::kRecord;
    messages_.push_back(m);
  }
  *next = read.back().offset.value + 1;
  return Status::Ok();
}

// The message becomes a dead letter, and nothing else.
void Node::Refuse(ErrorCode code, std::string why, InputMessage* message) {
  refusals_.push_back(std::move(why));
  message->kind = InputMessage::Kind::kRefused;
  message->refused = code;
  message->why = refusals_.back();
}

}  // namespace rivulet
