// Segment: one file of a journal as appender and readers share it, and a scanner over its entries.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/types.h"
#include "state/file.h"
#include "state/journal_format.h"
#include "state/topic_table.h"

namespace rivulet {

// The plain fields are fixed once a reader can see the segment.
struct JournalSegment {
  std::string path;
  uint64_t index = 0;   // one more than that of the segment before
  Offset first_offset;
  Offset previous_end;  // from the header; at most first_offset
  // Bytes of whole entries, with the header: readers never look behind.
  std::atomic<uint64_t> bytes{0};
  // No entry will be added: a reader at the end goes on to the next segment.
  std::atomic<bool> closed{false};
  // Grows when another file takes the path, with the same bytes at the same places (see
  // journal_format.h). Who has the old file open finds nothing new in it, and perhaps less.
  std::atomic<uint32_t> replaced{0};

  // --- guarded by the journal's lock ---
  EventTime last_time;      // receive time of the last entry; kept until the segment may be trimmed
  bool synced = false;      // all of a closed segment is on the medium
  bool sync_failed = false; // what is on the medium is unknown until the segment is written anew
  bool busy = false;        // a sync works on the file without the lock; Trim leaves it
};

// One entry found by a scanner.
struct ScannedEntry {
  Offset offset;
  TopicTable::Entry topic;
  std::string_view payload;  // in the scanner's buffer
  EventTime received;
  uint16_t packet_id = 0;
  bool assumed = false;
  bool resumes = false;
};

// Walks a segment's entries in order, checking each. Not thread-safe; may run beside the appender.
class SegmentScanner {
 public:
  enum class Step : uint8_t {
    kEntry,
    kNeedData,  // call Refill (which invalidates all views), then Next again
    kEnd,       // no more whole entries below the limit
    kDamaged,   // the frame at position() is not the entry at next_offset()
  };

  // `topics` must outlive the scanner.
  explicit SegmentScanner(TopicTable* topics) : topics_(topics) {}

  // Goes to the first entry of a segment.
  Status Open(FileSystem* files, const std::string& path, Offset first_offset);

  // The next entry that ends at or before `limit` bytes of the file.
  Step Next(uint64_t limit, ScannedEntry* entry);
  // Reads on towards `limit`. Errors: kIo; kCorrupt when the file is shorter than `limit`.
  Status Refill(uint64_t limit);

  // Behind kDamaged: goes on at the next sound frame, which next_offset() then tells. kNone: there is none;
  // kUnknown: there may be some, further on than is searched, and none has reached `*beyond`. Errors: kIo.
  Result<FoundFrame::Kind> Resume(uint64_t limit, Offset* beyond);

  // Where the next frame starts in the file, and its offset.
  uint64_t position() const { return buffer_start_ + consumed_; }
  Offset next_offset() const { return next_; }
  EventTime last_time() const { return last_time_; }
  uint32_t version() const { return version_; }
  // Of the first entry of the block that next_offset() is in.
  EventTime block_time() const { return block_time_; }
  const std::vector<TopicTable::Entry>& dictionary() const { return dictionary_; }

 private:
  uint64_t Block(Offset offset) const { return (offset.value - first_.value) / kTimeBlock; }
  // What the checksum of the next frame was made with.
  uint32_t Names() const {
    return version_ == kFirstJournalVersion ? 0 : static_cast<uint32_t>(dictionary_.size());
  }
  Step NextFrame(uint64_t limit, ScannedEntry* entry);
  bool TimeOf(const EntryFrame& frame, EventTime* time);

  TopicTable* const topics_;
  std::unique_ptr<ReadFile> file_;
  std::vector<char> buffer_;    // filled_ bytes and padding behind them
  uint64_t buffer_start_ = 0;   // position in the file of buffer_[0]
  size_t consumed_ = 0;
  size_t filled_ = 0;
  size_t wanted_ = 0;           // bytes the next frame is known to need
  uint32_t version_ = kJournalVersion;
  Offset first_;
  Offset next_;
  EventTime last_time_;
  EventTime block_time_;
  size_t search_budget_ = 0;
  uint64_t timed_block_ = 0;     // the block that block_time_ is of, and 1
  std::vector<TopicTable::Entry> dictionary_;  // a name that was lost has no data
};

}  // namespace rivulet
