// What link tests share: a handler that remembers, and options with short delays.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "tests/transport/mosquitto_fixture.h"
#include "transport/mqtt_link.h"

namespace rivulet::testing {

// Remembers every message it is offered; refuses as many as it is told to. Any thread.
class LinkRecorder {
 public:
  struct Entry {
    std::string topic;
    std::string payload;
    int qos;
    uint16_t packet_id;
    bool duplicate;
    bool retained;
  };

  MqttLink::MessageHandler Handler() {
    return [this](const MqttMessage& m) {
      const std::lock_guard lock(mutex_);
      Entry entry{std::string(m.topic), std::string(m.payload), m.qos,
                  m.packet_id,          m.duplicate,            m.retained};
      if (refuse_ > 0) {
        --refuse_;
        refused_.push_back(std::move(entry));
        return Status(ErrorCode::kDiskFull, "no room for the test");
      }
      accepted_.push_back(std::move(entry));
      return Status::Ok();
    };
  }
  void RefuseNext(int n) {
    const std::lock_guard lock(mutex_);
    refuse_ = n;
  }
  std::vector<Entry> accepted() const {
    const std::lock_guard lock(mutex_);
    return accepted_;
  }
  std::vector<Entry> refused() const {
    const std::lock_guard lock(mutex_);
    return refused_;
  }
  size_t count() const { return accepted().size(); }
  std::vector<std::string> payloads() const {
    std::vector<std::string> result;
    for (const Entry& e : accepted()) result.push_back(e.payload);
    return result;
  }
  bool WaitForCount(size_t n) const {
    return Eventually([this, n] { return count() >= n; });
  }
  bool WaitFor(const std::string& topic, const std::string& payload) const {
    return Eventually([&] {
      for (const Entry& e : accepted()) {
        if (e.topic == topic && e.payload == payload) return true;
      }
      return false;
    });
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Entry> accepted_;
  std::vector<Entry> refused_;
  int refuse_ = 0;
};

// Paho's one receive thread sleeps up to a second when no socket has anything for it, and learns
// of a new connection only then. This gives it something every few milliseconds, so that tests
// that reconnect a lot take less time: a link to a peer that says nothing but PINGRESP, until the
// process ends.
inline void KeepPahoAwake() {
  static const bool once = [] {
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = Loopback(0);
    socklen_t length = sizeof(address);
    if (bind(server, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        listen(server, 1) != 0 ||
        getsockname(server, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
      throw std::runtime_error("no loopback port to keep Paho awake");
    }
    std::thread([server] {
      const int client = accept(server, nullptr, nullptr);
      char connect[1024];
      const char connack[] = {0x20, 2, 0, 0};
      const char pingresp[] = {static_cast<char>(0xd0), 0};
      if (read(client, connect, sizeof(connect)) <= 0) return;
      ssize_t sent = write(client, connack, sizeof(connack));
      while (sent > 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        sent = send(client, pingresp, sizeof(pingresp), MSG_NOSIGNAL);
      }
    }).detach();
    MqttOptions options;
    options.brokers = {"tcp://127.0.0.1:" + std::to_string(ntohs(address.sin_port))};
    options.client_id = "awake";
    options.keep_alive = Duration::Seconds(3600);
    static const auto* const link = new std::unique_ptr<MqttLink>(
        std::move(NewPahoMqttLink(options)).value());
    return (*link)->Start().ok();
  }();
  static_cast<void>(once);
}

inline MqttOptions LinkOptions(const std::string& broker, const std::string& client_id,
                               int version) {
  MqttOptions options;
  options.brokers = {broker};
  options.client_id = client_id;
  options.version = version;
  options.reconnect_min = Duration::Millis(20);
  options.reconnect_max = Duration::Millis(200);
  return options;
}
inline MqttOptions SinkOptions(const std::string& broker, const std::string& client_id,
                               int version) {
  MqttOptions options = LinkOptions(broker, client_id, version);
  options.persistent_session = false;
  return options;
}

// A started link, connected before this returns. Throws when it does not connect.
inline std::unique_ptr<MqttLink> Connected(const MqttOptions& options,
                                           LinkRecorder* recorder = nullptr,
                                           std::vector<MqttSubscription> subscriptions = {}) {
  KeepPahoAwake();
  auto made = NewPahoMqttLink(options);
  if (!made.ok()) throw std::runtime_error(made.status().ToString());
  std::unique_ptr<MqttLink> link = std::move(made).value();
  if (recorder != nullptr) link->OnMessage(recorder->Handler());
  link->Subscribe(std::move(subscriptions));
  const Status status = link->Start();
  if (!status.ok()) throw std::runtime_error(status.ToString());
  // One that takes no message does not stay connected long enough to be granted its subscriptions.
  if (!Eventually([&link] { return link->Stats().connected || link->Stats().connects > 1; })) {
    throw std::runtime_error("not connected: " + link->Stats().last_error);
  }
  return link;
}

// Publishes and waits for the acknowledgement, again and again if the connection is lost.
inline bool PublishSurely(MqttLink* link, const std::string& topic, const std::string& payload,
                          int qos = 1, bool retain = false) {
  struct Outcome {
    std::mutex mutex;
    bool called = false;
    bool ok = false;
  };
  for (int attempt = 0; attempt < 5; ++attempt) {
    const auto outcome = std::make_shared<Outcome>();
    MqttLink::Publication p;
    p.topic = topic;
    p.payload = payload;
    p.qos = qos;
    p.retain = retain;
    const bool taken = Eventually([&] {
      return link->Publish(p, [outcome](MqttLink::Delivery delivery, const std::string&) {
        const std::lock_guard lock(outcome->mutex);
        outcome->called = true;
        outcome->ok = delivery == MqttLink::Delivery::kAcknowledged;
      });
    });
    if (!taken) return false;
    const bool called = Eventually([&] {
      const std::lock_guard lock(outcome->mutex);
      return outcome->called;
    });
    if (!called) return false;
    const std::lock_guard lock(outcome->mutex);
    if (outcome->ok) return true;
  }
  return false;
}

// Waits until the broker has the subscriptions: a message sent to oneself on `topic` comes back.
inline bool Subscribed(MqttLink* publisher, const LinkRecorder& recorder,
                       const std::string& topic) {
  for (int i = 0; i < 500; ++i) {
    const std::string probe = "probe" + std::to_string(i);
    if (!PublishSurely(publisher, topic, probe, 0)) return false;
    const auto arrived = [&recorder] { return recorder.count() > 0; };
    if (Eventually(arrived, std::chrono::milliseconds(100))) return true;
  }
  return false;
}

}  // namespace rivulet::testing
