// A link that shows the simulation what passes through it.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "transport/mqtt_link.h"

namespace rivulet::sim {

// Both hooks may be null: then everything passes as it is.
class ObservedLink final : public MqttLink {
 public:
  // Called with each message and the node's handler for it; returns what the broker is told.
  using ArrivalHook = std::function<Status(const MqttMessage&, const MessageHandler&)>;
  // Called with each publish the link has accepted.
  using PublishHook = std::function<void(const Publication&)>;

  ObservedLink(std::unique_ptr<MqttLink> base, ArrivalHook on_arrival, PublishHook on_publish)
      : base_(std::move(base)),
        on_arrival_(std::move(on_arrival)),
        on_publish_(std::move(on_publish)) {}

  void OnMessage(MessageHandler handler) override {
    if (on_arrival_ == nullptr) return base_->OnMessage(std::move(handler));
    base_->OnMessage([hook = on_arrival_, handler = std::move(handler)](const MqttMessage& m) {
      return hook(m, handler);
    });
  }
  Status Start() override { return base_->Start(); }
  void Subscribe(std::vector<MqttSubscription> s) override { base_->Subscribe(std::move(s)); }
  void Pause(bool paused) override { base_->Pause(paused); }
  bool Publish(const Publication& publication, DoneHandler done) override {
    if (early_) {
      if (!base_->Publish(publication, [](Delivery, const std::string&) {})) return false;
      done(Delivery::kAcknowledged, "");
    } else if (!base_->Publish(publication, std::move(done))) {
      return false;
    }
    if (on_publish_) on_publish_(publication);
    return true;
  }
  MqttLinkStats Stats() const override {
    MqttLinkStats stats = base_->Stats();
    stats.connected = stats.connected || feigned_;
    return stats;
  }
  // Says from now on that it is connected, whatever is true.
  void Feign() { feigned_ = true; }
  // From now on what has left is acknowledged.
  void AcknowledgeEarly() { early_ = true; }
  bool connected() const { return base_->Stats().connected; }
  void Stop(Duration timeout) override { base_->Stop(timeout); }

 private:
  std::unique_ptr<MqttLink> base_;
  bool feigned_ = false, early_ = false;
  ArrivalHook on_arrival_;
  PublishHook on_publish_;
};

}  // namespace rivulet::sim
