#include "state/journal_recovery.h"

#include <algorithm>
#include <utility>

namespace rivulet {
namespace {

class Recovery {
 public:
  Recovery(FileSystem* files, const std::string& directory, TopicTable* topics,
           RedeliveryFilter* redeliveries, JournalRecovery* report)
      : files_(files),
        directory_(directory),
        topics_(topics),
        redeliveries_(redeliveries),
        report_(report),
        settled_ids_(RedeliveryFilter::kIds, false) {}

  Result<RecoveredJournal> Run() {
    RIVULET_RETURN_IF_ERROR(FindSegments());
    if (journal_.segments.empty()) return std::move(journal_);
    RIVULET_RETURN_IF_ERROR(RecoverLast());
    uint64_t scanned = seen_;
    for (size_t i = journal_.segments.size() - 1; i-- > 0 && scanned < RedeliveryFilter::kIds;) {
      RIVULET_RETURN_IF_ERROR(ScanClosed(journal_.segments[i].get(), *journal_.segments[i + 1]));
      scanned += seen_;
    }
    uint64_t skipped = report_->damaged_entries;
    for (const auto& s : journal_.segments) {
      skipped += s->first_offset.value - s->previous_end.value;
    }
    const uint64_t span = journal_.end.value - journal_.segments.front()->first_offset.value;
    report_->entries = span - std::min(span, skipped);
    report_->segments = journal_.segments.size();
    return std::move(journal_);
  }

 private:
  void Say(const std::string& text) {
    if (!report_->detail.empty()) report_->detail += "; ";
    report_->detail += text;
  }

  Status FindSegments() {
    RIVULET_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_->List(directory_));
    for (const std::string& name : names) {
      const std::optional<Offset> first = ParseSegmentName(name);
      if (first.has_value()) RIVULET_RETURN_IF_ERROR(AddSegment(directory_ + "/" + name, *first));
    }
    for (const std::string& name : names) FindReplacement(name);
    return Status::Ok();
  }

  // A segment that was to be replaced is in doubt, unless it was trimmed since.
  void FindReplacement(std::string_view name) {
    if (!name.ends_with(kReplacementSuffix)) return;
    const std::string_view segment = name.substr(0, name.size() - kReplacementSuffix.size());
    if (!ParseSegmentName(segment).has_value()) return;
    const std::string path = directory_ + "/" + std::string(segment);
    for (const auto& s : journal_.segments) {
      if (s->path != path) continue;
      s->sync_failed = true;
      ++report_->doubtful_segments;
      return Say("a sync of '" + path + "' had failed: it is written anew");
    }
    (void)files_->Remove(directory_ + "/" + std::string(name));
  }

  // A damaged header costs no entries: the name says the first offset, each entry has its checksum.
  Status AddSegment(const std::string& path, Offset first) {
    RIVULET_ASSIGN_OR_RETURN(const uint64_t size, files_->FileSize(path));
    RIVULET_ASSIGN_OR_RETURN(const std::unique_ptr<ReadFile> file, files_->OpenRead(path));
    char bytes[kSegmentHeaderSize];
    RIVULET_ASSIGN_OR_RETURN(const size_t got, file->Read(0, sizeof(bytes), bytes));
    SegmentHeader header{first, first, {}};
    HeaderState state = DecodeSegmentHeader({bytes, got}, &header);
    if (state == HeaderState::kOtherVersion) {
      return Status(ErrorCode::kFormatVersion,
                    "'" + path + "' has another version of the journal format, expected " +
                        std::to_string(kJournalVersion) + "; use the version that wrote it");
    }
    if (state == HeaderState::kValid && header.first_offset != first) state = HeaderState::kDamaged;
    last_header_valid_ = state == HeaderState::kValid;
    if (!last_header_valid_) {
      header = {first, first, {}};
      if (size > kSegmentHeaderSize) Say("the header of '" + path + "' is damaged");
    }
    auto segment = std::make_shared<JournalSegment>();
    segment->path = path;
    segment->index = journal_.segments.size();
    segment->first_offset = first;
    segment->previous_end = std::min(header.previous_end, first);
    segment->bytes.store(size);
    if (!journal_.segments.empty()) {
      JournalSegment& before = *journal_.segments.back();
      before.closed.store(true);
      before.last_time = header.previous_time;
    }
    journal_.segments.push_back(std::move(segment));
    return Status::Ok();
  }

