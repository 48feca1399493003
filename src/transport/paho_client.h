// PahoClient: one attempt to reach one broker, and the connection if it succeeds. The only door to
// Paho: nothing of the library shows here.
//
// A client is made for each attempt and thrown away when the connection ends. So nothing of an old
// connection (a publish Paho would send again, an acknowledgement still queued) can come alive in
// a new one; only the InboundStore lives on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "transport/inbound_store.h"
#include "transport/mqtt_link.h"

namespace rivulet {

// What an MQTT 5 broker says of itself when it lets us in; with 3.1.1 nothing is known. Topic aliases are
// not used, whatever it offers.
struct BrokerLimits {
  uint32_t max_packet_size = 0;   // bytes; 0: none known
  uint32_t receive_maximum = 65535;
  int max_qos = 2;
  bool retains = true;
};

// What a client reports. Called on Paho's threads WITH PAHO'S OWN LOCK HELD (and, from the
// client's destructor, on the destroying thread): do nothing but note it, never call a client.
class PahoEvents {
 public:
  virtual ~PahoEvents() = default;
  // True: the message may be acknowledged. False: the connection is cut so that it is not.
  virtual bool OnArrived(const MqttMessage& message) = 0;
  virtual void OnConnected(const BrokerLimits& limits) = 0;
  virtual void OnConnectFailed(LinkState trouble, std::string why) = 0;
  // `why` is empty when a refused message was the reason.
  virtual void OnLost(LinkState trouble, std::string why) = 0;
  // Once for each Subscribe that returned ok, while the connection lasts. `why` is empty when the
  // broker has granted it; else `denied` is its filter.
  virtual void OnSubscribed(const std::string& denied, std::string why) = 0;
  // Once for each Publish that returned ok, at the latest while the client is destroyed. Not
  // acknowledged, and `why` empty: lost with the connection; else refused. `reason`: the broker's code.
  virtual void OnPublished(uint64_t id, bool acknowledged, int reason, std::string why) = 0;
};

class PahoClient {
 public:
  // `options`, `store` and `events` must outlive the client. Errors: kBrokerUnreachable.
  static Result<std::unique_ptr<PahoClient>> Create(const MqttOptions& options,
                                                    const std::string& broker, InboundStore* store,
                                                    PahoEvents* events);
  // Disconnects cleanly if connected (the broker keeps a persistent session and drops the will),
  // reports what is still unacknowledged as failed; no events afterwards.
  ~PahoClient();
  PahoClient(const PahoClient&) = delete;
  PahoClient& operator=(const PahoClient&) = delete;

  // These only queue a request; the outcome is an event. Errors: kNotConnected,
  // kBrokerUnreachable (with what stands in the way).
  Status Connect();
  Status Subscribe(const MqttSubscription& subscription);
  Status Unsubscribe(const std::string& filter);
  // The bytes are copied. `id` is not 0.
  Status Publish(const MqttLink::Publication& publication, uint64_t id);
  // Bytes of the packet that it makes.
  static uint64_t PacketSize(const MqttLink::Publication& publication, int version);

 private:
  struct Impl;
  explicit PahoClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The parts of "scheme://host:port".
struct BrokerAddress {
  bool tls = false;
  std::string host;
  uint16_t port = 0;
};
// tcp, mqtt (default port 1883), ssl, mqtts (8883); IPv6 hosts in brackets. Errors:
// kBadSettingValue.
Result<BrokerAddress> ParseBrokerAddress(std::string_view uri);

}  // namespace rivulet
