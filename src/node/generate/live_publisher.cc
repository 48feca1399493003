#include "node/generate/live_publisher.h"

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "node/sinks/sink.h"

namespace rivulet {

namespace {

constexpr size_t kWindow = 4096;                      // readings made and not yet acknowledged
constexpr Duration kTick = Duration::Millis(1);       // how long to wait when nothing can be done
constexpr Duration kConnectTick = Duration::Millis(10);

class LivePublisher {
 public:
  LivePublisher(const LiveOptions& options, const LiveHooks& hooks, std::unique_ptr<Sink> sink)
      : options_(options), hooks_(hooks), sink_(std::move(sink)), stream_(options.stream) {}

  LiveReport Run() {
    const Monotonic started = hooks_.now().monotonic;
    started_ = last_progress_ = started;
    while (Step()) {
    }
    report_.elapsed = hooks_.now().monotonic - started;
    report_.errors = sink_->Stats().errors;
    return report_;
  }

 private:
  // False when the run is over.
  bool Step() {
    if (!report_.interrupted && hooks_.interrupted()) StopMaking();
    if (!report_.interrupted) Fill();
    const bool offered = OfferAll();
    const bool moved = Collect() || offered;
    const Monotonic now = hooks_.now().monotonic;
    if (entries_.empty() && (exhausted_ || report_.interrupted)) return false;
    if (moved || entries_.empty()) last_progress_ = now;
    if (now - last_progress_ > options_.stall_timeout) return false;
    if (!moved) hooks_.sleep_until(WakeAt(now));
    return true;
  }

  // The next reading's turn when there is nothing else to wait for.
  Monotonic WakeAt(Monotonic now) const {
    const Monotonic tick = now + kTick;
    if (!entries_.empty() || !pending_) return tick;
    return std::min(NextDue(), tick);
  }

  // When next_ is to be sent: on its arrival, but not after the last reading has been made.
  Monotonic NextDue() const {
    const EventTime end = stream_.all_made() ? stream_.newest() : EventTime::Max();
    return started_ + Duration{std::min(next_.arrival, end).us - options_.stream.start.us};
  }

  // Makes the readings whose time has come.
  void Fill() {
    while (entries_.size() < kWindow && !exhausted_) {
      const Now now = hooks_.now();
      if (!pending_) {
        if (!options_.paced) stream_.SetTime(now.wall);
        pending_ = stream_.Next(&next_);
        exhausted_ = !pending_;
      }
      if (!pending_) return;
      if (options_.paced && NextDue() > now.monotonic) return;
      OutputEntry entry;
      entry.sequence = made_++;
      entry.json = next_.json;
      entries_.push_back(std::move(entry));
      pending_ = false;
    }
  }

  // Only what was sent already is still waited for.
  void StopMaking() {
    report_.interrupted = true;
    const uint64_t sent = report_.sent - first_;
    if (entries_.size() > sent) entries_.resize(static_cast<size_t>(sent));
  }

  bool OfferAll() {
    if (sink_->Rewound()) {
      Collect();
      taken_ = 0;
    }
    const size_t waiting = entries_.size() - taken_;
    if (waiting == 0) return false;
    const size_t taken = sink_->Offer(std::span(entries_).subspan(taken_));
    taken_ += taken;
    const uint64_t sent = first_ + taken_;
    if (sent > report_.sent) report_.sent = sent;
    return taken != 0;
  }

  // Forgets what has been acknowledged.
  bool Collect() {
    const uint64_t next = sink_->Cursor().next;
    if (next == first_) return false;
    const auto gone = static_cast<size_t>(next - first_);
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(gone));
    taken_ = taken_ > gone ? taken_ - gone : 0;
    first_ = next;
    report_.acknowledged = next;
    hooks_.progress(next);
    return true;
  }

  const LiveOptions& options_;
  const LiveHooks& hooks_;
  const std::unique_ptr<Sink> sink_;
  ReadingStream stream_;
  ReadingStream::Reading next_;
  bool pending_ = false;    // next_ waits for its time
  bool exhausted_ = false;  // no reading is left in stream_
  Monotonic started_, last_progress_;
  std::vector<OutputEntry> entries_;  // not acknowledged; the first taken_ are with the sink
  size_t taken_ = 0;
  uint64_t first_ = 0;  // sequence of entries_.front()
  uint64_t made_ = 0;
  LiveReport report_;
};

Status WaitForConnection(const LiveOptions& options, const LiveHooks& hooks, MqttLink* link) {
  const Monotonic deadline = hooks.now().monotonic + options.connect_timeout;
  while (!link->Stats().connected && !hooks.interrupted()) {
    const Monotonic now = hooks.now().monotonic;
    if (now > deadline) {
      const std::string error = link->Stats().last_error;
      return {ErrorCode::kBrokerUnreachable,
              "no connection within " + std::to_string(options.connect_timeout.us / 1'000'000) +
                  " s" + (error.empty() ? "" : " (" + error + ")") + "; is the broker running?"};
    }
    hooks.sleep_until(now + kConnectTick);
  }
  return Status::Ok();
}

}  // namespace

Result<LiveReport> PublishLive(const LiveOptions& options, const LiveHooks& hooks, MqttLink* link) {
  SinkSpec spec;
  spec.kind = SinkSpec::Kind::kMqtt;
  spec.target.text = options.topic;
  spec.qos = options.qos;
  RIVULET_ASSIGN_OR_RETURN(std::unique_ptr<Sink> sink, NewMqttSink(spec, link));
  SinkCursor cursor;
  RIVULET_RETURN_IF_ERROR(sink->Open(&cursor));
  RIVULET_RETURN_IF_ERROR(WaitForConnection(options, hooks, link));
  LiveOptions started = options;
  if (options.start_now) started.stream.start = hooks.now().wall;
  return LivePublisher(started, hooks, std::move(sink)).Run();
}

}  // namespace rivulet
