#include "transport/paho_client.h"

#include <MQTTAsync.h>
#include <mqtt/async_client.h>

#include <charconv>
#include <cstring>
#include <filesystem>

#include "transport/cut_connection.h"
#include "transport/mqtt_reason.h"
#include "transport/paho_options.h"

namespace rivulet {
namespace {

constexpr char kIdProperty[] = "rivulet-id";

// The wrapper's message has neither the packet id nor a way to leave topic and payload uncopied,
// so the C library's message callback is set directly. The handle it needs is private; naming a
// private member in an explicit instantiation is the one access the language grants.
template <auto kMember>
struct HandleAccess {
  friend MQTTAsync HandleOf(mqtt::async_client& client) { return client.*kMember; }
};
MQTTAsync HandleOf(mqtt::async_client& client);
template struct HandleAccess<&mqtt::async_client::cli_>;

Status CheckReadable(const std::string& file, std::string_view what) {
  if (file.empty()) return Status::Ok();
  std::error_code error;
  if (std::filesystem::is_regular_file(file, error)) return Status::Ok();
  return Status(ErrorCode::kBrokerUnreachable,
                std::string(what) + " '" + file + "' cannot be read; check the path and its owner");
}

}  // namespace

// Everything that touches the library.
struct PahoClient::Impl : public mqtt::iaction_listener {
  // Keeps only what was received (keys "r-..."): outbound messages are the caller's to repeat.
  class Persistence : public mqtt::iclient_persistence {
   public:
    explicit Persistence(Impl* impl) : impl_(impl) {}
    void open(const std::string&, const std::string&) override {}
    void close() override {}
    void clear() override {
      for (const std::string& key : impl_->store->Keys()) impl_->store->Remove(key);
    }
    bool contains_key(const std::string& key) override { return impl_->store->Contains(key); }
    mqtt::string_collection keys() const override {
      return mqtt::string_collection(impl_->store->Keys());
    }
    void put(const std::string& key, const std::vector<mqtt::string_view>& parts) override {
      // Paho frees a queued command it believes stored; refused, it keeps it in memory.
      if (key.starts_with("c-")) throw mqtt::persistence_exception();
      if (!key.starts_with("r-")) return;
      std::string bytes;
      for (const mqtt::string_view& part : parts) bytes.append(part.data(), part.size());
      const Status status = impl_->store->Put(key, std::move(bytes));
      if (!status.ok()) impl_->Refuse(status.ToString());
    }
    std::string get(const std::string& key) const override {
      std::string bytes;
      if (!impl_->store->Get(key, &bytes)) throw mqtt::persistence_exception();
      return bytes;
    }
    void remove(const std::string& key) override { impl_->store->Remove(key); }

   private:
    Impl* impl_;
  };

  Impl(const MqttOptions& opts, const std::string& uri, const BrokerAddress& addr,
       InboundStore* inbound, PahoEvents* sink)
      : options(opts), broker(uri), address(addr), store(inbound), events(sink) {}

  // Errors: exceptions of the library.
  void Open() {
    const auto create = mqtt::create_options_builder()
                            .mqtt_version(options.version)
                            .send_while_disconnected(false)
                            .restore_messages(false)
                            .max_buffered_messages(static_cast<int>(options.max_inflight) +
                                                   kPahoOwnPublishes)
                            .finalize();
    // With MQTT 5 Paho delivers a QoS 2 message before PUBREC, and would take one it finds kept for
    // delivered: there, nothing must be kept.
    const bool keep = options.persistent_session && options.version < 5;
    client = std::make_unique<mqtt::async_client>(broker, options.client_id, create,
                                                  keep ? &persistence : nullptr);
    client->set_connection_lost_handler([this](const std::string& cause) {
      if (refusing || !lost_reason.empty()) return events->OnLost(lost_state, lost_reason);
      events->OnLost(LinkState::kLost,
                     "connection to '" + broker + "' lost" + (cause.empty() ? "" : ": " + cause));
    });
    client->set_disconnected_handler([this](const mqtt::properties&, mqtt::ReasonCode code) {
      lost_reason = "broker '" + broker + "' closed the connection: " + ReasonWords(code);
      lost_state = StateOfReason(code) == LinkState::kTakenOver ? LinkState::kTakenOver
                                                                : LinkState::kLost;
    });
    const int rc = MQTTAsync_setMessageArrivedCallback(HandleOf(*client), this, &OnArrived);
    if (rc != MQTTASYNC_SUCCESS) throw mqtt::exception(rc);
  }

