// ProbeBroker: one connection, one request after another, each waited for.
#include <mqtt/async_client.h>

#include <algorithm>
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
  bool Wait(const mqtt::token_ptr& token, std::string* error) {
    try {
      if (token->wait_for(static_cast<long>(probe_.timeout.us / 1000))) return true;
      *error = "no answer within " + std::to_string(probe_.timeout.us / 1'000'000) + " s";
    } catch (const std::exception& e) {
      *error = e.what();
    }
    return false;
  }

  static std::string ReasonOf(const mqtt::token& token, const std::string& otherwise) {
    const int code = token.get_reason_code();
    return code >= kRefused && code != mqtt::MQTTPP_V3_CODE ? ReasonWords(code) : otherwise;
  }

  void Connect(mqtt::async_client* client) {
    mqtt::connect_options options = PahoConnectOptions(probe_.options, tls_);
    const bool five = probe_.options.version >= 5;
    if (five && probe_.ask_for_session) {
      mqtt::properties properties;
      properties.add({mqtt::property::SESSION_EXPIRY_INTERVAL, int32_t{-1}});
      options.set_properties(std::move(properties));
    }
    const mqtt::token_ptr token = client->connect(std::move(options));
    report_.connected = Wait(token, &report_.error);
    if (!report_.connected) {
      report_.refusal = std::max(0, token->get_return_code());
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
    for (const std::string& topic : probe_.values) Wait(client->subscribe(topic, 0), &ignored);
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, kValuesWithin,
                      [this] { return report_.values.size() == probe_.values.size(); });
    lock.unlock();
    for (const std::string& topic : probe_.values) Wait(client->unsubscribe(topic), &ignored);
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
    const mqtt::token_ptr token =
        client->subscribe(subscription.filter, subscription.qos, options);
    answer.granted = Wait(token, &answer.error);
    if (answer.granted) {
      const auto codes = token->get_subscribe_response().get_reason_codes();
      answer.qos = codes.empty() ? subscription.qos : static_cast<int>(codes[0]);
      answer.granted = answer.qos < kRefused;
      std::string ignored;
      Wait(client->unsubscribe(subscription.filter), &ignored);
    }
    if (!answer.granted) answer.error = ReasonOf(*token, "refused");
    report_.subscriptions.push_back(std::move(answer));
  }

  void Publish(mqtt::async_client* client, const MqttLink::Publication& publication) {
    MqttProbeReport::Answer answer;
    answer.topic = publication.topic;
    answer.qos = publication.qos;
    const mqtt::delivery_token_ptr token =
        client->publish(answer.topic, publication.payload.data(), publication.payload.size(),
                        publication.qos, publication.retain);
    answer.granted = Wait(token, &answer.error);
    if (!answer.granted) answer.error = ReasonOf(*token, answer.error);
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
    Wait(client->disconnect(std::move(options)), &ignored);
  }

  const MqttProbe& probe_;
  const bool tls_;
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
