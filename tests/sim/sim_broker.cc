#include "tests/sim/sim_broker.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "transport/topic.h"

namespace rivulet::testing {
namespace {

constexpr size_t kInflightWindow = 20;  // mosquitto's default
constexpr uint64_t kMaxMovesAStep = 8;

}  // namespace

// What broker and links share; lives until the last of them is gone.
class SimBroker::Core {
 public:
  struct Outgoing {  // from the broker to a client
    std::string topic;
    std::string payload;
    int qos = 0;
    bool retained = false;
    uint16_t packet_id = 0;
    bool sent = false;       // handed to the client on the present connection
    bool duplicate = false;  // handed to it on an earlier one
  };

  struct Subscription {
    int qos = 0;
    TopicPattern pattern;  // one that matches nothing when the filter is not valid
  };

  struct Session {
    std::map<std::string, Subscription> subscriptions;  // by filter
    std::deque<Outgoing> queue;
    std::deque<Outgoing> inflight;  // unacknowledged, in order
    uint16_t last_packet_id = 0;

    uint16_t NextPacketId() {
      do {
        ++last_packet_id;
      } while (last_packet_id == 0 ||
               std::any_of(inflight.begin(), inflight.end(), [this](const Outgoing& m) {
                 return m.packet_id == last_packet_id;
               }));
      return last_packet_id;
    }
  };

  explicit Core(Random* r) : random(r) {}

  void Step();
  bool Idle() const;
  void Connect(Link* link);
  void Deliver(Link* link);
  void Offer(Link* link, Outgoing* message, bool* keep_going);
  void TakePublishes(Link* link);
  void Route(const Published& message);
  void Subscribe(Link* link, const std::vector<MqttSubscription>& wanted);
  void Drop(Link* link, bool send_will);
  Link* Find(const std::string& client_id) const;
  size_t Some(size_t available) {  // 0..available, small
    return static_cast<size_t>(random->Below(std::min<uint64_t>(available, kMaxMovesAStep) + 1));
  }

  Random* random;
  bool up = true;
  bool gone = false;
  bool copy_per_subscription = false;
  SimBrokerFaults faults;
  std::vector<Link*> links;  // in the order of creation
  std::map<std::string, Session> sessions;
  std::map<std::string, Published> retained;
  std::vector<Published> published;
  uint64_t redeliveries = 0;
  std::vector<std::string_view> captures;  // for Match, which always wants somewhere to put them
};

class SimBroker::Link final : public MqttLink {
 public:
  Link(std::shared_ptr<Core> core, MqttOptions link_options)
      : core_(std::move(core)), options(std::move(link_options)) {
    core_->links.push_back(this);
  }
  ~Link() override {
    Stop(Duration{0});
    std::erase(core_->links, this);
  }

  void OnMessage(MessageHandler h) override { handler = std::move(h); }
  Status Start() override {
    started = true;
    return Status::Ok();
  }
  void Subscribe(std::vector<MqttSubscription> subscriptions) override {
    wanted = std::move(subscriptions);
    wanted_changed = true;
  }
  void Pause(bool on) override {
    paused = on;
    if (paused && stats.connected) core_->Drop(this, false);
  }
  bool Publish(const Publication& p, DoneHandler done) override {
    if (!stats.connected || outbox.size() + answers.size() >= options.max_inflight) return false;
    outbox.push_back({{options.client_id, std::string(p.topic), std::string(p.payload), p.qos,
                       p.retain, std::string(p.rivulet_id)},
                      std::move(done)});
    return true;
  }
  MqttLinkStats Stats() const override { return stats; }
  void Stop(Duration timeout) override {
    if (dead) return;
    if (stats.connected) {
      if (timeout.us > 0) SayGoodbye();
      core_->Drop(this, false);
    }
    dead = true;
    FailAll();
  }

  void SayGoodbye() {
    for (const Pending& p : outbox) {
      core_->published.push_back(p.message);
      core_->Route(p.message);
    }
    std::deque<Pending> all;
    all.swap(answers);
    for (Pending& p : outbox) all.push_back(std::move(p));
    outbox.clear();
    for (Pending& p : all) Answer(&p, true);
    if (options.will) PublishOwn(options.will->payload);
  }
  void PublishOwn(const std::string& payload) {
    if (!options.will || payload.empty()) return;
    const Published message{options.client_id, options.will->topic, payload, options.will->qos,
                            true, ""};
    core_->published.push_back(message);
    core_->Route(message);
  }
  // Reports what the lost connection left unanswered, in order.
  void FailAll() {
    std::deque<Pending> all;
    all.swap(failed);
    for (Pending& p : all) Answer(&p, false);
  }

