// The file sink: one JSON object a line, cut back to the last cursor after a crash.
//
// A cursor is stored safe from power cuts, so what lies before it must be too: that is what Sync is
// for, one fdatasync a commit. What is written into a file that was moved or removed is nowhere: before
// lines count, and again before the cursor is stored, the path must still name the file.
#include <algorithm>
#include <utility>

#include "node/sinks/sink.h"

namespace rivulet {

namespace {

constexpr size_t kBufferBytes = 64 << 10;
constexpr size_t kLookBack = 4096;

class FileSink final : public Sink {
 public:
  FileSink(const std::string& path, FileSystem* files, OutputUse use, bool record_gaps)
      : path_(path), files_(files), use_(use), record_gaps_(record_gaps) {
    stats_.name = "file " + path;
  }

  Status Open(SinkCursor* cursor) override {
    SinkCursor start = *cursor;
    lost_ = damaged_ = rewound_ = false;
    file_.reset();
    if (start.begun) {
      RIVULET_RETURN_IF_ERROR(OpenOwn(&start));
    } else {
      RIVULET_RETURN_IF_ERROR(OpenAs(use_));
      start.position = 0;
    }
    if (file_->size() > start.position) RIVULET_RETURN_IF_ERROR(file_->Cut(start.position));
    const size_t slash = path_.rfind('/');
    // A new file's name must survive a power cut too.
    RIVULET_RETURN_IF_ERROR(files_->SyncDirectory(
        slash == std::string::npos ? "." : path_.substr(0, std::max<size_t>(slash, 1))));
    start.begun = true;
    *cursor = written_ = synced_ = start;
    stats_.available = true;
    return Status::Ok();
  }

  size_t Offer(std::span<const OutputEntry> entries) override {
    if (entries.empty() || rewound_ || !Ready()) return 0;
    SinkCursor end = written_;
    buffer_.clear();
    if (end.gap > 0) {
      buffer_ = GapLine(end);
      end.position += buffer_.size();
      end.gap = 0;
    }
    for (const OutputEntry& entry : entries) {
      buffer_ += entry.json;
      buffer_ += '\n';
      end.next = entry.sequence + 1;
      end.position += entry.json.size() + 1;
      if (buffer_.size() >= kBufferBytes && !Flush()) return 0;
    }
    if (!Flush() || !CheckInPlace()) return 0;
    if (written_.gap > 0) NoteGap();
    written_ = end;
    stats_.delivered += entries.size();
    stats_.available = true;
    return entries.size();
  }

  SinkCursor Cursor() const override { return written_; }

  Status Sync() override {
    if (written_ == synced_) return Status::Ok();
    Status status = file_->Sync();
    if (Check(status) && !CheckInPlace()) status = Moved();
    if (status.ok()) {
      synced_ = written_;
    } else {
      Rewind();
    }
    return status;
  }

  bool WantsIds() const override { return false; }

  bool Rewound() override { return std::exchange(rewound_, false); }

  bool Lost() const override { return lost_; }

  SinkStats Stats() const override { return stats_; }

 private:
  Status OpenAs(OutputUse use) {
    RIVULET_ASSIGN_OR_RETURN(file_, files_->OpenOutput(path_, use));
    return Status::Ok();
  }

  // The file that was written before, or, where there is nothing to lose or losses are recorded, a new one.
  Status OpenOwn(SinkCursor* start) {
    const Status opened = OpenAs(OutputUse::kOwn);
    if (opened.code() == ErrorCode::kNotFound) {
      if (start->position > 0 && !record_gaps_) return Missing("is gone", *start);
      RIVULET_RETURN_IF_ERROR(OpenAs(OutputUse::kNew));
    } else {
      RIVULET_RETURN_IF_ERROR(opened);
    }
    const uint64_t size = file_->size();
    if (size >= start->position) return Status::Ok();
    if (!record_gaps_) return Missing("has " + std::to_string(size) + " bytes", *start);
    RIVULET_ASSIGN_OR_RETURN(const uint64_t end, LastLineEnd(size));
    start->gap += start->position - end;
    start->position = end;
    return Status::Ok();
  }

