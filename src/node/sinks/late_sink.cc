#include "node/sinks/late_sink.h"

#include <algorithm>
#include <utility>

namespace rivulet {
namespace {

class LateSink final : public Sink {
 public:
  LateSink(std::unique_ptr<Sink> sink, const SinkCursor& cursor, uint64_t end,
           const Status& failure)
      : sink_(std::move(sink)), waiting_at_(cursor), end_(end) {
    failed_ = sink_->Stats();
    Fail(failure);
  }

  Status Open(SinkCursor*) override { return Status::Ok(); }

  size_t Offer(std::span<const OutputEntry> entries) override {
    if (open_) return sink_->Offer(entries);
    // Offers may come a thousand times a second, and trying costs a look at the disk.
    if (refused_ || entries.empty() || offers_++ % kOffersATry != 0) return 0;
    SinkCursor cursor = waiting_at_;
    const Status status = sink_->Open(&cursor);
    if (!status.ok()) {
      Fail(status);
    } else if (cursor.next > end_) {
      refused_ = true;
      Fail({ErrorCode::kStateMismatch,
            "it already has results up to number " + std::to_string(cursor.next) +
                ", which are not given out yet: the state directory is newer than it. Restart "
                "the node to go on behind them"});
    } else {
      open_ = true;
      moved_ = cursor.next != waiting_at_.next;
    }
    return open_ && !moved_ ? sink_->Offer(entries) : 0;
  }

  SinkCursor Cursor() const override { return open_ ? sink_->Cursor() : waiting_at_; }
  bool Rewound() override {
    const bool moved = std::exchange(moved_, false);
    return (open_ && sink_->Rewound()) || moved;
  }
  Status Sync() override { return open_ ? sink_->Sync() : Status::Ok(); }
  bool WantsIds() const override { return sink_->WantsIds(); }
  SinkStats Stats() const override { return open_ ? sink_->Stats() : failed_; }

 private:
  static constexpr uint64_t kOffersATry = 16;

  void Fail(const Status& status) {
    ++failed_.errors;
    failed_.available = false;
    failed_.last_error = status.ToString();
  }

  std::unique_ptr<Sink> sink_;
  const SinkCursor waiting_at_;
  const uint64_t end_;
  bool open_ = false;
  bool refused_ = false;
  bool moved_ = false;     // the sink's own cursor is another
  uint64_t offers_ = 1;
  SinkStats failed_;
};

}  // namespace

bool MayOpenLater(const Status& failure) {
  switch (failure.code()) {
    case ErrorCode::kIo:
    case ErrorCode::kDiskFull:
    case ErrorCode::kLocked:
    case ErrorCode::kSinkUnavailable: return true;
    default: return false;
  }
}

std::unique_ptr<Sink> NewLateSink(std::unique_ptr<Sink> sink, const SinkCursor& cursor, uint64_t end,
                                  const Status& failure) {
  return std::make_unique<LateSink>(std::move(sink), cursor, end, failure);
}

}  // namespace rivulet
