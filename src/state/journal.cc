#include "state/journal.h"

#include <algorithm>
#include <deque>

#include "state/damaged_offsets.h"
#include "state/journal_reader.h"
#include "state/journal_recovery.h"
#include "state/redelivery_filter.h"
#include "state/segment_replacement.h"
#include "state/segment_writer.h"

namespace rivulet {
namespace {

constexpr size_t kMaxTopicBytes = 65535;
constexpr size_t kMaxPayloadBytes = 256u << 20;

// One lock covers everything but waiting for the disk in Sync and reading files. Readers take it
// once per segment. Syncs take turns: the kernel tells of an error once per open file, so of two at a
// time one could be told that all is well. With sync always they keep the lock, as an append that
// waits for the disk does.
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
      RIVULET_RETURN_IF_ERROR(writer_.Resume(segments_.back(), found.block_time, found.dictionary,
                                             options_.segment_bytes));
    } else {
      std::lock_guard lock(mutex_);
      RIVULET_RETURN_IF_ERROR(Roll(end_));
    }
    opened_at_ = end_;
    // What the last run left unsynced, and any cut just made, is settled before new entries count.
    ++directory_changes_;
    return options_.sync == JournalSync::kNever ? Status::Ok() : Sync();
  }

  Status Append(std::string_view topic, std::string_view payload, const ReceiveTime& received,
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
    Lock lock(mutex_);
    if (packet_id != 0 && duplicate && redeliveries_.IsLast(packet_id, fingerprint)) {
      ++stats_.duplicates;
      *dropped = true;
      return Status::Ok();
    }
    RIVULET_RETURN_IF_ERROR(AppendEntry({topic, payload, received, packet_id, false}, &lock));
    if (packet_id != 0) redeliveries_.Set(packet_id, fingerprint);
    return Status::Ok();
  }

  Status AppendTick(const ReceiveTime& received, bool resumes) override {
    Lock lock(mutex_);
    return AppendEntry({"", "", received, 0, resumes}, &lock);
  }

  Status Sync() override {
    std::lock_guard turn(sync_mutex_);
    Lock lock(mutex_);
    return SyncAll(&lock);
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
        if (segments_.front()->busy || segments_.front()->sync_failed) break;
        bytes -= segments_.front()->bytes.load();
        removed.push_back(std::move(segments_.front()));
        segments_.pop_front();
        ++directory_changes_;
      }
    }
    Status result;
    for (const auto& s : removed) {
      const Status status = files_->Remove(s->path);
      if (status.code() != ErrorCode::kNotFound) Keep(&result, status);
    }
    return result;
  }

  EventTime last_time() const override {
    std::lock_guard lock(mutex_);
    return last_time_;
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
    stats.damaged_entries = damaged_.count();
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
  using Lock = std::unique_lock<std::mutex>;

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

  void FoundDamaged(Offset from, Offset to) override {
    std::lock_guard lock(mutex_);
    damaged_.Add(from, to);
  }

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
    // Nothing in it yet: a new one would have the same name.
    if (old != nullptr && old->first_offset == first) return Status::Ok();
    const bool sync = options_.sync != JournalSync::kNever;
    const std::shared_ptr<AppendFile> old_file = writer_.file();
    bool synced = false;
    if (old != nullptr && sync && !old->sync_failed && old_file != nullptr) {
      synced = old_file->Sync().ok();
      if (!synced) Doubt(old.get());
    }
    RIVULET_ASSIGN_OR_RETURN(
        const std::shared_ptr<JournalSegment> segment,
        writer_.Start(options_.directory, {first, end_, last_time_}, options_.segment_bytes));
    segment->index = old == nullptr ? 0 : old->index + 1;
    segments_.push_back(segment);
    if (old != nullptr) {
      old->last_time = last_time_;
      old->closed.store(true, std::memory_order_release);
      // A sync under way may be the one that is told of an error.
      old->synced = synced && !old->busy;
      if (Settled()) synced_ = end_;
    }
    end_ = first;
    const uint64_t changes = ++directory_changes_;
    if (sync && files_->SyncDirectory(options_.directory).ok()) directory_synced_ = changes;
    return Status::Ok();
  }

  // Whether nothing but the newest segment's end can be missing on the medium.
  bool Settled() const {
    return !segments_.back()->sync_failed &&
           std::all_of(segments_.begin(), segments_.end() - 1,
                       [](const auto& s) { return s->synced && !s->sync_failed; });
  }

  // After a failed sync the kernel may forget what it could not write, and call the next one a
  // success: the segment is in doubt until it is written anew, by this process or the next.
  void Doubt(JournalSegment* segment) {
    segment->sync_failed = true;
    ++stats_.failed_syncs;
    // When that fails too, this process still knows.
    (void)NoteFailedSync(files_, segment->path);
  }

  // --- with the lock held, which they let go while they wait for the disk ---

  template <typename Work>
  Status WithoutLock(Lock* lock, Work work) {
    const bool keep = options_.sync == JournalSync::kAlways;
    if (!keep) lock->unlock();
    Status status = work();
    if (!keep) lock->lock();
    return status;
  }

  Status AppendEntry(const SegmentWriter::Entry& entry, Lock* lock) {
    if (writer_.segment()->bytes.load() >= options_.segment_bytes) {
      RIVULET_RETURN_IF_ERROR(Roll(end_));
    }
    const bool sync = options_.sync == JournalSync::kAlways;
    if (sync && !Settled()) RIVULET_RETURN_IF_ERROR(SyncAll(lock));
    if (sync) RIVULET_RETURN_IF_ERROR(SyncDirectory(lock));
    const Status written = writer_.Append(entry, end_, sync);
    if (writer_.sync_failed()) Doubt(writer_.segment().get());
    RIVULET_RETURN_IF_ERROR(written);
    end_ = end_ + 1;
    last_time_ = entry.received.at;
    if (sync) synced_ = end_;
    stats_.appended_bytes += writer_.last_frame_bytes();
    ++(entry.topic.empty() ? stats_.appended_ticks : stats_.appended_entries);
    return Status::Ok();
  }

  Status SyncAll(Lock* lock) {
    if (synced_ == end_ && Settled() && directory_synced_ == directory_changes_) {
      return Status::Ok();
    }
    const Offset end = end_;
    const std::shared_ptr<AppendFile> file = writer_.file();
    const std::shared_ptr<JournalSegment> newest = writer_.segment();
    std::vector<std::shared_ptr<JournalSegment>> closed;
    for (const auto& s : segments_) {
      if (s != newest && s->synced && !s->sync_failed) continue;
      if (s != newest) closed.push_back(s);
      s->busy = true;
    }
    Status result;
    for (const auto& s : closed) Keep(&result, SyncClosed(s, lock));
    Keep(&result, SyncSegment(newest, file, lock));
    Keep(&result, SyncDirectory(lock));
    for (const auto& s : closed) s->busy = false;
    newest->busy = false;
    if (result.ok()) synced_ = std::max(synced_, end);
    return result;
  }

  Status SyncClosed(const std::shared_ptr<JournalSegment>& segment, Lock* lock) {
    std::shared_ptr<AppendFile> file;
    if (!segment->sync_failed) {
      RIVULET_RETURN_IF_ERROR(WithoutLock(lock, [&]() -> Status {
        RIVULET_ASSIGN_OR_RETURN(file, files_->OpenAppend(segment->path, 0));
        return Status::Ok();
      }));
    }
    const Status status = SyncSegment(segment, file, lock);
    segment->synced = status.ok();
    return status;
  }

  // `file`: the segment's, open. Null: an append failed and was not yet cleaned up behind; the next one
  // opens it again.
  Status SyncSegment(const std::shared_ptr<JournalSegment>& segment,
                     const std::shared_ptr<AppendFile>& file, Lock* lock) {
    if (!segment->sync_failed) {
      if (file == nullptr) return Status(ErrorCode::kIo, "'" + segment->path + "' is not open");
      if (!WithoutLock(lock, [&] { return file->Sync(); }).ok()) Doubt(segment.get());
    }
    // It may also have been closed meanwhile, and have failed in that.
    return segment->sync_failed ? Mend(segment, lock) : Status::Ok();
  }

  // Writes a segment anew that is in doubt. New entries go elsewhere meanwhile.
  Status Mend(const std::shared_ptr<JournalSegment>& segment, Lock* lock) {
    if (segment == segments_.back()) RIVULET_RETURN_IF_ERROR(Roll(end_));
    const Offset certain = std::max(synced_, opened_at_);
    const auto replace = [&, certain] {
      return ReplaceSegment(files_, &topics_, segment->path, segment->first_offset,
                            segment->bytes.load(), certain);
    };
    // Without entries it is still the newest, and little more than a header.
    const bool newest = segment == segments_.back();
    RIVULET_RETURN_IF_ERROR(newest ? replace() : WithoutLock(lock, replace));
    segment->sync_failed = false;
    segment->synced = !newest;
    ++directory_changes_;
    segment->replaced.fetch_add(1, std::memory_order_release);
    return newest ? writer_.Reopen() : Status::Ok();
  }

  Status SyncDirectory(Lock* lock) {
    const uint64_t changes = directory_changes_;
    if (directory_synced_ == changes) return Status::Ok();
    RIVULET_RETURN_IF_ERROR(
        WithoutLock(lock, [this] { return files_->SyncDirectory(options_.directory); }));
    directory_synced_ = std::max(directory_synced_, changes);
    return Status::Ok();
  }

  FileSystem* const files_;
  const JournalOptions options_;
  TopicTable topics_;
  std::mutex sync_mutex_;     // taken before mutex_
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<JournalSegment>> segments_;  // never empty once open
  SegmentWriter writer_;
  RedeliveryFilter redeliveries_;
  Offset end_;
  Offset synced_;
  Offset opened_at_;  // end_ when opened: what recovery let stand before, it has judged
  EventTime last_time_;
  uint64_t directory_changes_ = 0, directory_synced_ = 0;
  JournalStats stats_;
  DamagedOffsets damaged_;
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
