// LaneSession: what a lane's MQTT session is subscribed to, and which of the messages that come are news.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/log_message.h"
#include "base/status.h"
#include "base/types.h"
#include "node/lane/new_filters.h"
#include "node/lane/retained_filter.h"
#include "node/lane/subscription_plan.h"
#include "state/journal.h"
#include "state/store.h"
#include "transport/mqtt_link.h"
#include "transport/topic.h"

namespace rivulet {

// The engine's thread, but for IsNews, Journaled and Refused, which are the link's. What is to be remembered
// goes into a delta, for the next commit.
class LaneSession {
 public:
  // `link` must outlive it. `commits_for_sure`: see NewFilters.
  LaneSession(MqttLink* link, int qos, int commits_for_sure, LogFunction log)
      : link_(link), qos_(qos), log_(std::move(log)), new_filters_(commits_for_sure) {}

  // What the session was subscribed to when the node last ran. Errors: those of the store.
  static Result<std::vector<std::string>> FormerFilters(const Store& store);

  // Before the first message comes. `journal` must outlive it. Errors: those of the store.
  Status Open(const Store& store, Journal* journal);
  // From now on this is wanted.
  void Subscribe(const std::vector<WantedFilter>& wanted, const Store& store, Delta* delta);
  bool wants_nothing() const { return subscriptions_.empty(); }

  // How the link is: to be called several times a second.
  void Look(Monotonic now, const MqttLinkStats& link, Delta* delta);
  // Is to hear of the commits that take the deltas along.
  CommitListener* listener() { return &new_filters_; }
  // Up to where a journal that is to be no larger than `retain_bytes` may be trimmed: what it holds of
  // filters that are new is known to the store.
  Offset Trimmable(uint64_t retain_bytes, Delta* delta);

  // On the link's thread: whether to journal the message; and then, whether that could be done.
  bool IsNews(const MqttMessage& message);
  void Journaled(const MqttMessage& message) { retained_.Journaled(message); }
  void Refused(const MqttMessage& message) { retained_.Refused(message); }

 private:
  bool ShowPast();

  MqttLink* const link_;
  const int qos_;
  const LogFunction log_;
  Journal* journal_ = nullptr;
  std::vector<MqttSubscription> subscriptions_;
  uint32_t renewals_ = 0;
  NewFilters new_filters_;
  std::mutex wanted_mutex_;
  std::vector<TopicPattern> wanted_patterns_;  // when more comes than anybody wants; else empty
  RetainedFilter retained_;
  std::mutex past_mutex_;
  Offset past_shown_;                          // up to where `retained_` has seen the journal
};

}  // namespace rivulet