  // Reads entries up to damage or the end of the file.
  Result<SegmentScanner::Step> Scan(const JournalSegment& segment, SegmentScanner* scanner) {
    RIVULET_RETURN_IF_ERROR(scanner->Open(files_, segment.path, segment.first_offset));
    const uint64_t limit = segment.bytes.load();
    seen_ = 0;
    std::vector<uint16_t> ids;
    while (true) {
      ScannedEntry entry;
      const SegmentScanner::Step step = scanner->Next(limit, &entry);
      if (step == SegmentScanner::Step::kNeedData) {
        RIVULET_RETURN_IF_ERROR(scanner->Refill(limit));
      } else if (step == SegmentScanner::Step::kDamaged) {
        const uint64_t position = scanner->position();
        const Offset first_lost = scanner->next_offset();
        RIVULET_ASSIGN_OR_RETURN(behind_, scanner->Resume(limit, &beyond_));
        if (behind_ == FoundFrame::Kind::kFrame) {
          SayLost(segment, position, first_lost, scanner->next_offset());
          continue;
        }
        for (const uint16_t id : ids) settled_ids_[id] = true;
        return step;
      } else if (step != SegmentScanner::Step::kEntry) {
        for (const uint16_t id : ids) settled_ids_[id] = true;
        return step;
      } else {
        ++seen_;
        Remember(entry, &ids);
      }
    }
  }

  void SayLost(const JournalSegment& segment, uint64_t position, Offset from, Offset to) {
    interior_damage_ = true;
    Say("'" + segment.path + "' is damaged at byte " + std::to_string(position) + ": " +
        std::to_string(to.value - from.value) + " entries from " + std::to_string(from.value) +
        " on, and what depends on them, are lost");
  }

  // Entries that a scan has passed over.
  uint64_t LostIn(const JournalSegment& segment, const SegmentScanner& scanner) const {
    return scanner.next_offset().value - segment.first_offset.value - seen_;
  }

  // Segments are read newest first, so what a later one said about an id stands.
  void Remember(const ScannedEntry& entry, std::vector<uint16_t>* ids) {
    if (entry.packet_id == 0 || settled_ids_[entry.packet_id]) return;
    if (!redeliveries_->Knows(entry.packet_id)) ids->push_back(entry.packet_id);
    redeliveries_->Set(entry.packet_id, MessageFingerprint(entry.topic.name, entry.payload));
  }

  Status ScanClosed(JournalSegment* closed, const JournalSegment& next) {
    const JournalSegment& segment = *closed;
    SegmentScanner scanner(topics_);
    RIVULET_ASSIGN_OR_RETURN(const SegmentScanner::Step step, Scan(segment, &scanner));
    (void)step;
    // What the header of the next one does not say.
    if (closed->last_time.us == 0) closed->last_time = scanner.last_time();
    // None of the segments behind it has an entry.
    if (journal_.last_time.us == 0) journal_.last_time = closed->last_time;
    report_->damaged_entries += LostIn(segment, scanner);
    if (scanner.next_offset() < next.previous_end) {
      const uint64_t lost = next.previous_end.value - scanner.next_offset().value;
      report_->damaged_entries += lost;
      Say("'" + segment.path + "' is damaged at byte " + std::to_string(scanner.position()) + ": " +
          std::to_string(lost) + " entries from " + std::to_string(scanner.next_offset().value) +
          " on are lost");
    }
    return Status::Ok();
  }

