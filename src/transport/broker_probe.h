// Finding out why a broker cannot be used, step by step, and what it allows. For people who look for a
// fault: blocking, bounded by timeouts, and without touching the session of the node.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/types.h"
#include "transport/mqtt_link.h"
#include "transport/paho_client.h"

namespace rivulet {

// How far one gets towards a broker.
struct BrokerReach {
  enum class Step : uint8_t { kResolve, kConnect, kTls, kReached };
  Step stopped_at = Step::kResolve;  // the step that failed
  std::string error;                 // why, in words
  bool refused = false;              // of kConnect: somebody answered, and nothing listens there
  std::string address;               // "192.168.1.7:1883", tried last
  // Of TLS, where the broker showed a certificate: also when it was not accepted.
  std::string certificate;           // whose it is
  std::optional<EventTime> valid_until;
};

// Resolves, connects and makes the TLS handshake as the node would, and hangs up. `timeout` is for each
// address and step; name resolution has the system's.
BrokerReach ReachBroker(const BrokerAddress& address, const std::optional<MqttTls>& tls,
                        Duration timeout);

// Until when the first certificate in a PEM file is valid. Errors: kFileNotReadable (also when it holds
// none).
Result<EventTime> CertificateEnd(const std::string& path);

struct MqttProbe {
  std::string broker;
  // The client id must be one that no other client has. The session is a clean one.
  MqttOptions options;
  std::vector<MqttSubscription> subscriptions;  // each is made and ended again
  std::vector<std::string> values;              // topics whose retained values are wanted
  // Empty messages to send, each waited for. MQTT 5 only: older brokers drop without a word what they
  // do not allow.
  std::vector<MqttLink::Publication> publications;
  // MQTT 5 without subscriptions: ask for a session that stays a day, to see what the broker grants; it
  // is ended with the connection.
  bool ask_for_session = false;
  Duration timeout = Duration::Seconds(5);      // for each answer
};

struct MqttProbeReport {
  bool connected = false;
  int refusal = 0;            // the CONNACK code; 0: no answer
  std::string error;          // why it is not connected
  struct Answer {
    std::string topic;
    bool granted = false;
    int qos = 0;              // granted
    std::string error;
  };
  std::vector<Answer> subscriptions, publications;  // in the order asked
  std::map<std::string, std::string> values;        // those that came

  // MQTT 5: what the broker announced; nothing: no limit.
  std::optional<uint32_t> receive_maximum;
  std::optional<uint32_t> maximum_qos;
  std::optional<uint32_t> maximum_packet_size;
  std::optional<uint32_t> session_expiry_s;         // when it differs from what was asked for
  std::optional<bool> retain_available;
};

// One connection; messages that arrive meanwhile are dropped.
MqttProbeReport ProbeBroker(const MqttProbe& probe);

}  // namespace rivulet
