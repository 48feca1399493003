#include "transport/paho_link.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>

namespace rivulet {
namespace {

// Ids of the link's own publishes; the callers' begin after them.
constexpr uint64_t kOnlineId = 1;
constexpr uint64_t kGoodbyeId = 2;
constexpr uint64_t kFirstCallerId = 16;
// Paho gives up on a connection attempt after 10 s; this is for the case that it does not say so.
constexpr std::chrono::seconds kAttemptLimit{30};

std::chrono::microseconds Span(Duration d) { return std::chrono::microseconds(d.us); }

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
  if (open_ == nullptr || pending_.size() >= options_.max_inflight) return false;
  PahoClient* const client = open_;
  const uint64_t id = next_id_++;
  pending_.emplace(id, std::move(done));
  ++leases_;
  lock.unlock();
  const Status status = client->Publish(publication, id);
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
  Note({Event::Kind::kRefused},
       "message not taken, connection dropped so that the broker keeps it: " + status.ToString());
  return false;
}

void PahoLink::OnConnected() { Note({Event::Kind::kConnected}, std::string()); }
void PahoLink::OnConnectFailed(std::string why) {
  Note({Event::Kind::kConnectFailed}, std::move(why));
}
void PahoLink::OnLost(std::string why) {
  Note({Event::Kind::kLost},
       why.empty() ? why : Status(ErrorCode::kNotConnected, std::move(why)).ToString());
}
void PahoLink::OnSubscribeFailed(std::string why) {
  const std::lock_guard lock(mutex_);
  stats_.last_error = std::move(why);
}
void PahoLink::OnPublished(uint64_t id, bool ok, std::string why) {
  // Lost with its connection: Paho reports these in any order, FailPending in the right one.
  if (!ok && why.empty()) return;
  Note({Event::Kind::kPublished, id, ok}, std::move(why));
}

void PahoLink::Note(Event event, std::string error) {
  const std::lock_guard lock(mutex_);
  events_.push_back(event);
  if (!error.empty()) stats_.last_error = std::move(error);
  wake_.notify_all();
}

// --- the link's thread ---

void PahoLink::Run() {
  Duration delay = options_.reconnect_min;
  size_t next = 0;
  while (WaitUntilWanted()) {
    const uint64_t received = received_.load(std::memory_order_relaxed);
    const Outcome outcome = RunConnection(options_.brokers[next]);
    if (outcome == Outcome::kUnwanted) continue;
    if (outcome == Outcome::kLost || received != received_.load(std::memory_order_relaxed)) {
      delay = options_.reconnect_min;
    }
    if (outcome == Outcome::kLost) {
      next = 0;
    } else if (outcome == Outcome::kFailed) {
      next = (next + 1) % options_.brokers.size();
      if (next != 0) continue;  // the delay is for a whole round without success
    }
    WaitBeforeRetry(delay);
    if (outcome != Outcome::kLost) {
      delay = std::min(Duration{SaturatingAdd(delay.us, delay.us)}, options_.reconnect_max);
    }
  }
}

// False when the link is to stop.
bool PahoLink::WaitUntilWanted() {
  Lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || !paused_; });
  return !stopping_;
}

void PahoLink::WaitBeforeRetry(Duration delay) {
  Lock lock(mutex_);
  wake_.wait_for(lock, Span(delay), [this] { return stopping_ || paused_; });
}

PahoLink::Outcome PahoLink::RunConnection(const std::string& broker) {
  {
    const std::lock_guard lock(mutex_);
    stats_.connection = connection_.fetch_add(1, std::memory_order_relaxed) + 1;
  }
  Result<std::unique_ptr<PahoClient>> made =
      PahoClient::Create(options_, broker, &store_, this);
  const Status status = made.ok() ? (*made)->Connect() : made.status();
  if (!status.ok()) {
    NoteError(status);
    return Outcome::kFailed;
  }
  std::unique_ptr<PahoClient> client = std::move(made).value();
  Outcome outcome = Outcome::kUnwanted;
  Lock lock(mutex_);
  wake_.wait_for(lock, kAttemptLimit, [this] { return stopping_ || !events_.empty(); });
  if (events_.empty()) {
    if (!stopping_) {
      stats_.last_error = Status(ErrorCode::kBrokerUnreachable,
                                 "'" + broker + "': no answer; check host, port and network")
                              .ToString();
      outcome = Outcome::kFailed;
    }
    lock.unlock();
  } else {
    // The first note of a connection says whether there is one; messages may have come before.
    const bool connected = std::any_of(events_.begin(), events_.end(), [](const Event& e) {
      return e.kind == Event::Kind::kConnected;
    });
    // Messages of a resumed session can come, and one be refused, before the broker's answer is noted: there
    // was a connection all the same.
    const bool refused = std::any_of(events_.begin(), events_.end(), [](const Event& e) {
      return e.kind == Event::Kind::kRefused;
    });
    if (!connected && refused) ++stats_.connects;
    lock.unlock();
    if (connected) Welcome(client.get(), broker);
    outcome = Serve(client.get());
  }
  CloseDoor();
  client.reset();
  FailPending();
  return outcome;
}