  Status RecoverLast() {
    JournalSegment& last = *journal_.segments.back();
    if (last.bytes.load() < kSegmentHeaderSize) return RewriteHeader(&last);
    SegmentScanner scanner(topics_);
    RIVULET_ASSIGN_OR_RETURN(const SegmentScanner::Step step, Scan(last, &scanner));
    journal_.end = scanner.next_offset();
    journal_.last_time = last.last_time = scanner.last_time();
    journal_.dictionary = scanner.dictionary();
    journal_.block_time = scanner.block_time();
    report_->damaged_entries += LostIn(last, scanner);
    journal_.resume = !interior_damage_ && scanner.version() == kJournalVersion;
    if (step == SegmentScanner::Step::kDamaged) {
      RIVULET_RETURN_IF_ERROR(ResolveDamage(&last, scanner.position()));
    }
    const bool empty = journal_.end == last.first_offset;
    const bool fit = last_header_valid_ && scanner.version() == kJournalVersion;
    if (!fit && empty && !interior_damage_ && behind_ != FoundFrame::Kind::kUnknown) {
      return RewriteHeader(&last);
    }
    return Status::Ok();
  }

  // The last segment cannot be read from `position` on: a torn tail is cut off; where entries
  // follow, their offsets are spent and appending goes on in a new segment.
  Status ResolveDamage(JournalSegment* last, uint64_t position) {
    const uint64_t rest = last->bytes.load() - position;
    const std::string where = "'" + last->path + "' from byte " + std::to_string(position) + " on";
    if (behind_ == FoundFrame::Kind::kNone) {
      RIVULET_RETURN_IF_ERROR(files_->Truncate(last->path, position));
      last->bytes.store(position);
      report_->torn_bytes += rest;
      Say("cut off " + where + ": " + std::to_string(rest) + " bytes of an unfinished append");
      return Status::Ok();
    }
    report_->damaged_entries += beyond_.value - journal_.end.value;
    Say(where + " is damaged: up to " + std::to_string(beyond_.value - journal_.end.value) +
        " entries from " + std::to_string(journal_.end.value) + " on are lost");
    journal_.end = beyond_;
    journal_.resume = false;
    return Status::Ok();
  }

  // A segment which holds nothing: its creation was interrupted, or it is of another version.
  Status RewriteHeader(JournalSegment* last) {
    if (!last_header_valid_) {
      report_->torn_bytes += std::min<uint64_t>(last->bytes.load(), kSegmentHeaderSize);
      Say("the empty segment '" + last->path + "' had no header");
    }
    const size_t count = journal_.segments.size();
    const EventTime before = count > 1 ? journal_.segments[count - 2]->last_time : EventTime{};
    RIVULET_RETURN_IF_ERROR(files_->Truncate(last->path, 0));
    RIVULET_ASSIGN_OR_RETURN(const std::unique_ptr<AppendFile> file,
                             files_->OpenAppend(last->path, 0));
    RIVULET_RETURN_IF_ERROR(
        file->Append(EncodeSegmentHeader({last->first_offset, last->previous_end, before})));
    last->bytes.store(kSegmentHeaderSize);
    journal_.end = last->first_offset;
    journal_.resume = true;
    return Status::Ok();
  }

  FileSystem* const files_;
  const std::string directory_;
  TopicTable* const topics_;
  RedeliveryFilter* const redeliveries_;
  JournalRecovery* const report_;
  RecoveredJournal journal_;
  std::vector<bool> settled_ids_;    // packet ids a later segment has spoken about
  uint64_t seen_ = 0;                // entries of the segment scanned last
  bool last_header_valid_ = false;
  bool interior_damage_ = false;     // of the segment scanned last, or one before
  FoundFrame::Kind behind_ = FoundFrame::Kind::kNone;  // where a scan has ended at damage
  Offset beyond_;                    // and what no entry behind has reached
};

}  // namespace

Result<RecoveredJournal> RecoverJournal(FileSystem* files, const std::string& directory,
                                        TopicTable* topics, RedeliveryFilter* redeliveries,
                                        JournalRecovery* recovery) {
  return Recovery(files, directory, topics, redeliveries, recovery).Run();
}

}  // namespace rivulet
