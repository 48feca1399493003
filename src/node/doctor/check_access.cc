// What the broker lets the node read and write.
#include "node/doctor/checks.h"
#include "node/doctor/mosquitto_acl.h"
#include "node/doctor/mosquitto_config.h"

namespace rivulet {
namespace {

constexpr char kRightsAdvice[] = "have the broker's access list allow it, or correct the topic";

void CheckAnswers(const Subject& subject, const BrokerVisit& visit, Findings* findings) {
  for (const MqttProbeReport::Answer& answer : visit.session.subscriptions) {
    if (!answer.granted) {
      findings->Fail("the broker refuses the subscription to '" + answer.topic + "': " + answer.error,
                     "to be allowed to read what the pipelines read", kRightsAdvice);
    } else if (answer.qos < subject.node->mqtt_qos) {
      findings->Warn("the broker grants QoS " + std::to_string(answer.qos) + " for '" + answer.topic +
                         "'",
                     "QoS " + std::to_string(subject.node->mqtt_qos),
                     "raise the broker's limit, or messages are lost when the connection breaks");
    }
  }
  if (!visit.version5) return;
  for (const MqttProbeReport::Answer& answer : visit.version5->publications) {
    if (answer.granted) continue;
    findings->Fail("the broker refuses a message to '" + answer.topic + "': " + answer.error,
                   "to be allowed to write where the sinks do", kRightsAdvice);
  }
}

// Fields of a topic stand for any level.
std::string FilterOf(const std::string& topic) {
  std::string filter;
  size_t at = 0;
  while (at <= topic.size()) {
    const size_t end = std::min(topic.find('/', at), topic.size());
    const std::string level = topic.substr(at, end - at);
    filter += (at == 0 ? "" : "/") + (level.find('{') == std::string::npos ? level : "+");
    at = end + 1;
  }
  return filter;
}

void JudgeRight(MosquittoAcl::Right right, const std::string& file, const std::string& user,
                const std::string& verb, const std::string& topic, Findings* findings) {
  if (right == MosquittoAcl::Right::kWhole) return;
  const std::string who = user.empty() ? "a client without a name" : "user '" + user + "'";
  const std::string advice = "in " + file + ": " + (user.empty() ? "" : "'user " + user + "', ") +
                             "'topic " + (verb == "read" ? "read " : "write ") + topic +
                             "', then 'systemctl reload mosquitto'";
  if (right == MosquittoAcl::Right::kNone) {
    findings->Fail(file + " does not let " + who + " " + verb + " '" + topic +
                       "': mosquitto drops such messages without a word",
                   "to be allowed to " + verb + " it", advice);
  } else {
    findings->Warn(file + " lets " + who + " " + verb + " only part of '" + topic +
                       "': the rest is dropped without a word",
                   "to be allowed to " + verb + " all of it", advice);
  }
}

// The list of a mosquitto on this machine. Returns its path; empty when there is none to read.
std::string CheckList(const Subject& subject, const BrokerVisit& visit, Findings* findings) {
  const auto config = FindMosquitto(*subject.host, visit);
  const std::string* file = config ? config->FindOf(visit.address.port, "acl_file") : nullptr;
  if (file == nullptr) return {};
  const Result<std::string> text = subject.host->Read(*file);
  if (!text.ok()) {
    findings->Skip("mosquitto's " + text.status().message() +
                   "; run 'sudo rivulet doctor' to have it looked at");
    return {};
  }
  const MosquittoAcl acl(*text);
  const MqttOptions& mqtt = subject.node->mqtt;
  for (const std::string& filter : InputFilters(subject)) {
    JudgeRight(acl.Reads(mqtt.user, mqtt.client_id, filter), *file, mqtt.user, "read", filter,
               findings);
  }
  std::vector<OutputTopic> outputs = OutputTopics(subject);
  if (mqtt.will) outputs.push_back({mqtt.will->topic, 1, true});
  for (const OutputTopic& output : outputs) {
    const std::string filter = FilterOf(output.topic);
    JudgeRight(acl.Writes(mqtt.user, mqtt.client_id + "-out", filter), *file, mqtt.user, "write",
               filter, findings);
  }
  return *file;
}

std::string Published(const Subject& subject, const BrokerVisit& visit) {
  if (!subject.try_publish) return "publishing was not tried (--publish)";
  if (!visit.version5 || !visit.version5->connected) {
    return "publishing was not tried: the broker does not speak MQTT 5, and others do not say";
  }
  return std::to_string(visit.version5->publications.size()) + " output topics can be written";
}

}  // namespace

void CheckAccess(Subject* subject, Findings* findings) {
  const BrokerVisit* visit = Welcoming(subject);
  if (visit == nullptr) {
    findings->Skip("no broker lets the node in");
    return;
  }
  CheckAnswers(*subject, *visit, findings);
  const std::string list = CheckList(*subject, *visit, findings);
  if (!findings->clean()) return;
  findings->Ok(std::to_string(visit->session.subscriptions.size()) +
               " topic filters can be subscribed to" + (list.empty() ? "" : ", as " + list + " says too") +
               "; " + Published(*subject, *visit));
}

}  // namespace rivulet
