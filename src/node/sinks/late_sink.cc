#include "node/sinks/late_sink.h"

#include <algorithm>
#include <utility>

namespace rivulet {
namespace {

class LateSink final : public Sink {
 public:
  LateSink(std::unique_ptr<Sink> sink, const SinkCursor& stored, uint64_t begin, uint64_t end)
      : sink_(std::move(sink)), stored_(stored), begin_(begin), end_(end) {
    SinkCursor cursor;
    const Status status = OpenSinkAt(sink_.get(), stored_, begin_, &cursor);
    open_ = status.ok();
    if (!open_) Fail(status);
  }

  Status Open(SinkCursor* cursor) override {
    *cursor = Cursor();
    return Status::Ok();
  }

  size_t Offer(std::span<const OutputEntry> entries) override {
    if (open_ && !sink_->Lost()) {
      const size_t taken = sink_->Offer(entries);
      if (sink_->Lost()) Lose();
      return taken;
    }
    // Offers may come a thousand times a second, and trying costs a look at the disk.
    if (!refused_ && !entries.empty() && offers_++ % kOffersATry == 0) TryAgain();
    return 0;  // if it is open now, from its own cursor on
  }

  SinkCursor Cursor() const override {
    if (open_) return sink_->Cursor();
    return {std::max(stored_.next, begin_), stored_.position, stored_.begun, stored_.gap};
  }
  bool Rewound() override {
    const bool moved = std::exchange(moved_, false);
    return (open_ && sink_->Rewound()) || moved;
  }
  Status Sync() override {
    if (!open_) return Status::Ok();
    const Status status = sink_->Sync();
    if (sink_->Lost()) Lose();
    return status;
  }
  bool Notable() const override { return open_ && sink_->Notable(); }
  bool WantsIds() const override { return sink_->WantsIds(); }
  SinkStats Stats() const override {
    SinkStats stats = sink_->Stats();
    if (open_) return stats;
    stats.errors += failures_;
    stats.available = false;
    stats.last_error = failure_;
    return stats;
  }

 private:
  static constexpr uint64_t kOffersATry = 16;

  // Nothing behind its cursor is trimmed while it waits.
  void TryAgain() {
    SinkCursor cursor;
    const Status status = OpenSinkAt(sink_.get(), stored_, begin_, &cursor);
    if (!status.ok()) {
      Fail(status);
    } else if (cursor.next > end_) {
      refused_ = true;
      Fail({ErrorCode::kStateMismatch,
            "it already has results up to number " + std::to_string(cursor.next) +
                ", which are not given out yet: the state directory is newer than it. Restart "
                "the node to go on behind them"});
    } else {
      open_ = moved_ = true;
    }
  }

  void Lose() {
    Note(sink_->Stats().last_error);
    stored_ = sink_->Cursor();
    begin_ = stored_.next;
    end_ = std::max(end_, stored_.next);
    open_ = false;
    moved_ = true;
    offers_ = 1;
  }

  void Fail(const Status& status) { Note(status.ToString()); }
  void Note(const std::string& why) {
    ++failures_;
    failure_ = why;
  }

  std::unique_ptr<Sink> sink_;
  SinkCursor stored_;      // where it is to be opened
  uint64_t begin_, end_;
  bool open_ = false;
  bool refused_ = false;
  bool moved_ = false;     // what was taken is to be offered again from Cursor().next
  uint64_t offers_ = 1;
  uint64_t failures_ = 0;
  std::string failure_;
};

}  // namespace

Status OpenSinkAt(Sink* sink, const SinkCursor& stored, uint64_t begin, SinkCursor* cursor) {
  // A sink that was taken out for a while and is back goes on with what the log still has.
  *cursor = stored;
  cursor->next = std::max(stored.next, begin);
  RIVULET_RETURN_IF_ERROR(sink->Open(cursor));
  if (cursor->next >= std::min(stored.next, begin)) return Status::Ok();
  RIVULET_RETURN_IF_ERROR(sink->Skip(begin));
  *cursor = sink->Cursor();
  return Status::Ok();
}

std::unique_ptr<Sink> NewLateSink(std::unique_ptr<Sink> sink, const SinkCursor& stored, uint64_t begin,
                                  uint64_t end) {
  return std::make_unique<LateSink>(std::move(sink), stored, begin, end);
}

}  // namespace rivulet