  struct Pending {
    Published message;
    DoneHandler done;
  };
  void Answer(Pending* p, bool ok) {
    if (ok) ++stats.published;
    if (p->done) p->done(ok ? Delivery::kAcknowledged : Delivery::kLost, "");
  }

  std::shared_ptr<Core> core_;
  const MqttOptions options;
  MessageHandler handler;
  std::vector<MqttSubscription> wanted;
  std::vector<std::string> former = options.former_filters;
  MqttLinkStats stats;
  bool wanted_changed = false;
  bool started = false;
  bool paused = false;
  bool dead = false;
  bool session_present = false;
  std::deque<Pending> outbox;    // on the way to the broker
  std::deque<Pending> answers;   // taken by it, the acknowledgement on the way back
  std::deque<Pending> failed;    // lost with a connection, to be reported
  std::deque<uint16_t> acks;     // acknowledgements on the way to the broker
};

void SimBroker::Core::Step() {
  const std::vector<Link*> present = links;  // callbacks may make and destroy links
  for (Link* const link : present) {
    const auto alive = [this, link] {
      return std::find(links.begin(), links.end(), link) != links.end() && !link->dead;
    };
    if (!alive() || !link->started) continue;
    link->FailAll();
    if (!alive() || link->paused || !up || gone) continue;
    if (!link->stats.connected) {
      if (random->Chance(0.5)) Connect(link);
      continue;
    }
    if (link->wanted_changed) Subscribe(link, link->wanted);
    if (faults.drop > 0 && random->Chance(faults.drop)) {
      Drop(link, true);
      continue;
    }
    Deliver(link);
    if (alive() && link->stats.connected) TakePublishes(link);
  }
}

bool SimBroker::Core::Idle() const {
  return std::all_of(links.begin(), links.end(), [this](const Link* link) {
    if (link->dead || !link->started) return true;
    if (!link->failed.empty()) return false;
    if (link->paused || !up) return true;
    if (!link->stats.connected || link->wanted_changed) return false;
    const Session& session = sessions.at(link->options.client_id);
    return session.queue.empty() && session.inflight.empty() && link->acks.empty() &&
           link->outbox.empty() && link->answers.empty();
  });
}

SimBroker::Link* SimBroker::Core::Find(const std::string& client_id) const {
  Link* found = nullptr;
  for (Link* const link : links) {
    if (link->dead || link->options.client_id != client_id) continue;
    if (found == nullptr || link->stats.connected) found = link;
  }
  return found;
}

void SimBroker::Core::Connect(Link* link) {
  const std::string& id = link->options.client_id;
  for (Link* const other : links) {
    if (other != link && other->stats.connected && other->options.client_id == id) {
      Drop(other, true);
      other->stats.last_error = "session taken over: another client connected with the same id";
    }
  }
  if (!link->options.persistent_session) sessions.erase(id);
  link->session_present = sessions.contains(id);
  Session& session = sessions[id];
  for (Outgoing& m : session.inflight) {
    m.duplicate = m.duplicate || m.sent;
    m.sent = false;
  }
  link->stats.connected = true;
  link->stats.state = LinkState::kConnected;
  link->stats.broker = "sim";
  link->stats.last_error.clear();
  ++link->stats.connects;
  ++link->stats.connection;
  link->acks.clear();
  Subscribe(link, link->wanted);
  link->PublishOwn(link->options.online_payload);
}

void SimBroker::Core::Subscribe(Link* link, const std::vector<MqttSubscription>& wanted) {
  Session& session = sessions[link->options.client_id];
  for (const std::string& filter : link->former) {
    if (std::none_of(wanted.begin(), wanted.end(),
                     [&filter](const MqttSubscription& s) { return s.filter == filter; })) {
      session.subscriptions.erase(filter);
    }
  }
  link->former.clear();
  for (const MqttSubscription& s : wanted) {
    const bool is_new = !session.subscriptions.contains(s.filter);
    auto pattern = TopicPattern::Parse(s.filter);
    Subscription& subscription = session.subscriptions[s.filter];
    subscription = {s.qos, pattern.ok() ? std::move(pattern).value() : TopicPattern()};
    link->former.push_back(s.filter);
    for (const auto& [topic, message] : retained) {
      // MQTT 3.1.1 sends retained messages at every subscribe, the link with MQTT 5 asks for one.
      if (!is_new && link->options.version >= 5 && !s.all_retained) continue;
      if (!subscription.pattern.Match(topic, &captures)) continue;
      session.queue.push_back({topic, message.payload, std::min(message.qos, s.qos), true});
    }
  }
  link->wanted_changed = false;
}

// Offers one message to the client. `*keep_going` turns false when the connection is gone.
void SimBroker::Core::Offer(Link* link, Outgoing* message, bool* keep_going) {
  const Outgoing copy = *message;  // the handler may publish, which moves queues
  message->sent = true;
  MqttMessage m;
  m.topic = copy.topic;
  m.payload = copy.payload;
  m.qos = copy.qos;
  m.packet_id = copy.packet_id;
  m.duplicate = copy.qos == 2 ? link->session_present : copy.duplicate;
  m.retained = copy.retained;
  m.resumed = link->session_present;
  m.connection = link->stats.connection;
  if (copy.duplicate) ++redeliveries;
  const Status status = link->handler ? link->handler(m) : Status::Ok();
  *keep_going = link->stats.connected && !link->dead;
  if (!*keep_going) return;
  if (!status.ok()) {
    link->stats.last_error = status.ToString();
    Drop(link, true);
    *keep_going = false;
    return;
  }
  ++link->stats.received;
  if (copy.qos > 0) link->acks.push_back(copy.packet_id);
}

void SimBroker::Core::Deliver(Link* link) {
  Session& session = sessions[link->options.client_id];
  for (size_t n = Some(link->acks.size()); n > 0; --n) {
    const uint16_t id = link->acks.front();
    link->acks.pop_front();
    std::erase_if(session.inflight, [id](const Outgoing& m) { return m.packet_id == id; });
  }
  bool keep_going = true;
  for (size_t n = Some(kMaxMovesAStep); n > 0 && keep_going; --n) {
    const auto again = std::find_if(session.inflight.begin(), session.inflight.end(),
                                    [](const Outgoing& m) { return !m.sent; });
    if (again != session.inflight.end()) {
      Offer(link, &*again, &keep_going);
      continue;
    }
    if (session.queue.empty()) break;
    if (session.queue.front().qos > 0 && session.inflight.size() >= kInflightWindow) break;
    Outgoing next = std::move(session.queue.front());
    session.queue.pop_front();
    if (next.qos == 0) {
      Offer(link, &next, &keep_going);
    } else {
      next.packet_id = session.NextPacketId();
      Offer(link, &session.inflight.emplace_back(std::move(next)), &keep_going);
    }
  }
}

void SimBroker::Core::TakePublishes(Link* link) {
  for (size_t n = Some(link->answers.size()); n > 0 && !link->answers.empty(); --n) {
    Link::Pending answered = std::move(link->answers.front());
    link->answers.pop_front();
    link->Answer(&answered, true);
  }
  for (size_t n = Some(link->outbox.size()); n > 0 && !link->outbox.empty(); --n) {
    Link::Pending taken = std::move(link->outbox.front());
    link->outbox.pop_front();
    published.push_back(taken.message);
    Route(taken.message);
    link->answers.push_back(std::move(taken));
  }
}

void SimBroker::Core::Route(const Published& message) {
  if (message.retain) {
    if (message.payload.empty()) {
      retained.erase(message.topic);
    } else {
      retained[message.topic] = message;
    }
  }
  for (auto& [client_id, session] : sessions) {
    int qos = -1;
    for (const auto& [filter, granted] : session.subscriptions) {
      if (!granted.pattern.Match(message.topic, &captures)) continue;
      qos = std::max(qos, std::min(granted.qos, message.qos));
    }
    if (qos < 0) continue;
    const Link* const link = Find(client_id);
    const bool connected = link != nullptr && link->stats.connected;
    if (qos == 0 && !connected) continue;
    // Once for all subscriptions that match, or once for each.
    const auto copies = std::count_if(
        session.subscriptions.begin(), session.subscriptions.end(), [&](const auto& s) {
          return s.second.pattern.Match(message.topic, &captures);
        });
    for (auto n = copy_per_subscription ? copies : 1; n > 0; --n) {
      session.queue.push_back({message.topic, message.payload, qos});
    }
  }
}

// Ends a connection. What was on its way to the broker arrives in part.
void SimBroker::Core::Drop(Link* link, bool send_will) {
  const size_t arrived = Some(link->outbox.size());
  for (size_t i = 0; i < arrived; ++i) {
    published.push_back(link->outbox[i].message);
    Route(link->outbox[i].message);
  }
  for (auto* const queue : {&link->answers, &link->outbox}) {
    for (Link::Pending& p : *queue) link->failed.push_back(std::move(p));
    queue->clear();
  }
  link->stats.connected = false;
  link->stats.state = link->stats.trouble = LinkState::kLost;
  ++link->stats.troubles;
  link->acks.clear();
  const auto session = sessions.find(link->options.client_id);
  if (session != sessions.end()) {
    std::erase_if(session->second.queue, [](const Outgoing& m) { return m.qos == 0; });
    if (!link->options.persistent_session) sessions.erase(session);
  }
  if (send_will && link->options.will) {
    const MqttWill& will = *link->options.will;
    const Published message{link->options.client_id, will.topic, will.payload, will.qos,
                            will.retain, ""};
    published.push_back(message);
    Route(message);
  }
}

// --- SimBroker ---

SimBroker::SimBroker(Random* random) : core_(std::make_shared<Core>(random)) {}

SimBroker::~SimBroker() {
  SetUp(false);
  core_->gone = true;
}

std::unique_ptr<MqttLink> SimBroker::NewLink(const MqttOptions& options) {
  return std::make_unique<Link>(core_, options);
}

void SimBroker::Step() { core_->Step(); }

bool SimBroker::StepUntilIdle(int limit) {
  for (int i = 0; i < limit; ++i) {
    if (Idle()) return true;
    Step();
  }
  return Idle();
}

bool SimBroker::Idle() const { return core_->Idle(); }

void SimBroker::Inject(std::string_view topic, std::string_view payload, int qos, bool retain) {
  core_->Route({"", std::string(topic), std::string(payload), qos, retain, ""});
}

void SimBroker::SendCopyPerSubscription() { core_->copy_per_subscription = true; }

void SimBroker::SetFaults(const SimBrokerFaults& faults) { core_->faults = faults; }

void SimBroker::Disconnect(const std::string& client_id) {
  Link* const link = core_->Find(client_id);
  if (link != nullptr && link->stats.connected) core_->Drop(link, true);
}

void SimBroker::DropLink(const std::string& client_id) {
  Link* const link = core_->Find(client_id);
  if (link == nullptr) return;
  if (link->stats.connected) core_->Drop(link, true);
  link->dead = true;
  link->failed.clear();
}

void SimBroker::SetUp(bool up) {
  if (core_->up && !up) {
    for (Link* const link : core_->links) {
      if (link->stats.connected) core_->Drop(link, false);
    }
  }
  core_->up = up;
}

void SimBroker::Restart(bool keep_sessions) {
  SetUp(false);
  if (!keep_sessions) {
    core_->sessions.clear();
    core_->retained.clear();
  }
  SetUp(true);
}

const std::vector<SimBroker::Published>& SimBroker::published() const { return core_->published; }

std::vector<SimBroker::Published> SimBroker::PublishedOn(std::string_view topic) const {
  std::vector<Published> found;
  for (const Published& p : core_->published) {
    if (p.topic == topic) found.push_back(p);
  }
  return found;
}

std::string SimBroker::Retained(std::string_view topic) const {
  const auto found = core_->retained.find(std::string(topic));
  return found == core_->retained.end() ? std::string() : found->second.payload;
}

size_t SimBroker::Backlog(const std::string& client_id) const {
  const auto found = core_->sessions.find(client_id);
  if (found == core_->sessions.end()) return 0;
  return found->second.queue.size() + found->second.inflight.size();
}

uint64_t SimBroker::redeliveries() const { return core_->redeliveries; }

}  // namespace rivulet::testing
