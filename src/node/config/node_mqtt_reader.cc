#include "node/config/node_mqtt_reader.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "node/config/text_file.h"
#include "transport/topic.h"

namespace rivulet {
namespace {

constexpr std::string_view kBroker = "a broker such as tcp://localhost:1883 or ssl://host:8883";

constexpr uint64_t kLeastMaxPayload = 64 << 10;
// MQTT's largest packet less what stands before a payload.
constexpr uint64_t kMostMaxPayload = 255ull << 20;
// The longest topic, and MQTT 5 properties of some length.
constexpr uint64_t kPacketHeaders = 128 << 10;

// Splits "host:port", "[v6]:port", "host" or "[v6]". False when there is no host or a wrong port.
bool SplitHost(std::string_view text, std::string_view* host, std::string_view* port) {
  size_t host_end = text.find(':');
  if (text.starts_with('[')) {
    const size_t bracket = text.find(']');
    if (bracket == std::string_view::npos || bracket == 1) return false;
    host_end = bracket + 1;
    if (host_end < text.size() && text[host_end] != ':') return false;
  }
  *host = text.substr(0, host_end);
  *port = host_end < text.size() ? text.substr(host_end + 1) : std::string_view();
  if (host->empty() || host->find_first_of(" \t/@#?") != std::string_view::npos) return false;
  if (host_end >= text.size()) return true;
  unsigned number = 0;
  const auto [end, error] = std::from_chars(port->data(), port->data() + port->size(), number);
  return error == std::errc() && end == port->data() + port->size() && number >= 1 &&
         number <= 65535;
}

// The broker as Paho wants it: scheme tcp or ssl, with a port. False and a fault otherwise.
bool TakeBroker(const Setting& item, std::string* out, Faults* faults) {
  MarkedText broker;
  if (!TakeText(item, kBroker, &broker, faults)) return false;
  struct Scheme {
    std::string_view name;
    std::string_view paho;
    std::string_view port;
  };
  static constexpr Scheme kSchemes[] = {{"tcp://", "tcp://", "1883"},
                                        {"mqtt://", "tcp://", "1883"},
                                        {"ssl://", "ssl://", "8883"},
                                        {"mqtts://", "ssl://", "8883"}};
  for (const Scheme& scheme : kSchemes) {
    if (!broker.text.starts_with(scheme.name)) continue;
    std::string_view host;
    std::string_view port;
    if (!SplitHost(std::string_view(broker.text).substr(scheme.name.size()), &host, &port)) break;
    *out = std::string(scheme.paho) + std::string(host) + ":" +
           std::string(port.empty() ? scheme.port : port);
    return true;
  }
  faults->Add(broker.mark, ErrorCode::kBadSettingValue,
              item.label + " is " + QuoteForMessage(broker.text) + "; expected " +
                  std::string(kBroker) + " (schemes: tcp, mqtt, ssl, mqtts)");
  return false;
}

void ReadBrokers(const SettingReader& reader, Faults* faults, MqttOptions* mqtt) {
  const auto setting = reader.Find("brokers");
  if (!setting) {
    mqtt->brokers = {"tcp://localhost:1883"};
    return;
  }
  const auto take = [&](const Setting& item) {
    std::string broker;
    if (!TakeBroker(item, &broker, faults)) return;
    if (std::find(mqtt->brokers.begin(), mqtt->brokers.end(), broker) != mqtt->brokers.end()) {
      faults->Add(item.mark(), ErrorCode::kDuplicateSetting,
                  QuoteForMessage(broker) + " in 'brokers' was already given; remove one");
      return;
    }
    mqtt->brokers.push_back(std::move(broker));
  };
  TakeOneOrMore(*setting, kBroker, take, faults);
}

void ReadClientId(const SettingReader& reader, Faults* faults, NodeSpec* spec) {
  spec->mqtt.client_id = "rivulet-" + spec->name;
  MarkedText id;
  if (!reader.Text("client_id", "a name that no other client of the broker has", &id)) return;
  if (id.text.size() > 256) {
    faults->Add(id.mark, ErrorCode::kBadSettingValue,
                "'client_id' has " + std::to_string(id.text.size()) +
                    " bytes; expected at most 256");
  }
  spec->mqtt.client_id = id.text;
}

void ReadLogin(const SettingReader& reader, const FilePaths& paths, Faults* faults, MqttOptions* mqtt) {
  MarkedText user;
  if (reader.Text("user", "the user's name at the broker", &user)) mqtt->user = user.text;
  const auto file = reader.Find("password_file");
  if (!file) return;
  ReadSecret(*file, paths, &mqtt->password, faults, &mqtt->password_file);
  if (!reader.Find("user")) {
    faults->Add(file->name_mark, ErrorCode::kMissingSetting,
                "'user' in 'mqtt'; expected it together with 'password_file'");
  }
}

void ReadTlsFile(const SettingReader& reader, std::string_view name, const FilePaths& paths,
                 ErrorCode unreadable, std::string* path) {
  MarkedText text;
  if (!reader.Text(name, "the path of a PEM file", &text)) return;
  const std::string label = "'" + std::string(name) + "' in 'tls'";
  *path = paths.ResolveSecret(label, text, reader.faults());
  if (path->empty() || access(path->c_str(), R_OK) == 0) return;
  reader.faults()->Add(text.mark, unreadable,
                       label + " is " + QuoteForMessage(text.text) +
                           ", which is not there or must not be read; expected a PEM file");
}

void ReadTls(const SettingReader& reader, const FilePaths& paths, Faults* faults, MqttOptions* mqtt) {
  const bool secure = std::any_of(mqtt->brokers.begin(), mqtt->brokers.end(),
                                  [](const std::string& b) { return b.starts_with("ssl://"); });
  if (secure) mqtt->tls.emplace();
  const auto setting = reader.Find("tls");
  if (!setting) return;
  MqttTls tls;
  const SettingReader tls_reader(*setting->node, settings::kTls, faults);
  ReadTlsFile(tls_reader, "ca", paths, ErrorCode::kFileNotReadable, &tls.ca_file);
  ReadTlsFile(tls_reader, "cert", paths, ErrorCode::kFileNotReadable, &tls.cert_file);
  ReadTlsFile(tls_reader, "key", paths, ErrorCode::kSecretNotReadable, &tls.key_file);
  tls_reader.Bool("verify_hostname", &tls.verify_hostname);
  if (tls_reader.Find("cert").has_value() != tls_reader.Find("key").has_value()) {
    tls_reader.Missing(tls_reader.Find("cert") ? "key" : "cert", "'cert' and 'key' together");
  }
  if (!secure && !mqtt->brokers.empty()) {
    faults->Add(setting->name_mark, ErrorCode::kBadSettingValue,
                "'tls' is set but no broker is reached over TLS; expected ssl://host:8883 in "
                "'brokers', or no 'tls'");
  }
  mqtt->tls = std::move(tls);
}

// Replaces {node}; no other name has a meaning here.
bool ExpandStatusTopic(const Setting& setting, const std::string& node_name, std::string* topic,
                       Faults* faults) {
  const MarkedText& text = setting.node->scalar;
  const Result<TopicTemplate> parsed = TopicTemplate::Parse(text.text);
  if (!parsed.ok()) {
    faults->Add(text.mark, parsed.status().code(), parsed.status().message());
    return false;
  }
  topic->clear();
  for (const TopicTemplate::Part& part : parsed->parts()) {
    if (!part.is_field) {
      *topic += part.text;
    } else if (part.text == "node") {
      TopicTemplate::AppendLevel(topic, node_name);
    } else {
      faults->Add(text.mark, ErrorCode::kBadTopicPattern,
                  QuoteForMessage("{" + part.text + "}") +
                      " in 'status_topic'; expected only {node}");
      return false;
    }
  }
  return true;
}

void ReadStatusTopic(const SettingReader& reader, Faults* faults, NodeSpec* spec) {
  std::string topic = "rivulet/" + spec->name + "/status";
  if (const auto setting = reader.Find("status_topic")) {
    const YamlNode& node = *setting->node;
    if (node.is_scalar() && !node.quoted && node.scalar.text == "false") return;
    MarkedText text;
    const bool taken = TakeText(*setting, "a topic such as rivulet/{node}/status, or false", &text,
                                faults);
    if (!taken || !ExpandStatusTopic(*setting, spec->name, &topic, faults)) return;
  }
  MqttWill will;
  will.topic = std::move(topic);
  will.payload = R"({"status":"offline"})";
  spec->mqtt.will = std::move(will);
  spec->mqtt.online_payload = R"({"status":"online"})";
}

void ReadReconnect(const SettingReader& reader, Faults* faults, MqttOptions* mqtt) {
  const auto setting = reader.Find("reconnect");
  if (!setting) return;
  const SettingReader times(*setting->node, settings::kReconnect, faults);
  const Duration hour = Duration::Seconds(3600);
  times.DurationOf("min", Duration::Millis(1), hour, &mqtt->reconnect_min);
  times.DurationOf("max", Duration::Millis(1), hour, &mqtt->reconnect_max);
  if (mqtt->reconnect_min > mqtt->reconnect_max) {
    faults->Add(setting->mark(), ErrorCode::kBadSettingValue,
                "'reconnect' has a 'min' above its 'max' (defaults: min 500ms, max 30s); expected "
                "min <= max");
  }
}

}  // namespace

void ReadSecret(const Setting& setting, const FilePaths& paths, std::string* secret, Faults* faults,
                std::string* resolved) {
  constexpr size_t kMaxSecretBytes = 64 << 10;
  MarkedText path;
  if (!TakeText(setting, "the path of a file that holds the secret", &path, faults)) return;
  const std::string file = paths.ResolveSecret(setting.label, path, faults);
  if (file.empty()) return;
  if (resolved != nullptr) *resolved = file;
  const Status status = ReadTextFile(file, kMaxSecretBytes, secret);
  while (!secret->empty() && (secret->back() == '\n' || secret->back() == '\r')) secret->pop_back();
  if (!status.ok() || secret->empty()) {
    faults->Add(path.mark, ErrorCode::kSecretNotReadable,
                setting.label + ": " +
                    (status.ok() ? QuoteForMessage(path.text) + " is empty" : status.message()) +
                    "; expected a readable file that holds only the secret");
  }
}

void ReadMqtt(const YamlNode& node, const FilePaths& paths, Faults* faults, NodeSpec* spec) {
  const SettingReader reader(node, settings::kMqtt, faults);
  MqttOptions* mqtt = &spec->mqtt;
  ReadBrokers(reader, faults, mqtt);
  ReadClientId(reader, faults, spec);
  reader.Choice<int>("version", {"3.1.1", "5"}, {4, 5}, &mqtt->version);
  reader.Int("qos", 0, 2, &spec->mqtt_qos);
  ReadLogin(reader, paths, faults, mqtt);
  ReadTls(reader, paths, faults, mqtt);
  ReadStatusTopic(reader, faults, spec);
  reader.DurationOf("keep_alive", Duration::Seconds(1), Duration::Seconds(65535),
                    &mqtt->keep_alive);
  ReadReconnect(reader, faults, mqtt);
  reader.Int("max_inflight", 1, 65535, &mqtt->max_inflight);
  reader.Size("max_payload", kLeastMaxPayload, kMostMaxPayload, &spec->max_payload);
  mqtt->max_packet = static_cast<uint32_t>(spec->max_payload + kPacketHeaders);
}

}  // namespace rivulet
