// The thread of a PahoLink: connections one after another, and what follows from them.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>

#include "transport/paho_link.h"

namespace rivulet {
namespace {

// Ids of the link's own publishes; the callers' begin after them.
constexpr uint64_t kOnlineId = 1;
constexpr uint64_t kGoodbyeId = 2;
// Paho gives up on a connection attempt after 10 s; this is for the case that it does not say so.
constexpr std::chrono::seconds kAttemptLimit{30};
// A connection has settled when nothing happened for so long, or so much went well.
constexpr std::chrono::seconds kSettles{10};
constexpr uint64_t kSettlesAfter = 1000;
// So many in a row that did not: something is wrong with what is done on them.
constexpr int kSuspicious = 3;
// When one publication is tried at a time: the connection's time to be well without any, and
// the acknowledgements after which the suspicion is over.
constexpr std::chrono::seconds kQuiet{1};
constexpr uint64_t kCleared = 16;

std::chrono::microseconds Span(Duration d) { return std::chrono::microseconds(d.us); }

}  // namespace

void PahoLink::Run() {
  Duration delay = options_.reconnect_min;
  size_t next = 0;
  while (WaitUntilWanted()) {
    const uint64_t received = received_.load(std::memory_order_relaxed);
    const Outcome outcome = RunConnection(options_.brokers[next]);
    if (outcome == Outcome::kUnwanted) continue;
    if (outcome == Outcome::kLost && !settled_) CountShortLife();
    // Found guilty by being tried alone: the rest shall not wait long for it.
    const bool healthy = outcome == Outcome::kLost && (short_lives_ < kSuspicious || acknowledged_ > 0 ||
                                                       tried_alone_);
    const bool took = received != received_.load(std::memory_order_relaxed);
    if (healthy || (took && short_lives_ < kSuspicious)) {
      delay = options_.reconnect_min;
    }
    if (outcome == Outcome::kLost) {
      next = 0;
    } else if (outcome == Outcome::kFailed) {
      next = (next + 1) % options_.brokers.size();
      if (next != 0) continue;  // the delay is for a whole round without success
    }
    WaitBeforeRetry(delay);
    if (!healthy) {
      delay = std::min(Duration{SaturatingAdd(delay.us, delay.us)}, options_.reconnect_max);
    }
  }
}

// A connection ended before it had settled. After a few in a row the link looks for what does it: another
// client with the same id takes the session over, or, where this link publishes, the broker ends the
// connection for a publication it does not want, which is all that MQTT 3.1.1 lets it do. To find that one,
// publications are then made one at a time, each on a connection that was well before.
void PahoLink::CountShortLife() {
  if (++short_lives_ < kSuspicious) return;
  const std::lock_guard lock(mutex_);
  one_at_a_time_ = true;
  if (stats_.trouble != LinkState::kLost) return;
  std::string why = stats_.reason + "; " + std::to_string(short_lives_) +
                    " connections in a row ended soon: ";
  if (options_.persistent_session) {
    why += "most likely another client uses the client id '" + options_.client_id +
           "' too; each needs its own";
  } else {
    why += "another client uses the client id '" + options_.client_id +
           "' too, or the broker does not want something that is published, which is looked for";
  }
  stats_.trouble = options_.persistent_session ? LinkState::kTakenOver : LinkState::kLost;
  stats_.state = stats_.trouble;
  stats_.last_error = stats_.reason = std::move(why);
}

// False when the link is to stop.
bool PahoLink::WaitUntilWanted() {
  Lock lock(mutex_);
  if (paused_) stats_.state = LinkState::kPaused;
  wake_.wait(lock, [this] { return stopping_ || !paused_; });
  return !stopping_;
}

void PahoLink::WaitBeforeRetry(Duration delay) {
  Lock lock(mutex_);
  retry_ = false;
  wake_.wait_for(lock, Span(delay), [this] { return stopping_ || paused_ || retry_; });
}

void PahoLink::ReadPassword() {
  if (options_.password_file.empty()) return;
  std::ifstream file(options_.password_file, std::ios::binary);
  std::string password((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  while (!password.empty() && (password.back() == '\n' || password.back() == '\r')) password.pop_back();
  if (!password.empty()) options_.password = std::move(password);
}

PahoLink::Outcome PahoLink::RunConnection(const std::string& broker) {
  ReadPassword();
  settled_ = tried_alone_ = false;
  acknowledged_ = 0;
  {
    const std::lock_guard lock(mutex_);
    stats_.connection = connection_.fetch_add(1, std::memory_order_relaxed) + 1;
    ungranted_ = 0;
    stats_.denied.clear();
    limits_ = {};
    stats_.broker = broker;
  }
  Result<std::unique_ptr<PahoClient>> made =
      PahoClient::Create(options_, broker, &store_, this);
  const Status status = made.ok() ? (*made)->Connect() : made.status();
  if (!status.ok()) {
    NoteTrouble(LinkState::kUnreachable, status.ToString());
    return Outcome::kFailed;
  }
  std::unique_ptr<PahoClient> client = std::move(made).value();
  Outcome outcome = Outcome::kUnwanted;
  Lock lock(mutex_);
  wake_.wait_for(lock, kAttemptLimit, [this] { return stopping_ || !events_.empty(); });
  if (events_.empty()) {
    if (!stopping_) {
      SetTrouble(LinkState::kUnreachable,
                 Status(ErrorCode::kBrokerUnreachable,
                        "'" + broker + "': no answer; check host, port and network")
                     .ToString());
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
    if (connected) Welcome(client.get());
    outcome = Serve(client.get());
  }
  CloseDoor();
  client.reset();
  FailPending();
  return outcome;
}

// Waits for something to do. Time that passes without any is news too: false then.
bool PahoLink::WaitForEvents(Lock* lock, PahoClient* client) {
  const auto anything = [this] {
    return stopping_ || paused_ || !events_.empty() || (wanted_changed_ && open_connection_);
  };
  if (open_connection_ && one_at_a_time_ && open_ == nullptr) {
    if (wake_.wait_for(*lock, kQuiet, anything)) return true;
    open_ = client;
    return false;
  }
  if (!settled_ && open_connection_) {
    if (wake_.wait_for(*lock, kSettles, anything)) return true;
    settled_ = true;
    short_lives_ = 0;
    one_at_a_time_ = false;
    return false;
  }
  wake_.wait(*lock, anything);
  return true;
}

// Handles what happens until the connection ends or is no longer wanted.
PahoLink::Outcome PahoLink::Serve(PahoClient* client) {
  Lock lock(mutex_);
  for (;;) {
    if (!WaitForEvents(&lock, client)) continue;
    while (!events_.empty()) {
      const Event event = events_.front();
      events_.pop_front();
      switch (event.kind) {
        case Event::Kind::kConnected:
        case Event::Kind::kGranted: break;
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
    if (wanted_changed_ && open_connection_) {
      lock.unlock();
      ApplySubscriptions(client, false);
      lock.lock();
    }
  }
}

void PahoLink::Welcome(PahoClient* client) {
  {
    const std::lock_guard lock(mutex_);
    open_connection_ = true;
    ++stats_.connects;
    if (!refused_) stats_.last_error.clear();
  }
  if (!options_.persistent_session) applied_.clear();
  ApplySubscriptions(client, true);
  PublishStatus(client, options_.online_payload, kOnlineId);
  const std::lock_guard lock(mutex_);
  SettleState();
  if (!one_at_a_time_) open_ = client;
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
  std::vector<const MqttSubscription*> asked;
  for (const MqttSubscription& subscription : wanted) {
    const bool known = std::find(applied_.begin(), applied_.end(), subscription) != applied_.end();
    if (all || !known) asked.push_back(&subscription);
  }
  {
    const std::lock_guard lock(mutex_);
    ungranted_ += asked.size();
    // What is asked for again will be answered again, what nobody wants any more is no trouble.
    std::erase_if(stats_.denied, [&](const std::string& denied) {
      const auto same = [&denied](const MqttSubscription& s) { return s.filter == denied; };
      return all || std::none_of(wanted.begin(), wanted.end(), same) ||
             std::any_of(asked.begin(), asked.end(), [&](const auto* s) { return same(*s); });
    });
    SettleState();
  }
  for (const MqttSubscription* subscription : asked) NoteError(client->Subscribe(*subscription));
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
        seen.begin(), seen.end(), [](const Event& e) { return e.id > kGoodbyeId; }));
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
  open_connection_ = false;
  stats_.connected = false;
  if (stats_.state == LinkState::kConnected) stats_.state = LinkState::kConnecting;
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
  const bool alone = one_at_a_time_ && unacknowledged.size() == 1;
  tried_alone_ = alone;
  for (const auto& [id, done] : unacknowledged) {
    if (!done) continue;
    done(alone ? Delivery::kLostAlone : Delivery::kLost,
         alone ? "the broker ends the connection when it is published" : "");
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
    if (event.delivery == Delivery::kAcknowledged) {
      ++stats_.published;
      ++acknowledged_;
    }
    if (one_at_a_time_ && acknowledged_ >= kCleared) one_at_a_time_ = false;
    if (!settled_ && acknowledged_ >= kSettlesAfter) {
      settled_ = true;
      short_lives_ = 0;
    }
  }
  if (done) done(event.delivery, event.why);
}

void PahoLink::NoteError(const Status& status) {
  // That the connection was cut for a message that was not taken is the reason of what follows.
  if (status.ok() || refused_) return;
  const std::lock_guard lock(mutex_);
  stats_.last_error = status.ToString();
}

}  // namespace rivulet
