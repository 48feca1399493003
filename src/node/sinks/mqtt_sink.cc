// The MQTT sink: publishes results in order and moves its cursor as the broker acknowledges them.
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "node/sinks/sink.h"
#include "node/sinks/topic_renderer.h"

namespace rivulet {

namespace {

// What the link's thread and the sink's thread share. The done handlers hold it too, so one that
// comes after the sink is gone does no harm.
class InFlight {
 public:
  // Identifies one publish: its place in the queue, and the rewind count it belongs to.
  struct Ticket {
    uint64_t number;
    uint64_t generation;
  };

  void Reset(uint64_t next) {
    const std::lock_guard lock(mutex_);
    next_ = next;
  }

  // Called before the publish, as its handler may run at once. Nothing while a rewind waits to be
  // noticed: what is published then would overtake what has to be sent again.
  std::optional<Ticket> Add(uint64_t sequence) {
    const std::lock_guard lock(mutex_);
    if (rewound_) return std::nullopt;
    queue_.push_back({sequence, false});
    return Ticket{first_number_ + queue_.size() - 1, generation_};
  }

  // The publish of the ticket last added was not accepted by the link.
  void Withdraw(Ticket ticket) {
    const std::lock_guard lock(mutex_);
    if (ticket.generation == generation_ && !queue_.empty()) queue_.pop_back();
  }

  void Done(Ticket ticket, bool ok) {
    const std::lock_guard lock(mutex_);
    // Of an earlier generation: offered again since, whatever became of it.
    if (ticket.generation != generation_ || ticket.number < first_number_) return;
    if (!ok) {
      Rewind();
      return;
    }
    queue_[static_cast<size_t>(ticket.number - first_number_)].acknowledged = true;
    while (!queue_.empty() && queue_.front().acknowledged) {
      next_ = queue_.front().sequence + 1;
      queue_.pop_front();
      ++first_number_;
      ++delivered_;
    }
  }

  bool TakeRewound() {
    const std::lock_guard lock(mutex_);
    return std::exchange(rewound_, false);
  }
  uint64_t next() const {
    const std::lock_guard lock(mutex_);
    return next_;
  }
  void Fill(SinkStats* stats) const {
    const std::lock_guard lock(mutex_);
    stats->delivered = delivered_;
    stats->errors = errors_;
    if (errors_ != 0) {
      stats->last_error = "publish of result " + std::to_string(failed_) +
                          " was not acknowledged; it is sent again";
    }
  }

 private:
  struct Entry {
    uint64_t sequence;
    bool acknowledged;
  };

  void Rewind() {
    next_ = failed_ = queue_.front().sequence;
    first_number_ += queue_.size();
    queue_.clear();
    ++generation_;
    ++errors_;
    rewound_ = true;
  }

  mutable std::mutex mutex_;
  std::deque<Entry> queue_;     // published, not all acknowledged; in order
  uint64_t first_number_ = 0;   // ticket number of queue_.front()
  uint64_t generation_ = 0;
  uint64_t next_ = 0;
  uint64_t delivered_ = 0, errors_ = 0, failed_ = 0;
  bool rewound_ = false;
};

class MqttSink final : public Sink {
 public:
  MqttSink(const SinkSpec& spec, TopicRenderer renderer, MqttLink* link)
      : name_("mqtt " + spec.target.text),
        qos_(spec.qos),
        retain_(spec.retain),
        renderer_(std::move(renderer)),
        link_(link),
        in_flight_(std::make_shared<InFlight>()) {}

  Status Open(SinkCursor* cursor) override {
    in_flight_->Reset(cursor->next);
    return Status::Ok();
  }

  size_t Offer(std::span<const OutputEntry> entries) override {
    for (size_t k = 0; k < entries.size(); ++k) {
      if (!PublishOne(entries[k])) return k;
    }
    return entries.size();
  }

  SinkCursor Cursor() const override { return {in_flight_->next(), 0}; }

  bool Rewound() override { return in_flight_->TakeRewound(); }

  SinkStats Stats() const override {
    SinkStats stats;
    stats.name = name_;
    in_flight_->Fill(&stats);
    MqttLinkStats link = link_->Stats();
    stats.available = link.connected;
    if (!link.connected && !link.last_error.empty()) stats.last_error = std::move(link.last_error);
    return stats;
  }

 private:
  bool PublishOne(const OutputEntry& entry) {
    const std::optional<InFlight::Ticket> ticket = in_flight_->Add(entry.sequence);
    if (!ticket) return false;
    MqttLink::Publication publication;
    publication.topic = renderer_.Render(entry.json);
    publication.payload = entry.json;
    publication.qos = qos_;
    publication.retain = retain_;
    publication.rivulet_id = entry.id;
    auto done = [shared = in_flight_, ticket = *ticket](bool ok) { shared->Done(ticket, ok); };
    const bool accepted = link_->Publish(publication, std::move(done));
    if (!accepted) in_flight_->Withdraw(*ticket);
    return accepted;
  }

  const std::string name_;
  const int qos_;
  const bool retain_;
  TopicRenderer renderer_;
  MqttLink* const link_;
  const std::shared_ptr<InFlight> in_flight_;
};

}  // namespace

Result<std::unique_ptr<Sink>> NewMqttSink(const SinkSpec& spec, MqttLink* link) {
  if (link == nullptr) {
    return {ErrorCode::kSinkUnavailable, "a sink publishes to '" + spec.target.text +
                                             "' but there is no broker; name one in the node file"};
  }
  if (spec.qos < 0 || spec.qos > 2) {
    return {ErrorCode::kBadSettingValue,
            "qos is " + std::to_string(spec.qos) + "; expected 0, 1 or 2"};
  }
  RIVULET_ASSIGN_OR_RETURN(TopicRenderer renderer, TopicRenderer::Create(spec.target.text));
  return std::unique_ptr<Sink>(std::make_unique<MqttSink>(spec, std::move(renderer), link));
}

}  // namespace rivulet
