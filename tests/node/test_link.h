// An MQTT link for tests of a node: messages come in by hand, and what is published is kept.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "transport/mqtt_link.h"

namespace rivulet::testing {

// Takes every publish, and acknowledges it at once, or when told.
class TestLink final : public MqttLink {
 public:
  enum class Acknowledges { kAtOnce, kWhenTold };
  explicit TestLink(Acknowledges when = Acknowledges::kAtOnce) : when_(when) {}

  void OnMessage(MessageHandler handler) override { handler_ = std::move(handler); }
  Status Start() override { return Status::Ok(); }
  void Subscribe(std::vector<MqttSubscription>) override {}
  void Pause(bool) override {}
  bool Publish(const Publication& publication, DoneHandler done) override {
    published.push_back(std::string(publication.topic) + " " + std::string(publication.payload));
    if (when_ == Acknowledges::kAtOnce) {
      done(Delivery::kAcknowledged, "");
    } else {
      waiting_.push_back(std::move(done));
    }
    return true;
  }
  MqttLinkStats Stats() const override { return stats; }
  void Stop(Duration) override {}

  Status Deliver(std::string_view topic, std::string_view payload) {
    MqttMessage message;
    message.topic = topic;
    message.payload = payload;
    return Deliver(message);
  }
  Status Deliver(const MqttMessage& message) { return handler_(message); }
  void Acknowledge() {
    for (const DoneHandler& done : std::exchange(waiting_, {})) done(Delivery::kAcknowledged, "");
  }

  std::vector<std::string> published;  // "topic payload"
  MqttLinkStats stats;                 // as it says it is

 private:
  Acknowledges when_;
  MessageHandler handler_;
  std::vector<DoneHandler> waiting_;
};

}  // namespace rivulet::testing
