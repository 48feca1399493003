// What the broker announces to an MQTT 5 client, and what mosquitto tells of itself.
#include <algorithm>

#include "base/units.h"
#include "node/doctor/broker_topics.h"
#include "node/doctor/checks.h"

namespace rivulet {
namespace {

constexpr uint32_t kSmallPacket = 64 << 10;
constexpr uint32_t kDay = 24 * 3600;

void CheckQos(const Subject& subject, uint32_t most, Findings* findings) {
  int wanted = subject.node->mqtt_qos;
  for (const OutputTopic& output : OutputTopics(subject)) wanted = std::max(wanted, output.qos);
  if (static_cast<int>(most) >= wanted) return;
  findings->Fail("the broker offers QoS " + std::to_string(most) + " at most",
                 "QoS " + std::to_string(wanted) + ", which the node file and the sinks ask for",
                 "another broker, or 'qos: " + std::to_string(most) +
                     "' with what that loses (see the documents on exactly once)");
}

void CheckAnnounced(const Subject& subject, const MqttProbeReport& limits, Findings* findings) {
  const NodeSpec& node = *subject.node;
  if (limits.maximum_qos) CheckQos(subject, *limits.maximum_qos, findings);
  const auto outputs = OutputTopics(subject);
  const bool retains = node.mqtt.will.has_value() ||
                       std::any_of(outputs.begin(), outputs.end(),
                                   [](const OutputTopic& output) { return output.retain; });
  if (retains && limits.retain_available == false) {
    findings->Fail("the broker keeps no retained messages", "one that does",
                   "'retain_available true' in mosquitto, or 'mqtt.status_topic: false' and sinks "
                   "without 'retain'");
  }
  if (limits.receive_maximum && *limits.receive_maximum < node.mqtt.max_inflight) {
    findings->Warn("the broker takes " + std::to_string(*limits.receive_maximum) +
                       " unacknowledged publishes at a time",
                   "'mqtt.max_inflight', " + std::to_string(node.mqtt.max_inflight),
                   "'max_inflight_messages' of mosquitto, or a smaller 'mqtt.max_inflight'; results "
                   "go out more slowly until then");
  }
  if (limits.maximum_packet_size && *limits.maximum_packet_size < kSmallPacket) {
    findings->Warn("the broker takes packets up to " + FormatSize(*limits.maximum_packet_size),
                   FormatSize(kSmallPacket) + " or more",
                   "'max_packet_size' of mosquitto: longer messages are refused");
  }
  if (limits.session_expiry_s && *limits.session_expiry_s < kDay) {
    findings->Warn("the broker forgets a session after " +
                       FormatDuration(Duration::Seconds(*limits.session_expiry_s)),
                   "a day or more: a node that is away for longer loses messages",
                   "'persistent_client_expiration' of mosquitto");
  }
}

// Returns what is good, in words.
std::string CheckDropped(const MqttProbeReport& session, Findings* findings) {
  const auto dropped = session.values.find(kDroppedTopic);
  if (dropped == session.values.end()) return "; it does not tell whether it dropped messages";
  const int64_t count = LeadingNumberOf(dropped->second).value_or(0);
  if (count <= 0) return "; it has dropped no messages";
  findings->Warn("the broker has dropped " + std::to_string(count) + " messages since its start",
                 "none",
                 "raise 'max_queued_messages' and 'max_queued_bytes' (the check 'mosquitto' tells "
                 "more); what is lost was of clients that were away or slow, perhaps this node");
  return "";
}

}  // namespace

void CheckBrokerLimits(Subject* subject, Findings* findings) {
  const BrokerVisit* visit = Welcoming(subject);
  if (visit == nullptr) {
    findings->Skip("no broker lets the node in");
    return;
  }
  const std::string dropped = CheckDropped(visit->session, findings);
  const auto version = visit->session.values.find(kVersionTopic);
  const std::string who = version == visit->session.values.end() ? visit->uri : version->second;
  const bool five = visit->version5->connected;
  if (five) CheckAnnounced(*subject, *visit->version5, findings);
  if (!findings->clean()) return;
  if (five) {
    const auto& most = visit->version5->receive_maximum;
    findings->Ok(who + ": takes " + std::to_string(most.value_or(65535)) +
                 " publishes at a time" + dropped);
  } else {
    findings->Skip(who + " does not let one in with MQTT 5, in which brokers announce their limits (" +
                   visit->version5->error + ")" + dropped);
  }
}

}  // namespace rivulet
