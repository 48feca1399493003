// MqttLink: the seam for a broker. Production is Paho MQTT C++; the simulation has its own broker.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/types.h"

namespace rivulet {

struct MqttTls {
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  bool verify_hostname = true;
};

struct MqttWill {
  std::string topic;
  std::string payload;
  int qos = 1;
  bool retain = true;
};

struct MqttOptions {
  std::vector<std::string> brokers;  // "tcp://host:1883", "ssl://host:8883"; tried in order
  std::string client_id;             // fixed: the persistent session hangs on it
  int version = 4;                   // 4 is MQTT 3.1.1, 5 is MQTT 5
  std::string user;
  std::string password;
  std::optional<MqttTls> tls;
  std::optional<MqttWill> will;
  std::string online_payload;        // published retained on the will's topic after each connect
  Duration keep_alive = Duration::Seconds(30);
  Duration reconnect_min = Duration::Millis(500);  // doubles up to reconnect_max
  Duration reconnect_max = Duration::Seconds(30);
  uint32_t max_inflight = 100;       // unacknowledged publishes
  bool persistent_session = true;    // clean start off; MQTT 5: session expiry never
  // Where in-flight QoS 2 messages are kept; empty: in memory (then QoS 2 is only as safe as the
  // process). The directory must exist.
  std::string persistence_directory;
};

struct MqttMessage {
  std::string_view topic;
  std::string_view payload;
  int qos = 0;
  uint16_t packet_id = 0;  // 0 for QoS 0
  bool duplicate = false;  // DUP flag
  bool retained = false;
};

struct MqttSubscription {
  std::string filter;
  int qos = 1;
  bool operator==(const MqttSubscription&) const = default;
};

struct MqttLinkStats {
  bool connected = false;
  std::string broker;              // the one connected to
  uint64_t connects = 0;
  uint64_t received = 0;
  uint64_t published = 0;          // acknowledged publishes
  std::string last_error;
};

// A connection that keeps itself up: connects, resubscribes and retries for ever. Callbacks run on
// the link's own thread (in simulation: inside Step) and must be short.
class MqttLink {
 public:
  virtual ~MqttLink() = default;  // disconnects at once, keeping the session

  // Called for each message BEFORE it is acknowledged. Returning an error leaves the message
  // unacknowledged: the link drops the connection so that the broker redelivers later.
  using MessageHandler = std::function<Status(const MqttMessage&)>;
  // Must be set before Start.
  virtual void OnMessage(MessageHandler handler) = 0;

  // Begins connecting; returns at once.
  virtual Status Start() = 0;

  // The wanted subscriptions: applied now if connected, and after every reconnect. Filters no
  // longer listed are unsubscribed.
  virtual void Subscribe(std::vector<MqttSubscription> subscriptions) = 0;

  // Back-pressure: while paused, disconnects and stays so; the broker keeps the session's messages.
  virtual void Pause(bool paused) = 0;

  // Queues a publish. False when not connected or max_inflight is reached: try again later, in
  // order. `done(ok)` is called once, on the link's thread: true after PUBACK/PUBCOMP (QoS 0: after
  // sending), false when the connection was lost before; publish it again, with the same bytes.
  struct Publication {
    std::string_view topic;
    std::string_view payload;
    int qos = 1;
    bool retain = false;
    std::string_view rivulet_id;  // MQTT 5 user property; ignored with 3.1.1
  };
  using DoneHandler = std::function<void(bool ok)>;
  virtual bool Publish(const Publication& publication, DoneHandler done) = 0;

  virtual MqttLinkStats Stats() const = 0;

  // Publishes the will as a clean goodbye and disconnects within `timeout`.
  virtual void Stop(Duration timeout) = 0;
};

Result<std::unique_ptr<MqttLink>> NewPahoMqttLink(const MqttOptions& options);

}  // namespace rivulet