  // --- inbound ---

  // Paho's receive thread. Always "taken", because Paho acknowledges regardless; what must not be
  // acknowledged is kept back by cutting the connection.
  static int OnArrived(void* context, char* topic, int topic_length, MQTTAsync_message* message) {
    auto* self = static_cast<Impl*>(context);
    if (!self->refusing) {
      const size_t length =
          topic_length > 0 ? static_cast<size_t>(topic_length) : std::strlen(topic);
      MqttMessage m;
      m.topic = {topic, length};
      m.payload = {static_cast<const char*>(message->payload),
                   static_cast<size_t>(message->payloadlen)};
      m.qos = message->qos;
      m.packet_id = message->qos > 0 ? static_cast<uint16_t>(message->msgid) : uint16_t{0};
      // Paho hides the DUP flag of QoS 2: in a resumed session any of them may be a repetition.
      m.duplicate = message->qos == 2 ? self->session_present : message->dup != 0;
      m.retained = message->retained != 0;
      m.resumed = self->session_present;
      if (!self->Offer(m)) self->Refuse(std::string());
    }
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
  }

  bool Offer(const MqttMessage& message) {
    try {
      return events->OnArrived(message);
    } catch (...) {
      return false;
    }
  }

  // From here on nothing is acknowledged and nothing is offered: order is kept.
  void Refuse(std::string why) {
    refusing = true;
    store->SetFrozen(true);
    if (!why.empty()) lost_reason = std::move(why);
    if (CutConnectionsTo(address.port) == 0) CutConnectionsTo(0);  // a proxy stands between
  }

  // --- outcomes; Paho's threads ---

  void on_success(const mqtt::token& token) override {
    switch (token.get_type()) {
      case mqtt::token::CONNECT:
        session_present = token.get_connect_response().is_session_present();
        events->OnConnected(LimitsOf(token.get_connect_response().get_properties()));
        break;
      case mqtt::token::SUBSCRIBE:
        events->OnSubscribed(std::string(), std::string());
        break;
      case mqtt::token::PUBLISH:
        events->OnPublished(IdOf(token), true, 0, std::string());
        break;
      default:
        break;
    }
  }

  void on_failure(const mqtt::token& token) override {
    switch (token.get_type()) {
      case mqtt::token::CONNECT:
        ConnectFailed(token.get_return_code());
        break;
      case mqtt::token::SUBSCRIBE:
        SubscribeFailed(token);
        break;
      case mqtt::token::PUBLISH: {
        const int code = token.get_reason_code();
        const bool refused = code >= 128 && code != mqtt::MQTTPP_V3_CODE;
        events->OnPublished(IdOf(token), false, refused ? code : 0,
                            refused ? Status(ErrorCode::kBrokerRefused,
                                             "publish refused: " + ReasonWords(code))
                                          .ToString()
                                    : std::string());
        break;
      }
      default:
        break;
    }
  }

  void SubscribeFailed(const mqtt::token& token) {
    const auto filters = token.get_topics();
    const int code = token.get_reason_code();
    const bool known = code >= 128 && code != mqtt::MQTTPP_V3_CODE;
    const std::string filter = filters && !filters->empty() ? (*filters)[0] : std::string();
    const std::string why = known ? ReasonWords(code) : "not authorised, or connection lost";
    events->OnSubscribed(
        filter, Status(ErrorCode::kBrokerRefused, "subscription to '" + filter + "': " + why).ToString());
  }

