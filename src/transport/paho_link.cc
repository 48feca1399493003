#include "transport/paho_link.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace rivulet {
namespace {

// Smaller ids are the link's own publishes.
constexpr uint64_t kFirstCallerId = 16;

// What a broker answers that may take the same publication later.
bool MayBeTakenLater(int reason) {
  constexpr int kPacketIdInUse = 145, kQuotaExceeded = 151;
  return reason == kPacketIdInUse || reason == kQuotaExceeded;
}

}  // namespace

PahoLink::PahoLink(MqttOptions options)
    : options_(std::move(options)),
      store_(options_.persistent_session ? options_.persistence_directory : std::string()),
      next_id_(kFirstCallerId) {
  for (const std::string& filter : options_.former_filters) applied_.push_back({filter, 0});
}

PahoLink::~PahoLink() { Stop(Duration{0}); }

// --- callers' side ---

Status PahoLink::Start() {
  RIVULET_RETURN_IF_ERROR(store_.Load());
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error& e) {
    return Status(ErrorCode::kIo, std::string("no thread for the MQTT link: ") + e.what());
  }
  return Status::Ok();
}

void PahoLink::Subscribe(std::vector<MqttSubscription> subscriptions) {
  const std::lock_guard lock(mutex_);
  wanted_ = std::move(subscriptions);
  wanted_changed_ = true;
  wake_.notify_all();
}

void PahoLink::Pause(bool paused) {
  const std::lock_guard lock(mutex_);
  paused_ = paused;
  wake_.notify_all();
}

bool PahoLink::Publish(const Publication& publication, DoneHandler done) {
  Lock lock(mutex_);
  const size_t most = one_at_a_time_ ? 1
                                     : std::min<size_t>(options_.max_inflight, limits_.receive_maximum);
  if (open_ == nullptr || pending_.size() >= most) return false;
  PahoClient* const client = open_;
  const uint64_t id = next_id_++;
  pending_.emplace(id, std::move(done));
  Publication allowed = publication;
  allowed.qos = std::min(allowed.qos, limits_.max_qos);
  allowed.retain = allowed.retain && limits_.retains;
  const uint64_t size = PahoClient::PacketSize(allowed, options_.version);
  if (limits_.max_packet_size != 0 && size > limits_.max_packet_size) {
    events_.push_back({Event::Kind::kPublished, id, Delivery::kRefused,
                       "it makes a packet of " + std::to_string(size) + " bytes; the broker takes " +
                           std::to_string(limits_.max_packet_size)});
    wake_.notify_all();
    return true;
  }
  ++leases_;
  lock.unlock();
  const Status status = client->Publish(allowed, id);
  lock.lock();
  if (--leases_ == 0) wake_.notify_all();
  if (status.ok()) return true;
  pending_.erase(id);
  stats_.last_error = status.ToString();
  return false;
}

MqttLinkStats PahoLink::Stats() const {
  const std::lock_guard lock(mutex_);
  MqttLinkStats stats = stats_;
  stats.received = received_.load(std::memory_order_relaxed);
  return stats;
}

void PahoLink::Retry() {
  const std::lock_guard lock(mutex_);
  retry_ = true;
  wake_.notify_all();
}

void PahoLink::Stop(Duration timeout) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) goodbye_timeout_ = timeout;
    stopping_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

// --- Paho's side ---

bool PahoLink::OnArrived(const MqttMessage& message) {
  MqttMessage numbered = message;
  numbered.connection = connection_.load(std::memory_order_relaxed);
  const Status status = handler_ ? handler_(numbered) : Status::Ok();
  if (status.ok()) {
    received_.fetch_add(1, std::memory_order_relaxed);
    if (refused_) {
      refused_ = false;
      const std::lock_guard lock(mutex_);
      stats_.last_error.clear();
    }
    return true;
  }
  refused_ = true;
  NoteTrouble(LinkState::kNotTaken,
              "message not taken, connection dropped so that the broker keeps it: " + status.ToString());
  Note({Event::Kind::kRefused});
  return false;
}

