// SourceGroup: pipelines that read the same topics in the same way, at the same position, share one read
// and one decode of the journal. Each lends the decoded columns from the group for the time of its turn.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "node/engine/pipeline.h"
#include "node/engine/source_task.h"
#include "node/engine/task_runner.h"

namespace rivulet {

// One thread (the engine's).
class SourceGroup {
 public:
  // All with equal Key(). The pipelines must outlive the group's use, not the group.
  SourceGroup(std::vector<Pipeline*> members, uint32_t slots);

  // Pipelines with equal keys can be members of one group: same source, same offset, same watermark.
  // Those with tables are alone: each waits for its own.
  static std::string Key(const Pipeline& pipeline);

  bool Matches(uint32_t topic_id, std::string_view topic) { return task_->Matches(topic_id, topic); }
  // See PipelineTables.
  void MatchTables(uint32_t topic_id, std::string_view topic, std::vector<uint32_t>* tables) {
    members_.front()->tables().Match(topic_id, topic, tables);
  }
  // Whether ticks mean anything to it.
  bool FollowsTime() const { return plan_.FollowsTime(); }
  // Whether a message that brings W = `watermark` along would move the members' W.
  bool BringsOn(int64_t watermark) const { return plan_.Brought(watermark) > members_.front()->watermark(); }
  // Decodes once, then lets every member process. `next_offset` is the position after the messages.
  // Members for which `waits` is true are left where they are.
  Status Turn(std::span<const InputMessage> messages, uint64_t next_offset, TaskRunner* runner,
              const std::function<bool(const Pipeline&)>& waits);
  // Whether members decoded the last turn themselves, as they do not agree on it: a new group is due.
  bool apart() const { return apart_; }
  // Nothing for this group up to there.
  void Skip(uint64_t next_offset);

  const std::vector<Pipeline*>& members() const { return members_; }
  uint64_t offset() const { return members_.front()->offset(); }

 private:
  // Every member decodes for itself.
  Status TurnApart(std::span<const InputMessage> messages, uint64_t next_offset, TaskRunner* runner,
                   const std::function<bool(const Pipeline&)>& waits);
  static void CopySettings(const SourcePlan& from, SourcePlan* to);
  void TakeMember(const SourcePlan& member);

  std::vector<Pipeline*> members_;
  std::vector<ColumnMap> maps_;        // by member
  SourcePlan plan_;                    // takes what any member needs
  std::vector<std::string> columns_;   // what its columns are
  std::unique_ptr<SourceTask> task_;
  uint32_t slots_;
  bool apart_ = false;
};

}  // namespace rivulet
