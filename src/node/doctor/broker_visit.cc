// Asking the brokers, once for all checks that are about them.
#include <algorithm>

#include "node/doctor/broker_topics.h"
#include "node/doctor/subject.h"
#include "transport/topic.h"

namespace rivulet {
namespace {

// A topic that an output with these fields could have.
std::string SampleTopic(const std::string& pattern) {
  const Result<TopicTemplate> parsed = TopicTemplate::Parse(pattern);
  if (!parsed.ok()) return {};
  std::string topic;
  for (const TopicTemplate::Part& part : parsed->parts()) {
    topic += part.is_field ? "rivulet-doctor" : part.text;
  }
  return topic;
}

std::vector<std::string> SampleTopics(const Subject& subject) {
  std::vector<std::string> topics;
  for (const OutputTopic& output : OutputTopics(subject)) {
    const std::string topic = SampleTopic(output.topic);
    if (!topic.empty()) topics.push_back(topic);
  }
  return topics;
}

MqttProbe ProbeOf(const NodeSpec& node, const std::string& uri) {
  MqttProbe probe;
  probe.broker = uri;
  probe.options = node.mqtt;
  // A session of its own: that of the node, and whoever is connected with it, are left alone.
  probe.options.client_id += "-doctor";
  probe.options.persistent_session = false;
  probe.options.will.reset();
  return probe;
}

void AskSession(const Subject& subject, bool all, BrokerVisit* visit) {
  MqttProbe probe = ProbeOf(*subject.node, visit->uri);
  if (all) {
    for (const std::string& filter : InputFilters(subject)) {
      probe.subscriptions.push_back({filter, subject.node->mqtt_qos, false});
    }
    probe.values = {kDroppedTopic, kVersionTopic};
  }
  visit->session = subject.host->Probe(probe);
}

void AskVersion5(const Subject& subject, BrokerVisit* visit) {
  MqttProbe probe = ProbeOf(*subject.node, visit->uri);
  probe.options.version = 5;
  probe.ask_for_session = true;
  const std::vector<std::string> topics =
      subject.try_publish ? SampleTopics(subject) : std::vector<std::string>();
  for (const std::string& topic : topics) {
    MqttLink::Publication publication;
    publication.topic = topic;
    publication.qos = 1;
    probe.publications.push_back(publication);
  }
  visit->version5 = subject.host->Probe(probe);
}

}  // namespace

const std::vector<BrokerVisit>& Visits(Subject* subject) {
  if (subject->visits) return *subject->visits;
  subject->visits.emplace();
  bool welcome = false;
  for (const std::string& uri : subject->node->mqtt.brokers) {
    BrokerVisit visit;
    visit.uri = uri;
    const Result<BrokerAddress> address = ParseBrokerAddress(uri);
    if (!address.ok()) continue;  // the node file's reader refuses it
    visit.address = *address;
    visit.reach = subject->host->Reach(*address, subject->node->mqtt.tls);
    if (visit.reach.stopped_at == BrokerReach::Step::kReached) {
      AskSession(*subject, !welcome, &visit);
      if (visit.session.connected && !welcome) AskVersion5(*subject, &visit);
      welcome = welcome || visit.session.connected;
    }
    subject->visits->push_back(std::move(visit));
  }
  return *subject->visits;
}

const BrokerVisit* Welcoming(Subject* subject) {
  for (const BrokerVisit& visit : Visits(subject)) {
    if (visit.session.connected) return &visit;
  }
  return nullptr;
}

}  // namespace rivulet
