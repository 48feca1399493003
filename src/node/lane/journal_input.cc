#include "node/lane/journal_input.h"

#include "node/lane/large_message.h"

namespace rivulet {

Status JournalInput::Read(SourceGroup* source, Offset from, size_t entries, size_t bytes,
                          std::span<const InputMessage>* messages, uint64_t* next) {
  messages_.clear();
  refusals_.clear();
  *next = from.value;
  RIVULET_ASSIGN_OR_RETURN(const std::span<const JournalEntry> read, feed_->Read(from, entries, bytes));
  for (const JournalEntry& entry : read) Add(source, entry);
  if (!read.empty()) *next = read.back().offset.value + 1;
  *messages = messages_;
  return Status::Ok();
}

void JournalInput::Add(SourceGroup* source, const JournalEntry& entry) {
  InputMessage m;
  m.payload = {entry.payload, entry.received.us, entry.offset.value};
  m.assumed = entry.assumed;
  if (entry.tick()) {
    m.kind = InputMessage::Kind::kTick;
    m.resumes = entry.resumes;
    if (source->FollowsTime()) messages_.push_back(m);
    return;
  }
  m.topic = entry.topic;
  m.topic_id = entry.topic_id;
  of_tables_.clear();
  source->MatchTables(entry.topic_id, entry.topic, &of_tables_);
  if (const auto large = ReadLargeMessage(entry.payload)) {
    if (of_tables_.empty() && !source->Matches(entry.topic_id, entry.topic)) return;
    // It becomes a dead letter, and nothing else.
    refusals_.push_back("it has " + std::to_string(large->bytes) +
                        " bytes; raise 'max_payload' to take it in");
    m.payload.payload = large->head;
    m.whole_bytes = large->bytes;
    m.kind = InputMessage::Kind::kRefused;
    m.refused = ErrorCode::kPayloadTooLarge;
    m.why = refusals_.back();
    messages_.push_back(m);
    return;
  }
  m.kind = InputMessage::Kind::kTable;
  for (const uint32_t table : of_tables_) {
    m.table = table;
    messages_.push_back(m);
  }
  if (!source->Matches(entry.topic_id, entry.topic)) return;
  m.kind = InputMessage::Kind::kRecord;
  messages_.push_back(m);
}

}  // namespace rivulet
