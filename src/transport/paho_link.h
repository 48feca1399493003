// PahoLink: the MqttLink that keeps one Paho connection up.
//
// One thread of its own makes the connections one after another and does everything that follows
// from them; callers and Paho's threads only leave notes for it. Locking is therefore simple: one
// mutex around the notes, never held while calling Paho or a handler.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "transport/inbound_store.h"
#include "transport/mqtt_link.h"
#include "transport/paho_client.h"

namespace rivulet {

class PahoLink final : public MqttLink, private PahoEvents {
 public:
  explicit PahoLink(MqttOptions options);
  ~PahoLink() override;

  void OnMessage(MessageHandler handler) override { handler_ = std::move(handler); }
  Status Start() override;
  void Subscribe(std::vector<MqttSubscription> subscriptions) override;
  void Pause(bool paused) override;
  bool Publish(const Publication& publication, DoneHandler done) override;
  MqttLinkStats Stats() const override;
  void Retry() override;
  void Stop(Duration timeout) override;

 private:
  struct Event {
    enum class Kind { kConnected, kConnectFailed, kLost, kRefused, kGranted, kPublished } kind;
    uint64_t id = 0;
    Delivery delivery = Delivery::kLost;
    std::string why{};
  };
  // Why a connection is no more; decides when and where the next one is tried.
  enum class Outcome { kUnwanted, kFailed, kLost, kRefused };
  using Lock = std::unique_lock<std::mutex>;

  // PahoEvents.
  bool OnArrived(const MqttMessage& message) override;
  void OnConnected(const BrokerLimits& limits) override;
  void OnConnectFailed(LinkState trouble, std::string why) override;
  void OnLost(LinkState trouble, std::string why) override;
  void OnSubscribed(const std::string& denied, std::string why) override;
  void OnPublished(uint64_t id, bool acknowledged, int reason, std::string why) override;
  void Note(Event event);
  void NoteTrouble(LinkState trouble, std::string why);

  // With the lock held.
  void SetTrouble(LinkState trouble, std::string why);
  void SettleState();

  // The link's thread.
  void Run();
  bool WaitUntilWanted();
  void WaitBeforeRetry(Duration delay);
  Outcome RunConnection(const std::string& broker);
  void ReadPassword();
  Outcome Serve(PahoClient* client);
  bool WaitForEvents(Lock* lock, PahoClient* client);
  void CountShortLife();
  void Welcome(PahoClient* client);
  void ApplySubscriptions(PahoClient* client, bool all);
  void PublishStatus(PahoClient* client, const std::string& payload, uint64_t id);
  void Goodbye(PahoClient* client);
  void CloseDoor();
  void FailPending();
  void Complete(const Event& event);
  void NoteError(const Status& status);

  MqttOptions options_;  // its password: the link's thread only
  MessageHandler handler_;
  InboundStore store_;
  std::atomic<uint64_t> received_{0};
  std::atomic<uint64_t> connection_{0};
  std::atomic<bool> refused_{false};  // the last message offered was not taken

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  // Guarded by mutex_.
  std::deque<Event> events_;
  std::vector<MqttSubscription> wanted_;
  bool wanted_changed_ = false;
  bool paused_ = false;
  bool stopping_ = false;
  bool retry_ = false;
  Duration goodbye_timeout_{0};  // 0: leave without a word
  MqttLinkStats stats_;
  PahoClient* open_ = nullptr;  // the connected client, for Publish
  bool open_connection_ = false;  // the broker has let us in
  size_t ungranted_ = 0;          // subscriptions it has not answered yet
  BrokerLimits limits_;
  bool one_at_a_time_ = false;    // see CountShortLife
  int leases_ = 0;              // Publish calls inside open_ at the moment
  uint64_t next_id_;
  std::map<uint64_t, DoneHandler> pending_;  // in the order of their Publish

  // The link's thread only.
  std::vector<MqttSubscription> applied_;  // what the session may hold at the broker
  bool goodbye_acknowledged_ = false;
  bool tried_alone_ = false;   // the last connection ended with one publication under way, as asked
  bool settled_ = false;       // the present connection has lasted
  int short_lives_ = 0;        // connections in a row that did not
  uint64_t acknowledged_ = 0;  // publishes, on the present connection

  std::thread thread_;  // last: starts when everything else is there
};

}  // namespace rivulet
