// ProbeBroker: one connection, one request after another, each waited for.
#include <mqtt/async_client.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "transport/broker_probe.h"
#include "transport/mqtt_reason.h"
#include "transport/paho_options.h"

namespace rivulet {
namespace {

// Retained values come at once or not at all.
constexpr auto kValuesWithin = std::chrono::milliseconds(700);
// Long enough to see whether the broker shortens it; what a connection that breaks leaves ends then.
constexpr int32_t kAskedSessionSeconds = 24 * 3600;
// How often one looks whether the connection is still there, in ms.
constexpr long kGlance = 50;
constexpr int kRefused = 0x80;  // reason codes from here on

class Probe {
 public:
  Probe(const MqttProbe& probe, bool tls) : probe_(probe), tls_(tls) {}

  // Errors: exceptions of the library.
  MqttProbeReport Run() {
    const auto create = mqtt::create_options_builder()
                            .mqtt_version(probe_.options.version)
                            .send_while_disconnected(false)
                            .finalize();
    mqtt::async_client client(probe_.broker, probe_.options.client_id, create, nullptr);
    client.set_message_callback([this](mqtt::const_message_ptr m) { Take(*m); });
    client.set_connection_lost_handler([this](const std::string&) { lost_ = true; });
    Connect(&client);
    if (report_.connected) {
      FetchValues(&client);
      for (const MqttSubscription& s : probe_.subscriptions) Subscribe(&client, s);
      for (const MqttLink::Publication& p : probe_.publications) Publish(&client, p);
      Disconnect(&client);
    }
    client.disable_callbacks();
    const std::lock_guard lock(mutex_);
    return report_;
  }

 private:
  // Sends with `send`, which returns a token, and waits for the answer. Null when there is none: then,
  // and when the answer is a refusal, `*error` says why. What was asked before keeps its answer.
  template <typename Send>
  mqtt::token_ptr Ask(Send send, std::string* error) {
    mqtt::token_ptr token;
    try {
      token = send();
      for (int64_t waited = 0; waited < probe_.timeout.us; waited += kGlance * 1000) {
        if (token->wait_for(kGlance)) return token;
        // Paho would wait for the connection to come back.
        if (!lost_) continue;
        *error = "the broker hung up";
        return nullptr;
      }
      *error = "no answer within " + std::to_string(probe_.timeout.us / 1000) + " ms";
    } catch (const std::exception& e) {
      *error = e.what();
      const int code = token == nullptr ? 0 : static_cast<int>(token->get_reason_code());
      if (code >= kRefused && code != mqtt::MQTTPP_V3_CODE) *error = ReasonWords(code);
      return token;
    }
    return nullptr;
  }

  void Connect(mqtt::async_client* client) {
    mqtt::connect_options options = PahoConnectOptions(probe_.options, tls_);
    const bool five = probe_.options.version >= 5;
    if (five && probe_.ask_for_session) {
      mqtt::properties properties;
      properties.add({mqtt::property::SESSION_EXPIRY_INTERVAL, kAskedSessionSeconds});
      options.set_properties(std::move(properties));
    }
    const mqtt::token_ptr token = Ask([&] { return client->connect(std::move(options)); }, &report_.error);
    report_.connected = token != nullptr && report_.error.empty();
    if (!report_.connected) {
      report_.refusal = token == nullptr ? 0 : std::max(0, token->get_return_code());
      if (report_.refusal > 0) report_.error = ConnackReason(report_.refusal);
    } else if (five) {
      ReadLimits(token->get_connect_response().get_properties());
    }
  }

  void ReadLimits(const mqtt::properties& properties) {
    using Property = mqtt::property;
    const auto has = [&](Property::code code) { return properties.contains(code); };
    if (has(Property::RECEIVE_MAXIMUM)) {
      report_.receive_maximum = mqtt::get<uint16_t>(properties, Property::RECEIVE_MAXIMUM);
    }
    if (has(Property::MAXIMUM_QOS)) {
      report_.maximum_qos = mqtt::get<uint8_t>(properties, Property::MAXIMUM_QOS);
    }
    if (has(Property::MAXIMUM_PACKET_SIZE)) {
      report_.maximum_packet_size = mqtt::get<uint32_t>(properties, Property::MAXIMUM_PACKET_SIZE);
    }
    if (has(Property::SESSION_EXPIRY_INTERVAL)) {
      report_.session_expiry_s = mqtt::get<uint32_t>(properties, Property::SESSION_EXPIRY_INTERVAL);
    }
    if (has(Property::RETAIN_AVAILABLE)) {
      report_.retain_available = mqtt::get<uint8_t>(properties, Property::RETAIN_AVAILABLE) != 0;
    }
  }

