#include "state/segment_writer.h"

#include <utility>

namespace rivulet {
namespace {

// A scratch buffer grown for one large message is not kept.
constexpr size_t kKeptFrameBytes = 1 << 20;
constexpr size_t kKeptTopics = 4 * size_t{kMaxSegmentTopics};

}  // namespace

Result<std::shared_ptr<AppendFile>> SegmentWriter::OpenFile(const std::string& path,
                                                            uint64_t reserve) {
  RIVULET_ASSIGN_OR_RETURN(std::unique_ptr<AppendFile> file, files_->OpenAppend(path, reserve));
  return std::shared_ptr<AppendFile>(std::move(file));
}

Result<std::shared_ptr<JournalSegment>> SegmentWriter::Start(const std::string& directory,
                                                             const SegmentHeader& header,
                                                             uint64_t reserve) {
  auto segment = std::make_shared<JournalSegment>();
  segment->path = directory + "/" + SegmentName(header.first_offset);
  RIVULET_ASSIGN_OR_RETURN(std::shared_ptr<AppendFile> file, OpenFile(segment->path, reserve));
  if (file->size() > 0) {
    // Left by an earlier start that failed: nothing was ever acknowledged from it.
    RIVULET_RETURN_IF_ERROR(files_->Truncate(segment->path, 0));
    RIVULET_ASSIGN_OR_RETURN(file, OpenFile(segment->path, reserve));
  }
  const Status status = file->Append(EncodeSegmentHeader(header));
  if (!status.ok()) {
    file.reset();
    (void)files_->Remove(segment->path);
    return status;
  }
  segment->first_offset = header.first_offset;
  segment->previous_end = header.previous_end;
  segment->last_time = header.previous_time;
  segment->bytes.store(kSegmentHeaderSize, std::memory_order_release);
  segment_ = segment;
  file_ = std::move(file);
  reserve_ = reserve;
  torn_ = false;
  last_time_ = {};
  ForgetTopics();
  return segment;
}

Status SegmentWriter::Resume(std::shared_ptr<JournalSegment> segment, EventTime last_time,
                             const std::vector<TopicTable::Entry>& dictionary, uint64_t reserve) {
  RIVULET_ASSIGN_OR_RETURN(file_, OpenFile(segment->path, reserve));
  segment_ = std::move(segment);
  reserve_ = reserve;
  last_time_ = last_time;
  ForgetTopics();
  for (const TopicTable::Entry& topic : dictionary) Define(topic.name);
  return Status::Ok();
}

void SegmentWriter::ForgetTopics() {
  ++generation_;
  defined_ = 0;
  if (known_topics_.size() > kKeptTopics) known_topics_.clear();
}

// A name met again while the dictionary is full, or twice in a foreign dictionary, keeps counting
// as readers count it: each spelled-out name takes a number until there are kMaxSegmentTopics.
void SegmentWriter::Define(std::string_view topic) {
  if (defined_ == kMaxSegmentTopics) return;
  auto it = known_topics_.find(topic);
  if (it == known_topics_.end()) {
    it = known_topics_.emplace(topics_->Intern(topic).name, KnownTopic{}).first;
  }
  it->second = {generation_, ++defined_};
}

Status SegmentWriter::Repair() {
  file_.reset();
  const uint64_t good = segment_->bytes.load(std::memory_order_relaxed);
  RIVULET_RETURN_IF_ERROR(files_->Truncate(segment_->path, good));
  RIVULET_ASSIGN_OR_RETURN(file_, OpenFile(segment_->path, reserve_));
  torn_ = false;
  return Status::Ok();
}

Status SegmentWriter::Reopen() {
  torn_ = true;
  return Repair();
}

Status SegmentWriter::Append(const Entry& what, Offset offset, bool sync) {
  sync_failed_ = false;
  if (torn_) RIVULET_RETURN_IF_ERROR(Repair());
  EntryFrame entry;
  const auto known = known_topics_.find(what.topic);
  if (known != known_topics_.end() && known->second.generation == generation_) {
    entry.topic_number = known->second.number;
  } else {
    entry.topic = what.topic;
  }
  entry.time_delta = static_cast<int64_t>(static_cast<uint64_t>(what.received.at.us) -
                                          static_cast<uint64_t>(last_time_.us));
  entry.packet_id = what.packet_id;
  entry.assumed = what.received.assumed;
  entry.resumes = what.resumes;
  entry.payload = what.payload;
  if (frame_.capacity() > kKeptFrameBytes) std::string().swap(frame_);
  EncodeEntry(entry, offset, &frame_);

  Status status = file_->Append(frame_);
  if (status.ok() && sync) {
    status = file_->Sync();
    sync_failed_ = !status.ok();
  }
  if (!status.ok()) {
    torn_ = true;
    (void)Repair();
    return status;
  }
  if (entry.topic_number == 0) Define(what.topic);
  last_time_ = what.received.at;
  const uint64_t bytes = segment_->bytes.load(std::memory_order_relaxed);
  segment_->bytes.store(bytes + frame_.size(), std::memory_order_release);
  return Status::Ok();
}

}  // namespace rivulet
