// JournalInput: a lane's journal as the log that pipelines read.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "node/engine/input_log.h"
#include "node/lane/journal_feed.h"
#include "state/journal.h"

namespace rivulet {

// One thread (the engine's).
class JournalInput final : public InputLog {
 public:
  explicit JournalInput(LaneId lane) : lane_(lane) {}

  // Before anything else. The journal must outlive it.
  void Open(Journal* journal) {
    journal_ = journal;
    feed_ = std::make_unique<JournalFeed>(journal);
  }

  LogId id() const override { return LogId::OfLane(lane_); }
  Result<Offset> begin() const override { return journal_->begin(); }
  Offset end() const override { return journal_->end(); }
  Status AdvanceTo(Offset to) override { return journal_->AdvanceTo(to); }
  Status Prepare(Offset from) override { return feed_->Prepare(from); }
  Status Read(SourceGroup* source, Offset from, size_t entries, size_t bytes,
              std::span<const InputMessage>* messages, uint64_t* next) override;
  void EndRound() override { feed_->EndRound(); }

 private:
  void Add(SourceGroup* source, const JournalEntry& entry);

  const LaneId lane_;
  Journal* journal_ = nullptr;
  std::unique_ptr<JournalFeed> feed_;
  std::vector<InputMessage> messages_;
  std::deque<std::string> refusals_;  // why messages are refused
  std::vector<uint32_t> of_tables_;   // scratch
};

}  // namespace rivulet