  void FetchValues(mqtt::async_client* client) {
    std::string ignored;
    for (const std::string& topic : probe_.values) {
      Ask([&] { return client->subscribe(topic, 0); }, &ignored);
    }
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, kValuesWithin,
                      [this] { return report_.values.size() == probe_.values.size(); });
    lock.unlock();
    for (const std::string& topic : probe_.values) {
      Ask([&] { return client->unsubscribe(topic); }, &ignored);
    }
  }

  // Paho's thread.
  void Take(const mqtt::message& message) {
    const auto& wanted = probe_.values;
    if (std::find(wanted.begin(), wanted.end(), message.get_topic()) == wanted.end()) return;
    const std::lock_guard lock(mutex_);
    report_.values[message.get_topic()] = message.get_payload_str();
    arrived_.notify_one();
  }

  void Subscribe(mqtt::async_client* client, const MqttSubscription& subscription) {
    MqttProbeReport::Answer answer;
    answer.topic = subscription.filter;
    // What is retained is not wanted; MQTT 3.1.1 cannot say so.
    const mqtt::subscribe_options options =
        probe_.options.version >= 5
            ? mqtt::subscribe_options(mqtt::subscribe_options::SUBSCRIBE_NO_LOCAL,
                                      mqtt::subscribe_options::NO_RETAIN_AS_PUBLISHED,
                                      mqtt::subscribe_options::DONT_SEND_RETAINED)
            : mqtt::subscribe_options();
    const mqtt::token_ptr token = Ask(
        [&] { return client->subscribe(subscription.filter, subscription.qos, options); },
        &answer.error);
    answer.granted = token != nullptr && answer.error.empty();
    if (answer.granted) {
      const auto codes = token->get_subscribe_response().get_reason_codes();
      answer.qos = codes.empty() ? subscription.qos : static_cast<int>(codes[0]);
      answer.granted = answer.qos < kRefused;
      if (!answer.granted) answer.error = ReasonWords(answer.qos);
      std::string ignored;
      Ask([&] { return client->unsubscribe(subscription.filter); }, &ignored);
    }
    // MQTT 3.1.1 has one word for it, of which the library makes less.
    if (!answer.granted && token != nullptr && probe_.options.version < 5) answer.error = "refused";
    report_.subscriptions.push_back(std::move(answer));
  }

  void Publish(mqtt::async_client* client, const MqttLink::Publication& publication) {
    MqttProbeReport::Answer answer;
    answer.topic = publication.topic;
    answer.qos = publication.qos;
    Ask(
        [&] {
          return client->publish(answer.topic, publication.payload.data(),
                                 publication.payload.size(), publication.qos, publication.retain);
        },
        &answer.error);
    answer.granted = answer.error.empty();
    report_.publications.push_back(std::move(answer));
  }

  void Disconnect(mqtt::async_client* client) {
    mqtt::disconnect_options options(100);
    if (probe_.options.version >= 5 && probe_.ask_for_session) {
      mqtt::properties properties;
      properties.add({mqtt::property::SESSION_EXPIRY_INTERVAL, int32_t{0}});
      options.set_properties(properties);
    }
    std::string ignored;
    // Moved: a copy would lose the properties.
    Ask([&] { return client->disconnect(std::move(options)); }, &ignored);
  }

  const MqttProbe& probe_;
  const bool tls_;
  std::atomic<bool> lost_{false};
  std::mutex mutex_;
  std::condition_variable arrived_;
  MqttProbeReport report_;  // `values` under the mutex
};

}  // namespace

MqttProbeReport ProbeBroker(const MqttProbe& probe) {
  MqttProbeReport report;
  const Result<BrokerAddress> address = ParseBrokerAddress(probe.broker);
  if (!address.ok()) {
    report.error = address.status().message();
    return report;
  }
  try {
    KeepPahoRunning();
    return Probe(probe, address->tls).Run();
  } catch (const std::exception& e) {
    report.error = e.what();
    return report;
  }
}

}  // namespace rivulet