// Handles what happens until the connection ends or is no longer wanted.
PahoLink::Outcome PahoLink::Serve(PahoClient* client) {
  Lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] {
      return stopping_ || paused_ || !events_.empty() || (wanted_changed_ && open_ != nullptr);
    });
    while (!events_.empty()) {
      const Event event = events_.front();
      events_.pop_front();
      switch (event.kind) {
        case Event::Kind::kConnected: break;
        case Event::Kind::kConnectFailed: return Outcome::kFailed;
        case Event::Kind::kLost: return Outcome::kLost;
        case Event::Kind::kRefused: return Outcome::kRefused;
        case Event::Kind::kPublished:
          lock.unlock();
          Complete(event);
          lock.lock();
          break;
      }
    }
    if (stopping_ || paused_) {
      const bool goodbye = stopping_ && open_ != nullptr && goodbye_timeout_.us > 0;
      lock.unlock();
      if (goodbye) Goodbye(client);
      return Outcome::kUnwanted;
    }
    if (wanted_changed_) {
      lock.unlock();
      ApplySubscriptions(client, false);
      lock.lock();
    }
  }
}

void PahoLink::Welcome(PahoClient* client, const std::string& broker) {
  {
    const std::lock_guard lock(mutex_);
    stats_.connected = true;
    stats_.broker = broker;
    ++stats_.connects;
    if (!refused_) stats_.last_error.clear();
  }
  if (!options_.persistent_session) applied_.clear();
  ApplySubscriptions(client, true);
  PublishStatus(client, options_.online_payload, kOnlineId);
  const std::lock_guard lock(mutex_);
  open_ = client;
}

// `all`: also what the session should hold already; a broker that lost power may have kept the
// session and lost a subscription.
void PahoLink::ApplySubscriptions(PahoClient* client, bool all) {
  std::vector<MqttSubscription> wanted;
  {
    const std::lock_guard lock(mutex_);
    wanted = wanted_;
    wanted_changed_ = false;
  }
  for (const MqttSubscription& subscription : wanted) {
    const bool known = std::find(applied_.begin(), applied_.end(), subscription) != applied_.end();
    if (all || !known) NoteError(client->Subscribe(subscription));
  }
  for (const MqttSubscription& old : applied_) {
    const bool still = std::any_of(wanted.begin(), wanted.end(), [&old](const MqttSubscription& s) {
      return s.filter == old.filter;
    });
    if (!still) NoteError(client->Unsubscribe(old.filter));
  }
  applied_ = std::move(wanted);
}

void PahoLink::PublishStatus(PahoClient* client, const std::string& payload, uint64_t id) {
  if (!options_.will || payload.empty()) return;
  Publication status;
  status.topic = options_.will->topic;
  status.payload = payload;
  status.qos = options_.will->qos;
  status.retain = true;
  NoteError(client->Publish(status, id));
}

// Publishes the will's payload by hand and waits for what is in flight, the goodbye coming last.
void PahoLink::Goodbye(PahoClient* client) {
  {
    const std::lock_guard lock(mutex_);
    open_ = nullptr;
  }
  goodbye_acknowledged_ = !options_.will || options_.will->payload.empty();
  if (!goodbye_acknowledged_) PublishStatus(client, options_.will->payload, kGoodbyeId);
  std::vector<Event> seen;
  Lock lock(mutex_);
  wake_.wait_for(lock, Span(goodbye_timeout_), [this, &seen] {
    bool lost = false;
    for (; !events_.empty(); events_.pop_front()) {
      const Event& event = seen.emplace_back(events_.front());
      lost = lost || event.kind == Event::Kind::kLost || event.kind == Event::Kind::kRefused;
      if (event.id == kGoodbyeId) goodbye_acknowledged_ = true;
    }
    const auto done = static_cast<size_t>(std::count_if(
        seen.begin(), seen.end(), [](const Event& e) { return e.id >= kFirstCallerId; }));
    return lost || (goodbye_acknowledged_ && done >= pending_.size());
  });
  lock.unlock();
  for (const Event& event : seen) {
    if (event.kind == Event::Kind::kPublished) Complete(event);
  }
}

// No new publishes, and none still inside the client.
void PahoLink::CloseDoor() {
  Lock lock(mutex_);
  open_ = nullptr;
  stats_.connected = false;
  wake_.wait(lock, [this] { return leases_ == 0; });
}

// After the client is gone: what it had acknowledged counts, everything else is to be repeated.
void PahoLink::FailPending() {
  std::deque<Event> last;
  std::map<uint64_t, DoneHandler> unacknowledged;
  {
    const std::lock_guard lock(mutex_);
    last.swap(events_);
  }
  for (const Event& event : last) {
    if (event.kind == Event::Kind::kPublished) Complete(event);
  }
  {
    const std::lock_guard lock(mutex_);
    unacknowledged.swap(pending_);
  }
  for (const auto& [id, done] : unacknowledged) {
    if (done) done(false);
  }
}

void PahoLink::Complete(const Event& event) {
  DoneHandler done;
  {
    const std::lock_guard lock(mutex_);
    const auto found = pending_.find(event.id);
    if (found == pending_.end()) return;
    done = std::move(found->second);
    pending_.erase(found);
    if (event.ok) ++stats_.published;
  }
  if (done) done(event.ok);
}

void PahoLink::NoteError(const Status& status) {
  if (status.ok()) return;
  const std::lock_guard lock(mutex_);
  stats_.last_error = status.ToString();
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