  void ConnectFailed(int code) {
    if (code > 0) {
      return events->OnConnectFailed(
          StateOfReason(code),
          Status(ErrorCode::kBrokerRefused, "'" + broker + "': " + ConnackReason(code)).ToString());
    }
    std::string message = "'" + broker + "': ";
    message += address.tls ? "no TLS connection; check host and port, the CA file, that the "
                             "broker's certificate names this host, and the client certificate"
                           : "no connection; check host, port and that the broker runs";
    events->OnConnectFailed(address.tls ? LinkState::kTls : LinkState::kUnreachable,
                            Status(ErrorCode::kBrokerUnreachable, std::move(message)).ToString());
  }

  BrokerLimits LimitsOf(const mqtt::properties& properties) const {
    BrokerLimits limits;
    if (options.version < 5) return limits;
    const auto number = [&properties](mqtt::property::code code, uint32_t otherwise) {
      if (!properties.contains(code)) return otherwise;
      const MQTTProperties& all = properties.c_struct();
      return static_cast<uint32_t>(
          MQTTProperties_getNumericValue(const_cast<MQTTProperties*>(&all),
                                         static_cast<MQTTPropertyCodes>(code)));
    };
    limits.max_packet_size = number(mqtt::property::MAXIMUM_PACKET_SIZE, 0);
    limits.receive_maximum = number(mqtt::property::RECEIVE_MAXIMUM, limits.receive_maximum);
    limits.max_qos = static_cast<int>(number(mqtt::property::MAXIMUM_QOS, 2));
    limits.retains = number(mqtt::property::RETAIN_AVAILABLE, 1) != 0;
    return limits;
  }

  static uint64_t IdOf(const mqtt::token& token) {
    return reinterpret_cast<uintptr_t>(token.get_user_context());
  }

  const MqttOptions& options;
  const std::string broker;
  const BrokerAddress address;
  InboundStore* const store;
  PahoEvents* const events;
  // Only under Paho's lock, on its threads.
  bool session_present = false;
  bool refusing = false;
  std::string lost_reason;
  LinkState lost_state = LinkState::kNotTaken;

