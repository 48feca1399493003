#include "transport/paho_options.h"

#include <mqtt/async_client.h>

#include <algorithm>

namespace rivulet {
namespace {

constexpr int32_t kSessionNeverExpires = -1;  // 0xFFFFFFFF on the wire

mqtt::ssl_options TlsOptions(const MqttTls& tls) {
  mqtt::ssl_options ssl;
  if (!tls.ca_file.empty()) ssl.set_trust_store(tls.ca_file);
  if (!tls.cert_file.empty()) ssl.set_key_store(tls.cert_file);
  if (!tls.key_file.empty()) ssl.set_private_key(tls.key_file);
  ssl.set_enable_server_cert_auth(true);
  ssl.set_verify(tls.verify_hostname);
  return ssl;
}

}  // namespace

// volatile: the pointer is never read, and leak checkers should still find it.
void KeepPahoRunning() {
  static mqtt::async_client* volatile keeper =
      new mqtt::async_client("tcp://localhost:1883", "rivulet-keeper");
  static_cast<void>(keeper);
}

mqtt::connect_options PahoConnectOptions(const MqttOptions& options, bool tls) {
  mqtt::connect_options connect;
  connect.set_mqtt_version(options.version);
  if (options.version >= 5) {
    connect.set_clean_start(!options.persistent_session);
    mqtt::properties properties;
    if (options.persistent_session) {
      properties.add({mqtt::property::SESSION_EXPIRY_INTERVAL, kSessionNeverExpires});
    }
    if (options.max_packet > 0) {
      properties.add({mqtt::property::MAXIMUM_PACKET_SIZE, static_cast<int32_t>(options.max_packet)});
    }
    connect.set_properties(std::move(properties));
  } else {
    connect.set_clean_session(!options.persistent_session);
  }
  connect.set_automatic_reconnect(false);
  connect.set_connect_timeout(kPahoConnectTimeoutSeconds);
  connect.set_keep_alive_interval(
      static_cast<int>(std::max<int64_t>(1, options.keep_alive.us / 1'000'000)));
  connect.set_max_inflight(static_cast<int>(options.max_inflight) + kPahoOwnPublishes);
  if (!options.user.empty()) connect.set_user_name(options.user);
  if (!options.password.empty()) connect.set_password(options.password);
  if (options.will) {
    connect.set_will(mqtt::will_options(options.will->topic, options.will->payload.data(),
                                        options.will->payload.size(), options.will->qos,
                                        options.will->retain, mqtt::properties()));
  }
  if (tls) connect.set_ssl(TlsOptions(options.tls.value_or(MqttTls{})));
  return connect;
}

}  // namespace rivulet