void PahoLink::OnConnected(const BrokerLimits& limits) {
  {
    const std::lock_guard lock(mutex_);
    limits_ = limits;
  }
  Note({Event::Kind::kConnected});
}
void PahoLink::OnConnectFailed(LinkState trouble, std::string why) {
  NoteTrouble(trouble, std::move(why));
  Note({Event::Kind::kConnectFailed});
}
void PahoLink::OnLost(LinkState trouble, std::string why) {
  if (!why.empty()) {
    NoteTrouble(trouble, Status(ErrorCode::kNotConnected, std::move(why)).ToString());
  }
  Note({Event::Kind::kLost});
}
void PahoLink::OnSubscribed(const std::string& denied, std::string why) {
  {
    const std::lock_guard lock(mutex_);
    if (ungranted_ > 0) --ungranted_;
    if (!why.empty()) {
      stats_.denied.push_back(denied);
      SetTrouble(LinkState::kSubscriptionRefused, std::move(why));
    }
    SettleState();
  }
  Note({Event::Kind::kGranted});
}

void PahoLink::OnPublished(uint64_t id, bool acknowledged, int reason, std::string why) {
  if (acknowledged) return Note({Event::Kind::kPublished, id, Delivery::kAcknowledged, {}});
  // Lost with its connection: Paho reports these in any order, FailPending in the right one.
  if (why.empty()) return;
  if (!MayBeTakenLater(reason)) {
    return Note({Event::Kind::kPublished, id, Delivery::kRefused, std::move(why)});
  }
  // Ended and begun again later: all that is under way is then repeated in order.
  NoteTrouble(LinkState::kRefused, std::move(why));
  Note({Event::Kind::kConnectFailed});
}

void PahoLink::Note(Event event) {
  const std::lock_guard lock(mutex_);
  events_.push_back(std::move(event));
  wake_.notify_all();
}

void PahoLink::NoteTrouble(LinkState trouble, std::string why) {
  const std::lock_guard lock(mutex_);
  SetTrouble(trouble, std::move(why));
}

void PahoLink::SetTrouble(LinkState trouble, std::string why) {
  stats_.last_error = why;
  stats_.reason = std::move(why);
  stats_.trouble = trouble;
  stats_.state = trouble;
  ++stats_.troubles;
}

// What is said to callers follows from what the broker has answered.
void PahoLink::SettleState() {
  stats_.connected = open_connection_ && ungranted_ == 0 && stats_.denied.empty();
  if (stats_.connected) stats_.state = LinkState::kConnected;
}

// --- making one ---

namespace {

Status CheckOptions(const MqttOptions& options) {
  const auto bad = [](std::string why) {
    return Status(ErrorCode::kBadSettingValue, "MQTT link: " + std::move(why));
  };
  if (options.brokers.empty()) return bad("no broker given; expected e.g. tcp://localhost:1883");
  for (const std::string& broker : options.brokers) {
    RIVULET_RETURN_IF_ERROR(ParseBrokerAddress(broker).status());
  }
  if (options.client_id.empty()) return bad("`client_id` is empty; the session hangs on it");
  if (options.version != 4 && options.version != 5) {
    return bad("version " + std::to_string(options.version) +
               " is unknown; expected 4 (MQTT 3.1.1) or 5");
  }
  if (options.max_inflight == 0 || options.max_inflight > 60000) {
    return bad("max_inflight must be from 1 to 60000, found " +
               std::to_string(options.max_inflight));
  }
  if (options.reconnect_min.us <= 0 || options.reconnect_max < options.reconnect_min) {
    return bad("reconnect delays must be positive and the longest not below the shortest");
  }
  if (options.will && (options.will->qos < 0 || options.will->qos > 2 ||
                       options.will->topic.empty())) {
    return bad("the will needs a topic and a QoS of 0, 1 or 2");
  }
  std::error_code error;
  if (!options.persistence_directory.empty() &&
      !std::filesystem::is_directory(options.persistence_directory, error)) {
    return bad("persistence directory '" + options.persistence_directory +
               "' does not exist; create it");
  }
  return Status::Ok();
}

}  // namespace

Result<std::unique_ptr<MqttLink>> NewPahoMqttLink(const MqttOptions& options) {
  RIVULET_RETURN_IF_ERROR(CheckOptions(options));
  return std::unique_ptr<MqttLink>(std::make_unique<PahoLink>(options));
}

}  // namespace rivulet