  Persistence persistence{this};
  std::unique_ptr<mqtt::async_client> client;  // last: its destructor still reports events
};

PahoClient::PahoClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PahoClient::~PahoClient() = default;

Result<std::unique_ptr<PahoClient>> PahoClient::Create(const MqttOptions& options,
                                                       const std::string& broker,
                                                       InboundStore* store, PahoEvents* events) {
  RIVULET_ASSIGN_OR_RETURN(BrokerAddress address, ParseBrokerAddress(broker));
  try {
    KeepPahoRunning();
    store->SetFrozen(false);
    auto impl = std::make_unique<Impl>(options, broker, address, store, events);
    impl->Open();
    return std::unique_ptr<PahoClient>(new PahoClient(std::move(impl)));
  } catch (const std::exception& e) {
    return Status(ErrorCode::kBrokerUnreachable,
                  "MQTT client for '" + broker + "' cannot be made: " + e.what());
  }
}

Status PahoClient::Connect() {
  if (impl_->address.tls && impl_->options.tls) {
    RIVULET_RETURN_IF_ERROR(CheckReadable(impl_->options.tls->ca_file, "CA file"));
    RIVULET_RETURN_IF_ERROR(CheckReadable(impl_->options.tls->cert_file, "certificate file"));
    RIVULET_RETURN_IF_ERROR(CheckReadable(impl_->options.tls->key_file, "key file"));
  }
  try {
    impl_->client->connect(PahoConnectOptions(impl_->options, impl_->address.tls), nullptr, *impl_);
    return Status::Ok();
  } catch (const std::exception& e) {
    return Status(ErrorCode::kBrokerUnreachable, "'" + impl_->broker + "': " + e.what());
  }
}

Status PahoClient::Subscribe(const MqttSubscription& subscription) {
  try {
    // A retained message is wanted once, not again after each reconnect; only MQTT 5 can say so.
    const mqtt::subscribe_options once(mqtt::subscribe_options::SUBSCRIBE_LOCAL,
                                       mqtt::subscribe_options::NO_RETAIN_AS_PUBLISHED,
                                       subscription.all_retained
                                           ? mqtt::subscribe_options::SEND_RETAINED_ON_SUBSCRIBE
                                           : mqtt::subscribe_options::SEND_RETAINED_ON_NEW);
    impl_->client->subscribe(subscription.filter, subscription.qos, nullptr, *impl_,
                             impl_->options.version >= 5 ? once : mqtt::subscribe_options());
    return Status::Ok();
  } catch (const std::exception& e) {
    return Status(ErrorCode::kNotConnected,
                  "subscription to '" + subscription.filter + "' not sent: " + e.what());
  }
}

Status PahoClient::Unsubscribe(const std::string& filter) {
  try {
    impl_->client->unsubscribe(filter, nullptr, *impl_);
    return Status::Ok();
  } catch (const std::exception& e) {
    return Status(ErrorCode::kNotConnected, "end of subscription to '" + filter +
                                                "' not sent: " + e.what());
  }
}

Status PahoClient::Publish(const MqttLink::Publication& publication, uint64_t id) {
  try {
    mqtt::properties properties;
    if (impl_->options.version >= 5 && !publication.rivulet_id.empty()) {
      properties.add({mqtt::property::USER_PROPERTY, kIdProperty,
                      std::string(publication.rivulet_id)});
    }
    auto message = mqtt::message::create(
        std::string(publication.topic), publication.payload.data(), publication.payload.size(),
        publication.qos, publication.retain, properties);
    impl_->client->publish(std::move(message), reinterpret_cast<void*>(static_cast<uintptr_t>(id)),
                           *impl_);
    return Status::Ok();
  } catch (const std::exception& e) {
    return Status(ErrorCode::kNotConnected, "publish on '" + std::string(publication.topic) +
                                                "' not sent: " + e.what());
  }
}

uint64_t PahoClient::PacketSize(const MqttLink::Publication& p, int version) {
  uint64_t rest = 2 + p.topic.size() + (p.qos > 0 ? 2 : 0) + p.payload.size();
  // The length of the properties takes one byte while they are as short as ours.
  if (version >= 5) rest += 1;
  if (version >= 5 && !p.rivulet_id.empty()) {
    rest += 1 + 2 + sizeof(kIdProperty) - 1 + 2 + p.rivulet_id.size();
  }
  uint64_t length_bytes = 1;
  for (uint64_t n = rest >> 7; n > 0; n >>= 7) ++length_bytes;
  return 1 + length_bytes + rest;
}

Result<BrokerAddress> ParseBrokerAddress(std::string_view uri) {
  const auto bad = [uri](std::string_view why) {
    return Status(ErrorCode::kBadSettingValue,
                  "broker '" + std::string(uri) + "': " + std::string(why) +
                      "; expected e.g. tcp://host:1883 or ssl://host:8883");
  };
  const size_t colon = uri.find("://");
  if (colon == std::string_view::npos) return bad("no scheme");
  const std::string_view scheme = uri.substr(0, colon);
  BrokerAddress address;
  if (scheme == "ssl" || scheme == "mqtts") {
    address.tls = true;
  } else if (scheme != "tcp" && scheme != "mqtt") {
    return bad("unknown scheme");
  }
  address.port = address.tls ? 8883 : 1883;
  std::string_view rest = uri.substr(colon + 3);
  const size_t bracket = rest.starts_with('[') ? rest.find(']') : std::string_view::npos;
  if (rest.starts_with('[') && bracket == std::string_view::npos) return bad("'[' without ']'");
  const size_t port_at = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  address.host = rest.substr(0, port_at);
  if (address.host.empty() || address.host.find_first_of("/ @") != std::string::npos) {
    return bad("no host name");
  }
  if (port_at != std::string_view::npos) {
    const std::string_view digits = rest.substr(port_at + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
    if (error != std::errc() || end != digits.data() + digits.size() || address.port == 0) {
      return bad("port is not a number from 1 to 65535");
    }
  }
  return address;
}

}  // namespace rivulet
