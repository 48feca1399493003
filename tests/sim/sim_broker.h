// SimBroker: an MQTT broker in memory, for simulation. No threads, no clock, no sockets:
// everything moves when Step is called, and what could go either way the given Random decides.
//
// It models what matters to whoever must not lose or repeat anything:
//   - persistent sessions that queue QoS 1 and 2 messages, packet ids, an in-flight window of 20;
//   - acknowledgements under way: a connection that drops loses them, and the broker sends those
//     messages again, in order, with DUP and the same packet id;
//   - publishes under way: when the connection drops some of them have reached the broker and some
//     have not, and the client cannot tell;
//   - wills, retained messages, session take-over by a second link with the same client id,
//     broker restarts with and without the sessions.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "transport/mqtt_link.h"

namespace rivulet::testing {

struct SimBrokerFaults {
  double drop = 0.0;  // chance per connected link and Step that its connection drops
};

class SimBroker {
 public:
  // One publish as the broker took it; repetitions by a client are entries of their own.
  struct Published {
    std::string client_id;  // "" for Inject
    std::string topic;
    std::string payload;
    int qos = 0;
    bool retain = false;
    std::string rivulet_id;
  };

  // `random` must outlive the broker and its links.
  explicit SimBroker(Random* random);
  // Links may live longer; they are never connected again.
  ~SimBroker();
  SimBroker(const SimBroker&) = delete;
  SimBroker& operator=(const SimBroker&) = delete;

  // Any number of clients; `brokers` of the options is not looked at.
  std::unique_ptr<MqttLink> NewLink(const MqttOptions& options);

  // Moves everything on by a random bit: connects, deliveries, acknowledgements, publishes. All
  // callbacks of links run in here, in Stop, or in a link's destructor.
  void Step();
  // Steps until Idle, at most `limit` times; whether it got there.
  bool StepUntilIdle(int limit = 100000);
  // Nothing queued for a connected client, nothing under way, every wanted link connected.
  bool Idle() const;

  // Publishes from outside.
  void Inject(std::string_view topic, std::string_view payload, int qos = 1, bool retain = false);

  // A message that several subscriptions of a session match comes once for each, as MQTT 5 allows.
  void SendCopyPerSubscription();
  void SetFaults(const SimBrokerFaults& faults);
  // The network drops the client's connection; it reconnects in a later Step.
  void Disconnect(const std::string& client_id);
  // Death of the client: its link never calls back again and never reconnects; the will is sent.
  // The object stays valid, for its owner to destroy. A new link may take the client id.
  void DropLink(const std::string& client_id);
  // Broker down: all connections drop and none comes up until it is up again.
  void SetUp(bool up);
  // Down and up. Without `keep_sessions` it has forgotten sessions and retained messages.
  void Restart(bool keep_sessions = true);

  // Everything published by clients, in the broker's order; and what was injected is not in it.
  const std::vector<Published>& published() const;
  std::vector<Published> PublishedOn(std::string_view topic) const;
  // The retained payload of a topic, "" when there is none.
  std::string Retained(std::string_view topic) const;
  // Messages waiting or unacknowledged in a session.
  size_t Backlog(const std::string& client_id) const;
  // Deliveries to clients that were marked as repetitions (DUP).
  uint64_t redeliveries() const;

 private:
  class Core;
  class Link;
  std::shared_ptr<Core> core_;
};

}  // namespace rivulet::testing
