#include "state/journal_reader.h"

#include <algorithm>
#include <utility>

namespace rivulet {
namespace {

class JournalReader final : public Journal::Reader {
 public:
  JournalReader(FileSystem* files, TopicTable* topics, JournalSegmentSource* source,
                std::shared_ptr<JournalSegment> segment, Offset from)
      : files_(files),
        source_(source),
        segment_(std::move(segment)),
        scanner_(topics),
        position_(from) {}

  Status Read(size_t max_entries, size_t max_bytes, std::vector<JournalEntry>* entries) override {
    entries->clear();
    size_t bytes = 0;
    while (entries->size() < max_entries && bytes < max_bytes) {
      if (!open_) RIVULET_RETURN_IF_ERROR(Open());
      // `closed` before `bytes`: when it is set, `bytes` is final.
      const bool closed = segment_->closed.load(std::memory_order_acquire);
      const uint64_t limit = segment_->bytes.load(std::memory_order_acquire);
      ScannedEntry entry;
      SegmentScanner::Step step = scanner_.Next(limit, &entry);
      if (step == SegmentScanner::Step::kEntry) {
        if (entry.offset < position_) continue;
        // Between two entries of a segment nothing is left out but what damage has taken.
        if (entry.offset > position_) source_->FoundDamaged(position_, entry.offset);
        bytes += entry.payload.size() + entry.topic.name.size();
        entries->push_back({entry.offset, entry.topic.name, entry.payload, entry.received,
                            entry.packet_id, entry.topic.id, entry.assumed, entry.resumes});
        position_ = entry.offset + 1;
        continue;
      }
      // Everything else moves the buffer or the segment: what was found is handed out first.
      if (!entries->empty()) return Status::Ok();
      if (step == SegmentScanner::Step::kNeedData) {
        const Status status = scanner_.Refill(limit);
        if (status.ok()) continue;
        if (status.code() != ErrorCode::kCorrupt) return status;
        step = SegmentScanner::Step::kDamaged;
      }
      if (step == SegmentScanner::Step::kDamaged) {
        if (segment_->replaced.load(std::memory_order_acquire) != opened_) {
          open_ = false;  // the old file may lack what the new one has
          continue;
        }
        Offset beyond;
        RIVULET_ASSIGN_OR_RETURN(const FoundFrame::Kind found, scanner_.Resume(limit, &beyond));
        if (found == FoundFrame::Kind::kFrame) continue;
        RIVULET_RETURN_IF_ERROR(source_->CloseDamaged(*segment_));
      } else if (!closed) {
        return Status::Ok();
      }
      RIVULET_RETURN_IF_ERROR(GoToNextSegment());
    }
    return Status::Ok();
  }

  Offset position() const override { return position_; }

 private:
  Status Open() {
    opened_ = segment_->replaced.load(std::memory_order_acquire);
    const Status status = scanner_.Open(files_, segment_->path, segment_->first_offset);
    if (status.code() == ErrorCode::kNotFound) return Trimmed();
    open_ = status.ok();
    return status;
  }

  Status Trimmed() const {
    return Status(ErrorCode::kOffsetTrimmed,
                  "entry " + std::to_string(position_.value) + " of the journal is no longer "
                  "retained ('" + segment_->path + "'); start at the journal's begin");
  }

  Status GoToNextSegment() {
    std::shared_ptr<JournalSegment> next = source_->SegmentAfter(*segment_);
    if (next == nullptr || next->index != segment_->index + 1) return Trimmed();
    if (position_ < next->previous_end) source_->FoundDamaged(position_, next->previous_end);
    position_ = std::max(position_, next->first_offset);
    segment_ = std::move(next);
    open_ = false;
    return Status::Ok();
  }

  FileSystem* const files_;
  JournalSegmentSource* const source_;
  std::shared_ptr<JournalSegment> segment_;
  SegmentScanner scanner_;
  Offset position_;
  bool open_ = false;
  uint32_t opened_ = 0;  // how often the segment had been replaced when it was opened
};

}  // namespace

std::unique_ptr<Journal::Reader> NewJournalReader(FileSystem* files, TopicTable* topics,
                                                  JournalSegmentSource* source,
                                                  std::shared_ptr<JournalSegment> segment,
                                                  Offset from) {
  return std::make_unique<JournalReader>(files, topics, source, std::move(segment), from);
}

}  // namespace rivulet
