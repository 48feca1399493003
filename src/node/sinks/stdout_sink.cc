// The standard output sink: one JSON object a line. What a crash leaves unsaid is said again.
#include "node/sinks/line_writer.h"
#include "node/sinks/sink.h"

namespace rivulet {

namespace {

class StdoutSink final : public Sink {
 public:
  StdoutSink() {
    stats_.name = "stdout";
    writer_.UseStandardOutput();
  }

  Status Open(SinkCursor* cursor) override {
    cursor_ = {cursor->next, 0};
    return Status::Ok();
  }

  size_t Offer(std::span<const OutputEntry> entries) override {
    if (entries.empty()) return 0;
    Status status;
    for (const OutputEntry& entry : entries) {
      if (status.ok()) status = writer_.Append(entry.json);
    }
    if (status.ok()) status = writer_.Flush();
    stats_.available = status.ok();
    if (!status.ok()) {
      ++stats_.errors;
      stats_.last_error = status.ToString();
      return 0;
    }
    cursor_.next = entries.back().sequence + 1;
    stats_.delivered += entries.size();
    return entries.size();
  }

  SinkCursor Cursor() const override { return cursor_; }
  bool Notable() const override { return true; }
  bool WantsIds() const override { return false; }
  SinkStats Stats() const override { return stats_; }

 private:
  LineWriter writer_;
  SinkCursor cursor_;
  SinkStats stats_;
};

}  // namespace

std::unique_ptr<Sink> NewStdoutSink() { return std::make_unique<StdoutSink>(); }

}  // namespace rivulet
