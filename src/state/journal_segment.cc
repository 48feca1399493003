#include "state/journal_segment.h"

#include <algorithm>
#include <cstring>

#include "operators/decode/decoder.h"

namespace rivulet {
namespace {

constexpr size_t kBlock = 256 << 10;

}  // namespace

Status SegmentScanner::Open(FileSystem* files, const std::string& path, Offset first_offset) {
  RIVULET_ASSIGN_OR_RETURN(file_, files->OpenRead(path));
  buffer_start_ = kSegmentHeaderSize;
  consumed_ = filled_ = wanted_ = 0;
  next_ = first_offset;
  last_time_ = {};
  dictionary_.clear();
  return Status::Ok();
}

SegmentScanner::Step SegmentScanner::Next(uint64_t limit, ScannedEntry* entry) {
  if (position() >= limit) return Step::kEnd;
  const std::string_view bytes(buffer_.data() + consumed_, filled_ - consumed_);
  EntryFrame frame;
  switch (DecodeEntry(bytes, next_, &frame)) {
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
  entry->received.us = static_cast<int64_t>(static_cast<uint64_t>(last_time_.us) +
                                            static_cast<uint64_t>(frame.time_delta));
  entry->offset = next_;
  entry->payload = frame.payload;
  entry->packet_id = frame.packet_id;
  entry->assumed = frame.assumed;
  entry->resumes = frame.resumes;
  last_time_ = entry->received;
  next_ = next_ + 1;
  consumed_ += frame.size;
  return Step::kEntry;
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
