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
  std::optional<Ticket> Add(const OutputEntry& entry) {
    const std::lock_guard lock(mutex_);
    if (rewound_) return std::nullopt;
    queue_.push_back({entry.sequence, Fate::kUnderWay, {}, {}, {}});
    // Kept until it is known not to be refused.
    queue_.back().json = entry.json;
    queue_.back().id = entry.id;
    return Ticket{first_number_ + queue_.size() - 1, generation_};
  }

  // The publish of the ticket last added was not accepted by the link.
  void Withdraw(Ticket ticket) {
    const std::lock_guard lock(mutex_);
    if (ticket.generation == generation_ && !queue_.empty()) queue_.pop_back();
  }

  void Done(Ticket ticket, MqttLink::Delivery delivery, const std::string& why) {
    const std::lock_guard lock(mutex_);
    // Of an earlier generation: offered again since, whatever became of it.
    if (ticket.generation != generation_ || ticket.number < first_number_) return;
    Entry& entry = queue_[static_cast<size_t>(ticket.number - first_number_)];
    if (delivery == MqttLink::Delivery::kLostAlone && IsCulprit(entry.sequence)) {
      delivery = MqttLink::Delivery::kRefused;
    }
    switch (delivery) {
      case MqttLink::Delivery::kAcknowledged: entry.fate = Fate::kAcknowledged; break;
      case MqttLink::Delivery::kRefused:
        entry.fate = Fate::kRefused;
        entry.why = why;
        ++to_keep_;
        break;
      default: return Rewind();
    }
    TakeFinished();
  }

  // Hands what was refused to `keep`, as far as that takes it.
  template <typename Keep>
  void SetAside(Keep keep) {
    const std::lock_guard lock(mutex_);
    if (to_keep_ == 0) return;
    for (Entry& entry : queue_) {
      if (entry.fate != Fate::kRefused) continue;
      if (!keep(entry.json, entry.id, entry.why).ok()) break;
      entry.fate = Fate::kSetAside;
      --to_keep_;
    }
    TakeFinished();
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
    stats->refused = set_aside_;
    stats->errors = errors_;
    if (errors_ != 0) {
      stats->last_error = "publish of result " + std::to_string(failed_) +
                          " was not acknowledged; it is sent again";
    }
  }

 private:
  enum class Fate : uint8_t { kUnderWay, kAcknowledged, kRefused, kSetAside };
  struct Entry {
    uint64_t sequence;
    Fate fate;
    std::string json, id;
    std::string why;  // of kRefused
  };

  bool IsCulprit(uint64_t sequence) {
    alone_ = sequence == alone_sequence_ ? alone_ + 1 : 1;
    alone_sequence_ = sequence;
    return alone_ >= kAloneTries;
  }

  void TakeFinished() {
    while (!queue_.empty() && (queue_.front().fate == Fate::kAcknowledged ||
                               queue_.front().fate == Fate::kSetAside)) {
      next_ = queue_.front().sequence + 1;
      ++(queue_.front().fate == Fate::kSetAside ? set_aside_ : delivered_);
      queue_.pop_front();
      ++first_number_;
    }
  }

  // What is known to be refused will be again, and is set aside then.
  void Rewind() {
    to_keep_ = 0;
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
  uint64_t delivered_ = 0, set_aside_ = 0, errors_ = 0, failed_ = 0;
  size_t to_keep_ = 0;            // refused, not set aside yet
  uint64_t alone_sequence_ = 0;   // lost while nothing else was under way, and
  int alone_ = 0;                 // so many times in a row
  bool rewound_ = false;
};

class MqttSink final : public Sink {
 public:
  MqttSink(const SinkSpec& spec, TopicRenderer renderer, MqttLink* link, std::string pipeline,
           RefusedResults* refused)
      : name_("mqtt " + spec.target.text),
        pipeline_(std::move(pipeline)),
        refused_(refused),
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

  // Asked at every pump, so that what was refused is set aside also when nothing follows it.
  bool Rewound() override {
    in_flight_->SetAside([this](const std::string& json, const std::string& id, const std::string& why) {
      if (refused_ == nullptr) return Status::Ok();
      kept_unsynced_ = true;
      return refused_->Keep({pipeline_, name_, renderer_.Render(json), id, why, json});
    });
    return in_flight_->TakeRewound();
  }

  Status Sync() override {
    const Status status = refused_ == nullptr ? Status::Ok() : refused_->Sync();
    if (status.ok()) kept_unsynced_ = false;
    return status;
  }

  bool Notable() const override { return !kept_unsynced_; }

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
    const std::optional<InFlight::Ticket> ticket = in_flight_->Add(entry);
    if (!ticket) return false;
    MqttLink::Publication publication;
    publication.topic = renderer_.Render(entry.json);
    publication.payload = entry.json;
    publication.qos = qos_;
    publication.retain = retain_;
    publication.rivulet_id = entry.id;
    auto done = [shared = in_flight_, ticket = *ticket](MqttLink::Delivery delivery,
                                                        const std::string& why) {
      shared->Done(ticket, delivery, why);
    };
    if (refused_ != nullptr && refused_->ComesBack(pipeline_, publication.topic)) {
      in_flight_->Done(*ticket, MqttLink::Delivery::kRefused,
                       Status(ErrorCode::kPublishLoop,
                              "pipeline '" + pipeline_ + "' would take it in again from '" +
                                  std::string(publication.topic) + "'; expected a topic of its own")
                           .ToString());
      return true;
    }
    const bool accepted = link_->Publish(publication, std::move(done));
    if (!accepted) in_flight_->Withdraw(*ticket);
    return accepted;
  }

  const std::string name_, pipeline_;
  RefusedResults* const refused_;
  const int qos_;
  const bool retain_;
  TopicRenderer renderer_;
  MqttLink* const link_;
  const std::shared_ptr<InFlight> in_flight_;
  bool kept_unsynced_ = false;  // something was set aside, and may not be on the medium yet
};

}  // namespace

Result<std::unique_ptr<Sink>> NewMqttSink(const SinkSpec& spec, MqttLink* link,
                                          const std::string& pipeline, RefusedResults* refused) {
  if (link == nullptr) {
    return {ErrorCode::kSinkUnavailable, "a sink publishes to '" + spec.target.text +
                                             "' but there is no broker; name one in the node file"};
  }
  if (spec.qos < 0 || spec.qos > 2) {
    return {ErrorCode::kBadSettingValue,
            "qos is " + std::to_string(spec.qos) + "; expected 0, 1 or 2"};
  }
  RIVULET_ASSIGN_OR_RETURN(TopicRenderer renderer, TopicRenderer::Create(spec.target.text));
  return std::unique_ptr<Sink>(
      std::make_unique<MqttSink>(spec, std::move(renderer), link, pipeline, refused));
}

}  // namespace rivulet