  Status Missing(const std::string& what, const SinkCursor& cursor) const {
    return {ErrorCode::kSinkGap,
            "'" + path_ + "' " + what + ", but " + std::to_string(cursor.position) +
                " bytes of results were written to it. Put the file back; or set 'gap: record' at this sink "
                "to go on with a line that says so; or name another file"};
  }

  // Where the last whole line of the first `size` bytes ends.
  Result<uint64_t> LastLineEnd(uint64_t size) const {
    RIVULET_ASSIGN_OR_RETURN(const std::unique_ptr<ReadFile> file, files_->OpenRead(path_));
    char block[kLookBack];
    while (size > 0) {
      const uint64_t start = size - std::min<uint64_t>(size, kLookBack);
      const auto want = static_cast<size_t>(size - start);
      RIVULET_ASSIGN_OR_RETURN(const size_t got, file->Read(start, want, block));
      const size_t newline = std::string_view(block, got).rfind('\n');
      if (newline != std::string_view::npos) return start + newline + 1;
      size = start;
    }
    return uint64_t{0};
  }

  static std::string GapLine(const SinkCursor& cursor) {
    return "{\"@gap\":{\"bytes\":" + std::to_string(cursor.gap) +
           ",\"before\":" + std::to_string(cursor.next) + "}}\n";
  }

  void NoteGap() {
    ++stats_.gaps;
    stats_.last_gap = std::to_string(written_.gap) + " bytes of results before number " +
                      std::to_string(written_.next) + " are gone from it; a line there says so";
  }

  // After a failed write part of a line may be in the file: it goes before anything else is written.
  bool Ready() {
    if (lost_) return false;
    if (damaged_ && !Check(file_->Cut(written_.position))) return false;
    damaged_ = false;
    return CheckInPlace();
  }

  bool Flush() {
    const bool good = Check(file_->Append(buffer_));
    buffer_.clear();
    return good;
  }

  // What the kernel could not write it may have dropped, and what was written to a file that is gone is gone:
  // only writing it again helps.
  void Rewind() {
    stats_.delivered -= std::min(stats_.delivered, written_.next - synced_.next);
    written_ = synced_;
    rewound_ = true;
  }

  Status Moved() const {
    return {ErrorCode::kSinkMoved,
            "'" + path_ + "' was removed, replaced or cut while it was written to; results wait for it"};
  }

  bool CheckInPlace() {
    if (file_->InPlace()) return true;
    lost_ = true;
    Rewind();
    return Check(Moved());
  }

  bool Check(const Status& status) {
    if (status.ok()) return true;
    damaged_ = true;
    ++stats_.errors;
    stats_.available = false;
    stats_.last_error = status.ToString();
    return false;
  }

  const std::string path_;
  FileSystem* const files_;
  const OutputUse use_;
  const bool record_gaps_;
  std::unique_ptr<OutputFile> file_;
  std::string buffer_;    // scratch
  SinkCursor written_;    // everything before it is in the file
  SinkCursor synced_;     // and everything before this survives a power cut
  bool damaged_ = false;  // the file may hold more than written_ says
  bool lost_ = false;
  bool rewound_ = false;
  SinkStats stats_;
};

}  // namespace

Result<std::unique_ptr<Sink>> NewFileSink(const std::string& path, FileSystem* files, OutputUse use,
                                          bool record_gaps) {
  if (path.empty() || path == "-") {
    return {ErrorCode::kBadSettingValue,
            "a file sink needs the path of a file; for standard output use 'stdout'"};
  }
  return std::unique_ptr<Sink>(std::make_unique<FileSink>(path, files, use, record_gaps));
}

}  // namespace rivulet
