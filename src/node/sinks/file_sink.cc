// The file sink: one JSON object a line, cut back to the last cursor after a crash.
//
// A cursor is stored safe from power cuts, so what lies before it must be too: that is what Sync is
// for, one fdatasync a commit.
#include <utility>

#include "node/sinks/line_writer.h"
#include "node/sinks/sink.h"

namespace rivulet {

namespace {

class FileSink final : public Sink {
 public:
  explicit FileSink(const std::string& path) : path_(path) { stats_.name = "file " + path; }

  Status Open(SinkCursor* cursor) override {
    RIVULET_RETURN_IF_ERROR(writer_.Open(path_));
    RIVULET_ASSIGN_OR_RETURN(const uint64_t size, writer_.Size());
    if (size < cursor->position) {
      return {ErrorCode::kStateMismatch,
              "'" + path_ + "' has " + std::to_string(size) + " bytes, but " +
                  std::to_string(cursor->position) +
                  " were written to it; results would be missing. Put the file back, or name "
                  "another file and start the pipeline anew"};
    }
    RIVULET_RETURN_IF_ERROR(writer_.CutTo(cursor->position));
    written_ = synced_ = *cursor;
    return Status::Ok();
  }

  size_t Offer(std::span<const OutputEntry> entries) override {
    if (entries.empty() || rewound_ || !Recover()) return 0;
    SinkCursor end = written_;
    for (const OutputEntry& entry : entries) {
      if (!Check(writer_.Append(entry.json))) return 0;
      end = {entry.sequence + 1, end.position + entry.json.size() + 1};
    }
    if (!Check(writer_.Flush())) return 0;
    written_ = end;
    stats_.delivered += entries.size();
    stats_.available = true;
    return entries.size();
  }

  SinkCursor Cursor() const override { return written_; }

  Status Sync() override {
    if (written_ == synced_) return Status::Ok();
    Status status = writer_.Sync();
    if (Check(status)) {
      synced_ = written_;
    } else {
      // What the kernel could not write it may have dropped: only writing it again helps.
      written_ = synced_;
      rewound_ = true;
    }
    return status;
  }

  bool WantsIds() const override { return false; }

  bool Rewound() override { return std::exchange(rewound_, false); }

  SinkStats Stats() const override { return stats_; }

 private:
  // After a failed write part of a line may be in the file: it goes before anything else is
  // written.
  bool Recover() {
    if (!damaged_) return true;
    if (!Check(writer_.CutTo(written_.position))) return false;
    damaged_ = false;
    return true;
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
  LineWriter writer_;
  SinkCursor written_;    // everything before it is in the file
  SinkCursor synced_;     // and everything before this survives a power cut
  bool damaged_ = false;  // the file may hold more than written_ says
  bool rewound_ = false;
  SinkStats stats_;
};

}  // namespace

Result<std::unique_ptr<Sink>> NewFileSink(const std::string& path) {
  if (path.empty() || path == "-") {
    return {ErrorCode::kBadSettingValue,
            "a file sink needs the path of a file; for standard output use 'stdout'"};
  }
  return std::unique_ptr<Sink>(std::make_unique<FileSink>(path));
}

}  // namespace rivulet
