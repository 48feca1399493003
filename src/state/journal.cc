#include "state/journal.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <utility>

#include "state/journal_reader.h"
#include "state/journal_recovery.h"
#include "state/redelivery_filter.h"
#include "state/segment_writer.h"

namespace rivulet {
namespace {

constexpr size_t kMaxTopicBytes = 65535;
constexpr size_t kMaxPayloadBytes = 256u << 20;

// One lock covers everything but waiting for the disk in Sync and reading files. Readers take it
// once per segment.
class SegmentedJournal final : public Journal, private JournalSegmentSource {
 public:
  SegmentedJournal(FileSystem* files, const JournalOptions& options)
      : files_(files), options_(options), writer_(files, &topics_) {}

  Status Open(JournalRecovery* recovery) {
    RIVULET_RETURN_IF_ERROR(files_->CreateDirectories(options_.directory));
    RIVULET_ASSIGN_OR_RETURN(
        RecoveredJournal found,
        RecoverJournal(files_, options_.directory, &topics_, &redeliveries_, recovery));
    segments_.assign(found.segments.begin(), found.segments.end());
    end_ = found.end;
    last_time_ = found.last_time;
    if (found.resume) {
      RIVULET_RETURN_IF_ERROR(writer_.Resume(segments_.back(), found.last_time, found.dictionary,
                                             options_.segment_bytes));
    } else {
      std::lock_guard lock(mutex_);
      RIVULET_RETURN_IF_ERROR(Roll(end_));
    }
    // What the last run left unsynced, and any cut just made, is settled before new entries count.
    directory_dirty_ = true;
    return options_.sync == JournalSync::kNever ? Status::Ok() : Sync();
  }

  Status Append(std::string_view topic, std::string_view payload, EventTime received,
                uint16_t packet_id, bool duplicate, bool* dropped) override {
    *dropped = false;
    if (topic.size() > kMaxTopicBytes || payload.size() > kMaxPayloadBytes) {
      return Status(ErrorCode::kRecordTooLarge,
                    "a message with a topic of " + std::to_string(topic.size()) +
                        " and a payload of " + std::to_string(payload.size()) +
                        " bytes, expected at most " + std::to_string(kMaxTopicBytes) + " and " +
                        std::to_string(kMaxPayloadBytes));
    }
    const uint64_t fingerprint = packet_id == 0 ? 0 : MessageFingerprint(topic, payload);
    std::lock_guard lock(mutex_);
    if (packet_id != 0 && duplicate && redeliveries_.IsLast(packet_id, fingerprint)) {
      ++stats_.duplicates;
      *dropped = true;
      return Status::Ok();
    }
    if (must_roll_ || writer_.segment()->bytes.load() >= options_.segment_bytes) {
      RIVULET_RETURN_IF_ERROR(Roll(end_));
    }
    const bool sync = options_.sync == JournalSync::kAlways;
    if (sync && directory_dirty_) {
      RIVULET_RETURN_IF_ERROR(files_->SyncDirectory(options_.directory));
      directory_dirty_ = false;
    }
    RIVULET_RETURN_IF_ERROR(writer_.Append(topic, payload, received, packet_id, end_, sync));
    end_ = end_ + 1;
    last_time_ = received;
    if (sync) AdvanceSynced(end_);
    if (packet_id != 0) redeliveries_.Set(packet_id, fingerprint);
    stats_.appended_bytes += writer_.last_frame_bytes();
    ++stats_.appended_entries;
    return Status::Ok();
  }

  Status Sync() override {
    std::unique_lock lock(mutex_);
    Status result = std::exchange(unreported_sync_error_, Status::Ok());
    if (synced_ == end_ && !directory_dirty_) return result;
    const Offset end = end_;
    const std::shared_ptr<AppendFile> file = writer_.file();
    const std::shared_ptr<JournalSegment> newest = writer_.segment();
    const bool directory = directory_dirty_;
    std::vector<std::shared_ptr<JournalSegment>> closed;
    for (const auto& s : segments_) {
      if (s != newest && !s->synced && !s->sync_failed) closed.push_back(s);
    }
    lock.unlock();
    for (const auto& s : closed) Keep(&result, SyncClosed(s));
    // No file: an append failed and was not yet cleaned up behind; the next one opens it again.
    Status status = file == nullptr ? Status(ErrorCode::kIo, "'" + newest->path + "' is not open")
                                    : file->Sync();
    if (directory) Keep(&status, files_->SyncDirectory(options_.directory));
    lock.lock();
    if (status.ok()) {
      if (directory) directory_dirty_ = false;
      AdvanceSynced(end);
    } else if (file != nullptr) {
      SyncFailed(newest.get());
    }
    Keep(&result, status);
    return result;
  }

  Status AdvanceTo(Offset offset) override {
    std::lock_guard lock(mutex_);
    return offset <= end_ ? Status::Ok() : Roll(offset);
  }

  Status Trim(Offset consumed, EventTime now) override {
    std::vector<std::shared_ptr<JournalSegment>> removed;
    {
      std::lock_guard lock(mutex_);
      uint64_t bytes = RetainedBytes();
      while (segments_.size() > 1 && segments_[1]->first_offset <= consumed) {
        const int64_t age = SaturatingSub(now.us, segments_.front()->last_time.us);
        if (bytes <= options_.retain_bytes && age <= options_.retain_age.us) break;
        bytes -= segments_.front()->bytes.load();
        removed.push_back(std::move(segments_.front()));
        segments_.pop_front();
        directory_dirty_ = true;
      }
    }
    Status result;
    for (const auto& s : removed) {
      const Status status = files_->Remove(s->path);
      if (status.code() != ErrorCode::kNotFound) Keep(&result, status);
    }
    return result;
  }

