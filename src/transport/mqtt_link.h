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
  // Where the password is: read anew for each connection, so that a changed one is taken without a
  // restart. Empty: `password` is it. While the file cannot be read, the last one known serves.
  std::string password_file;
  std::optional<MqttTls> tls;
  std::optional<MqttWill> will;
  std::string online_payload;        // published retained on the will's topic after each connect
  Duration keep_alive = Duration::Seconds(30);
  Duration reconnect_min = Duration::Millis(500);  // doubles up to reconnect_max
  Duration reconnect_max = Duration::Seconds(30);
  uint32_t max_inflight = 100;       // unacknowledged publishes
  uint32_t max_packet = 0;           // MQTT 5: the broker is told to send none of more bytes; 0: any
  bool persistent_session = true;    // clean start off; MQTT 5: session expiry never
  // Where QoS 2 messages are kept between PUBREC and PUBREL (MQTT 3.1.1; MQTT 5 needs none);
  // empty: in memory (then QoS 2 is only as safe as the process). The directory must exist and
  // belong to this link alone.
  std::string persistence_directory;
  // Filters that an earlier process may have left subscribed in this persistent session; those not
  // wanted any more are unsubscribed at the first connect (a broker does not list them).
  std::vector<std::string> former_filters;
};

struct MqttMessage {
  std::string_view topic;
  std::string_view payload;
  int qos = 0;
  uint16_t packet_id = 0;  // 0 for QoS 0
  // May be a repetition of one with the same packet id, topic and payload: the DUP flag for QoS 1;
  // for QoS 2 any message of a resumed session (the library hides the flag).
  bool duplicate = false;
  // Was kept by the broker and sent because of a subscription. MQTT 3.1.1 sends it again after
  // each reconnect; with MQTT 5 the link asks for it once.
  bool retained = false;
  bool resumed = false;    // the broker had kept the session from before this connection
  uint64_t connection = 0; // which of the link's connections it came by: see MqttLinkStats
};

struct MqttSubscription {
  std::string filter;
  int qos = 1;
  // All retained messages are wanted, also those of a subscription that the broker's session knows.
  bool all_retained = false;
  // Another number than before has it made once more, though the session knows it.
  uint32_t renewal = 0;
  bool operator==(const MqttSubscription&) const = default;
};

// How a link is, or what the last trouble was.
enum class LinkState : uint8_t {
  kConnecting,          // nothing known yet
  kConnected,           // and every wanted subscription holds
  kPaused,              // as asked for
  kUnreachable,         // host, port, network
  kTls,                 // no TLS connection: certificates, names
  kRefused,             // by the broker, for another reason than those below
  kNotAuthorised,       // user, password, access list
  kSubscriptionRefused, // connected, but not given what it wants
  kTakenOver,           // another client has the same client id
  kLost,                // a connection ended
  kNotTaken,            // the node could not take a message: the broker keeps it
};
// "connected", "not authorised", ...: for people and for the status.
std::string_view LinkStateName(LinkState state);

struct MqttLinkStats {
  uint64_t connection = 0;         // number of the present connection, or of the last attempt at one
  bool connected = false;          // to a broker that has granted every wanted subscription
  LinkState state = LinkState::kConnecting;
  std::vector<std::string> denied; // filters of subscriptions that this broker does not grant
  std::string broker;              // the one connected to, or last tried
  // Of the present or, once connected, last trouble. `troubles` counts them: it tells apart what
  // comes and goes between two looks.
  LinkState trouble = LinkState::kConnecting;
  std::string reason;              // in words
  uint64_t troubles = 0;
  uint64_t connects = 0;
  uint64_t received = 0;           // accepted by the message handler
  uint64_t published = 0;          // acknowledged publishes
  std::string last_error;          // in words; empty again after a successful connect, or (a
                                   // message was not taken) when one is taken again
};

// A connection that keeps itself up: connects, resubscribes and retries for ever. Callbacks must
// be short. In simulation they run inside Step. All methods may be called from any thread, except
// that Stop and the destructor must not be called from a callback.
//
// A node uses two kinds of link: one per lane (persistent session, subscribes, publishes nothing
// but its status) and one for sinks (persistent_session = false, publishes). A sink's session is
// clean so that the broker, too, forgets what was half delivered when a connection ends: the
// caller's repetition is then the only one, and order is kept.
class MqttLink {
 public:
  virtual ~MqttLink() = default;  // disconnects at once, keeping the session

  // Called for each message BEFORE it is acknowledged, one at a time and in order, on the MQTT
  // library's receive thread, which all links share: it must not call a link, nor wait for a lock
  // that somebody holds while calling one. Returning an error leaves the message unacknowledged:
  // the link cuts the connection (with it every connection of the process to that broker port),
  // and the broker delivers again after the reconnect, which backs off while this goes on. A
  // QoS 0 message that is not accepted is lost.
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

  // Queues a publish; the bytes are copied. False when not connected or max_inflight (or what the
  // broker takes at a time, if that is less) is reached: try again later, in order; `done` is then
  // not called. After true `done` is called exactly once, on the link's own thread with no lock held
  // (it may Publish): kAcknowledged after PUBACK/PUBCOMP (QoS 0: after sending), in order. What was not
  // acknowledged when a connection ended is reported lost in the order of its Publish before the next
  // connection begins, and the link itself never sends it again: publish it again, in the same order,
  // with the same bytes. A QoS above the broker's highest is lowered to that; a broker that keeps no
  // retained messages is sent it as an ordinary one.
  struct Publication {
    std::string_view topic;
    std::string_view payload;
    int qos = 1;
    bool retain = false;
    std::string_view rivulet_id;  // MQTT 5 user property; ignored with 3.1.1
  };
  enum class Delivery : uint8_t {
    kAcknowledged,
    kLost,      // the connection ended before: publish it again
    // It was the only one under way, on a connection that had been quiet and well: it may be what the
    // broker ends connections for. The link comes to this by itself when connections keep ending.
    kLostAlone,
    kRefused,   // by the broker, or it is larger than the broker takes: it never will be taken
  };
  // `why` in words, for kRefused and kLostAlone.
  using DoneHandler = std::function<void(Delivery delivery, const std::string& why)>;
  virtual bool Publish(const Publication& publication, DoneHandler done) = 0;

  virtual MqttLinkStats Stats() const = 0;

  // What stood in the way may have changed (a password): a link that waits tries at once.
  virtual void Retry() {}

  // Publishes the will as a clean goodbye, waits for what is in flight, disconnects: within about
  // `timeout`. Everything unacknowledged is reported first; no callback after it returns. Zero:
  // without goodbye. The link cannot be started again.
  virtual void Stop(Duration timeout) = 0;
};

Result<std::unique_ptr<MqttLink>> NewPahoMqttLink(const MqttOptions& options);

}  // namespace rivulet
