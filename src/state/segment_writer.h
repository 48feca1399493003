// SegmentWriter: appends entries to the newest segment of a journal.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "state/file.h"
#include "state/journal.h"
#include "state/journal_segment.h"

namespace rivulet {

// Not thread-safe; the file it hands out may be synced by another thread meanwhile.
class SegmentWriter {
 public:
  SegmentWriter(FileSystem* files, TopicTable* topics) : files_(files), topics_(topics) {}

  // Creates a segment file with its header and makes it the one that is written. On an error the
  // writer goes on with the segment it had. Errors: kDiskFull, kIo.
  Result<std::shared_ptr<JournalSegment>> Start(const std::string& directory,
                                                const SegmentHeader& header, uint64_t reserve);

  // Goes on behind the last entry of an existing segment of this version. `block_time`: of the first entry of
  // the block that the next one is in. `dictionary` is what its entries defined.
  Status Resume(std::shared_ptr<JournalSegment> segment, EventTime block_time,
                const std::vector<TopicTable::Entry>& dictionary, uint64_t reserve);

  // Writes one entry with one write call and, with `sync`, waits until it is on the medium. All or
  // nothing: what a failed append left in the file is cut off, now or before the next append.
  // Readers see the entry when this returns ok. Errors: kDiskFull, kIo.
  struct Entry {
    std::string_view topic, payload;
    ReceiveTime received;
    uint16_t packet_id = 0;
    bool resumes = false;
  };
  Status Append(const Entry& what, Offset offset, bool sync);
  // Whether the last Append failed in its sync.
  bool sync_failed() const { return sync_failed_; }

  // Another file has taken the segment's path: goes on in that. Errors: kIo; the next append tries
  // again then.
  Status Reopen();

  const std::shared_ptr<JournalSegment>& segment() const { return segment_; }
  const std::shared_ptr<AppendFile>& file() const { return file_; }
  // Bytes of the last appended frame.
  size_t last_frame_bytes() const { return frame_.size(); }

 private:
  // A topic keeps its place in the map from segment to segment, so that a new segment costs no
  // allocation; `generation` tells whether `number` is of this one.
  struct KnownTopic {
    uint64_t generation = 0;
    uint32_t number = 0;
  };

  Result<std::shared_ptr<AppendFile>> OpenFile(const std::string& path, uint64_t reserve);
  Status Repair();
  void ForgetTopics();
  void Define(std::string_view topic);

  FileSystem* const files_;
  TopicTable* const topics_;
  std::shared_ptr<JournalSegment> segment_;
  std::shared_ptr<AppendFile> file_;
  uint64_t reserve_ = 0;
  bool torn_ = false;  // bytes behind the last entry may be in the file
  bool sync_failed_ = false;
  EventTime block_time_;  // of the first entry of the block
  std::unordered_map<std::string_view, KnownTopic> known_topics_;  // names owned by topics_
  uint64_t generation_ = 0;
  uint32_t defined_ = 0;  // topics with a number in this segment
  std::string frame_;
};

}  // namespace rivulet