  Offset begin() const override {
    std::lock_guard lock(mutex_);
    return segments_.front()->first_offset;
  }

  Offset end() const override {
    std::lock_guard lock(mutex_);
    return end_;
  }

  JournalStats Stats() const override {
    std::lock_guard lock(mutex_);
    JournalStats stats = stats_;
    stats.bytes = RetainedBytes();
    stats.segments = segments_.size();
    stats.damaged_entries = damaged_entries_.load();
    stats.begin = segments_.front()->first_offset;
    stats.end = end_;
    stats.synced = synced_;
    return stats;
  }

  Result<std::unique_ptr<Reader>> NewReader(Offset from) override {
    std::lock_guard lock(mutex_);
    const Offset first = segments_.front()->first_offset;
    const std::string range = "; journal '" + options_.directory + "' holds " +
                              std::to_string(first.value) + " up to " + std::to_string(end_.value);
    if (from < first) {
      return Status(ErrorCode::kOffsetTrimmed,
                    "entry " + std::to_string(from.value) + " is no longer retained" + range);
    }
    if (from > end_) {
      return Status(ErrorCode::kStateMismatch,
                    "entry " + std::to_string(from.value) + " was never written" + range +
                        "; the cursor belongs to another journal, or AdvanceTo was not called");
    }
    auto it = segments_.end() - 1;
    while ((*it)->first_offset > from) --it;
    return NewJournalReader(files_, &topics_, this, *it, from);
  }

 private:
  static void Keep(Status* first, Status status) {
    if (first->ok() && !status.ok()) *first = std::move(status);
  }

  // --- JournalSegmentSource; for readers ---

  std::shared_ptr<JournalSegment> SegmentAfter(const JournalSegment& segment) override {
    std::lock_guard lock(mutex_);
    for (const auto& s : segments_) {
      if (s->index > segment.index) return s;
    }
    return nullptr;
  }

  Status CloseDamaged(const JournalSegment& segment) override {
    std::lock_guard lock(mutex_);
    return segments_.back()->index == segment.index ? Roll(end_) : Status::Ok();
  }

  void CountDamaged(uint64_t entries) override { damaged_entries_ += entries; }

  // --- with the lock held ---

  uint64_t RetainedBytes() const {
    uint64_t bytes = 0;
    for (const auto& s : segments_) bytes += s->bytes.load();
    return bytes;
  }

  // Starts the segment of entry `first`; on an error all stays as it was, and the next append tries
  // again. The old segment is synced before the new one exists, so that after a power cut no later
  // entry is there where an earlier one is missing.
  Status Roll(Offset first) {
    const std::shared_ptr<JournalSegment> old = segments_.empty() ? nullptr : segments_.back();
    if (old != nullptr && old->first_offset == first) {
      // Nothing in it yet: a new one would have the same name.
      must_roll_ = false;
      return Status::Ok();
    }
    const bool sync = options_.sync != JournalSync::kNever;
    const std::shared_ptr<AppendFile> old_file = writer_.file();
    if (old != nullptr && sync && !old->sync_failed && old_file != nullptr) {
      const Status synced = old_file->Sync();
      old->synced = synced.ok();
      if (!synced.ok()) {
        old->sync_failed = true;
        Keep(&unreported_sync_error_, synced);
      }
    }
    RIVULET_ASSIGN_OR_RETURN(
        const std::shared_ptr<JournalSegment> segment,
        writer_.Start(options_.directory, {first, end_, last_time_}, options_.segment_bytes));
    segment->index = old == nullptr ? 0 : old->index + 1;
    segments_.push_back(segment);
    if (old != nullptr) {
      old->last_time = last_time_;
      old->closed.store(true, std::memory_order_release);
    }
    if (old != nullptr && old->synced) AdvanceSynced(end_);
    end_ = first;
    must_roll_ = false;
    directory_dirty_ = true;
    if (sync && files_->SyncDirectory(options_.directory).ok()) directory_dirty_ = false;
    return Status::Ok();
  }

  // After a failed sync the kernel drops what it could not write and forgets: syncing again would
  // report success. So the segment counts as unsafe for good, and new entries go elsewhere.
  void SyncFailed(JournalSegment* segment) {
    segment->sync_failed = true;
    if (segments_.back().get() == segment) must_roll_ = true;
  }

  void AdvanceSynced(Offset offset) {
    for (const auto& s : segments_) {
      if (s->sync_failed) return;
    }
    synced_ = std::max(synced_, offset);
  }

  // Without the lock.
  Status SyncClosed(const std::shared_ptr<JournalSegment>& segment) {
    RIVULET_ASSIGN_OR_RETURN(const std::unique_ptr<AppendFile> file,
                             files_->OpenAppend(segment->path, 0));
    const Status status = file->Sync();
    std::lock_guard lock(mutex_);
    segment->synced = status.ok();
    segment->sync_failed = !status.ok();
    return status;
  }

  FileSystem* const files_;
  const JournalOptions options_;
  TopicTable topics_;
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<JournalSegment>> segments_;  // never empty once open
  SegmentWriter writer_;
  RedeliveryFilter redeliveries_;
  Offset end_;
  Offset synced_;
  EventTime last_time_;
  bool must_roll_ = false;
  bool directory_dirty_ = false;
  Status unreported_sync_error_;
  JournalStats stats_;
  std::atomic<uint64_t> damaged_entries_{0};
};

}  // namespace

Result<std::unique_ptr<Journal>> Journal::Open(FileSystem* files, const JournalOptions& options,
                                               JournalRecovery* recovery) {
  *recovery = {};
  auto journal = std::make_unique<SegmentedJournal>(files, options);
  RIVULET_RETURN_IF_ERROR(journal->Open(recovery));
  return std::unique_ptr<Journal>(std::move(journal));
}

}  // namespace rivulet
