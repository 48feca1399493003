#include "state/journal_segment.h"

#include <algorithm>
#include <cstring>

#include "operators/decode/decoder.h"

namespace rivulet {
namespace {

constexpr size_t kBlock = 256 << 10;
// Behind a damaged place so much is searched; a segment is rarely larger.
constexpr uint64_t kMostSearched = 8ull << 20;
// First only a little, as mostly the next frame is near: many damaged places must not cost a block each.
constexpr uint64_t kFirstSearched = 2 << 10;
constexpr uint64_t kSearchGrowth = 16;

}  // namespace

Status SegmentScanner::Open(FileSystem* files, const std::string& path, Offset first_offset) {
  RIVULET_ASSIGN_OR_RETURN(file_, files->OpenRead(path));
  char bytes[kSegmentHeaderSize];
  RIVULET_ASSIGN_OR_RETURN(const size_t got, file_->Read(0, sizeof(bytes), bytes));
  SegmentHeader header;
  (void)DecodeSegmentHeader({bytes, got}, &header);
  version_ = header.version;
  first_ = first_offset;
  timed_block_ = 0;
  search_budget_ = kSearchBudget;
  block_time_ = {};
  buffer_start_ = kSegmentHeaderSize;
  consumed_ = filled_ = wanted_ = 0;
  next_ = first_offset;
  last_time_ = {};
  dictionary_.clear();
  return Status::Ok();
}

SegmentScanner::Step SegmentScanner::Next(uint64_t limit, ScannedEntry* entry) {
  while (position() < limit) {
    const Step step = NextFrame(limit, entry);
    if (step != Step::kEnd) return step;
  }
  return Step::kEnd;
}

// kEnd: a sound frame was passed over, as something it needs is lost.
SegmentScanner::Step SegmentScanner::NextFrame(uint64_t limit, ScannedEntry* entry) {
  const std::string_view bytes(buffer_.data() + consumed_, filled_ - consumed_);
  EntryFrame frame;
  switch (DecodeEntry(bytes, next_, &frame, Names())) {
    case FrameState::kValid:
      break;
    case FrameState::kIncomplete:
      // A frame that would reach behind the limit cannot be an entry.
      if (frame.size > limit - position()) return Step::kDamaged;
      wanted_ = frame.size;
      return Step::kNeedData;
    case FrameState::kDamaged:
      return Step::kDamaged;
  }
  if (frame.topic_number > dictionary_.size()) return Step::kDamaged;
  if (frame.topic_number == 0) {
    entry->topic = topics_->Intern(frame.topic);
    if (dictionary_.size() < kMaxSegmentTopics) dictionary_.push_back(entry->topic);
  } else {
    entry->topic = dictionary_[frame.topic_number - 1];
  }
  entry->offset = next_;
  const bool timed = TimeOf(frame, &entry->received);
  entry->payload = frame.payload;
  entry->packet_id = frame.packet_id;
  entry->assumed = frame.assumed;
  entry->resumes = frame.resumes;
  next_ = next_ + 1;
  consumed_ += frame.size;
  if (!timed || entry->topic.name.data() == nullptr) return Step::kEnd;
  last_time_ = entry->received;
  return Step::kEntry;
}

// False when the entry that it is less was lost.
bool SegmentScanner::TimeOf(const EntryFrame& frame, EventTime* time) {
  const auto from = [&frame](EventTime base) {
    return EventTime{static_cast<int64_t>(static_cast<uint64_t>(base.us) +
                                          static_cast<uint64_t>(frame.time_delta))};
  };
  if (version_ == kFirstJournalVersion) {
    *time = from(last_time_);
    return true;
  }
  if ((next_.value - first_.value) % kTimeBlock == 0) {
    *time = block_time_ = from({});
    timed_block_ = Block(next_) + 1;
    return true;
  }
  *time = from(block_time_);
  return timed_block_ == Block(next_) + 1;
}

Result<FoundFrame::Kind> SegmentScanner::Resume(uint64_t limit, Offset* beyond) {
  const uint64_t start = position();
  const uint64_t rest = limit - start;
  *beyond = next_ + (rest / kMinFrameSize + 1);
  FoundFrame found;
  std::string bytes;
  for (uint64_t size = kFirstSearched; found.kind == FoundFrame::Kind::kNone; size *= kSearchGrowth) {
    bytes.resize(static_cast<size_t>(std::min({size, rest, kMostSearched})));
    RIVULET_ASSIGN_OR_RETURN(const size_t got, file_->Read(start, bytes.size(), bytes.data()));
    bytes.resize(got);
    found = FindFrame(bytes, got == rest, next_, Names(), version_, &search_budget_);
    if (size >= std::min(rest, kMostSearched)) break;
  }
  if (found.kind != FoundFrame::Kind::kFrame) {
    return rest > kMostSearched ? FoundFrame::Kind::kUnknown : found.kind;
  }
  // In version 1 times and names behind it depend on what is lost.
  if (version_ == kFirstJournalVersion) return FoundFrame::Kind::kUnknown;
  dictionary_.resize(found.names);
  next_ = found.offset;
  buffer_start_ = start + found.position;
  consumed_ = filled_ = wanted_ = 0;
  return FoundFrame::Kind::kFrame;
}

Status SegmentScanner::Refill(uint64_t limit) {
  const size_t kept = filled_ - consumed_;
  const size_t room = std::max(kBlock, wanted_);
  if (kept > 0) std::memmove(buffer_.data(), buffer_.data() + consumed_, kept);
  buffer_start_ += consumed_;
  consumed_ = 0;
  filled_ = kept;
  // A block grown for one large entry is given back once that entry is done.
  if (buffer_.size() < room + kPayloadPadding || buffer_.size() > 4 * (room + kPayloadPadding)) {
    buffer_.resize(room + kPayloadPadding);
    buffer_.shrink_to_fit();
  }
  const uint64_t from = buffer_start_ + filled_;
  const auto n = static_cast<size_t>(std::min<uint64_t>(room - filled_, limit - from));
  RIVULET_ASSIGN_OR_RETURN(const size_t got, file_->Read(from, n, buffer_.data() + filled_));
  filled_ += got;
  wanted_ = 0;
  if (got == n) return Status::Ok();
  return Status(ErrorCode::kCorrupt, "a journal segment ends at byte " +
                                         std::to_string(from + got) + ", expected at least " +
                                         std::to_string(from + n));
}

}  // namespace rivulet
