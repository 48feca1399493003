// Lane: one MQTT session and its journal. What comes is journaled before it is acknowledged, with a time at
// which it was received; where nothing comes and something is due, a tick says that time goes on. The
// journal is the log that pipelines read.
//
// A tick is journaled while the session is up and something is due by it, or waits and has not been told the
// time for a while (so that a node that is restarted has lost little of a silence). Nothing waits, nothing is
// written. What a broken link holds up is not late: where listening begins anew, at a start, after each
// connect and where the clock was set, a tick says so before the first message.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/log_message.h"
#include "base/status.h"
#include "base/types.h"
#include "node/engine/background.h"
#include "node/lane/journal_input.h"
#include "node/lane/lane_clock.h"
#include "node/lane/lane_session.h"
#include "node/lane/link_watch.h"
#include "state/file.h"
#include "state/journal.h"
#include "state/store.h"
#include "transport/mqtt_link.h"

namespace rivulet {

struct LaneOptions {
  LaneId id;
  JournalOptions journal;              // with its directory
  Duration sync_interval;              // of the journal, with JournalSync::kInterval
  uint64_t max_payload = 0;            // of what is larger only the head is journaled
  int qos = 1;                         // of subscriptions
  int commits_for_sure = 1;            // see NewFilters
  // So many entries of the journal are kept whatever retention says: what comes again must be known.
  uint64_t redelivery_window = 0;
};

// All must outlive it.
struct LaneParts {
  FileSystem* files = nullptr;
  const Store* store = nullptr;
  MqttLink* link = nullptr;
  Background* syncer = nullptr;        // syncs of the journal
  std::function<Now()> clock;          // called on any thread
  std::function<bool()> clock_known;   // the machine knows the date; null: it does
  std::function<void()> wake;          // something was journaled; called on the link's thread; may be null
  LogFunction log;
};

// The engine's thread, where nothing else is said.
class Lane {
 public:
  Lane(LaneOptions options, LaneParts parts);

  // The journal, which can be read from then on. Errors: its.
  Status Open();
  // The session: what the store knows of it, and then what is wanted of it. Errors: those of the store.
  Status OpenSession() { return session_.Open(*parts_.store, journal_.get()); }
  void Subscribe(const std::vector<WantedFilter>& wanted, Delta* delta) {
    session_.Subscribe(wanted, *parts_.store, delta);
  }
  Status Start() { return parts_.link->Start(); }

  bool is_open() const { return journal_ != nullptr; }
  Journal& journal() { return *journal_; }
  const Journal& journal() const { return *journal_; }
  // Nothing can be read before the journal is open.
  InputLog* input() { return &input_; }
  LaneSession& session() { return session_; }
  const LaneSession& session() const { return session_; }

  // Journals a tick when one is due. `is_due`: whether it would bring something about at that receive time;
  // with `tell`, also whether something waits for time at all.
  using IsDue = std::function<bool(EventTime received, bool tell)>;
  void KeepTime(Now now, const IsDue& is_due);
  // Syncs the journal in the background when that is due.
  void Sync(Now now);
  // Trims the journal, now and then, up to what `consumed` says everybody has for sure.
  void Trim(Now now, const std::function<Offset()>& consumed, Delta* delta);
  // Says in the log how the link is, and what of what is wanted holds.
  void WatchLink(Now now, Delta* delta);

  MqttLinkStats LinkStats() const { return parts_.link->Stats(); }
  // Messages that the journal could not take.
  uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }
  // See LaneClock::Describe.
  std::string DescribeClock() const;

 private:
  Status Ingest(const MqttMessage& message);
  Status Receive(uint64_t connection, ReceiveTime* received);
  void SayDamage();

  const LaneOptions options_;
  const LaneParts parts_;
  LaneSession session_;
  std::unique_ptr<Journal> journal_;
  JournalInput input_{options_.id};
  // Held while a receive time is taken and journaled, so that none falls behind another.
  mutable std::mutex ingest_mutex_;
  std::unique_ptr<LaneClock> clock_;
  uint64_t listening_ = 0;              // the connection of which the journal knows
  LinkWatch link_watch_{"broker, input"};
  std::atomic<uint64_t> refused_{0};
  std::atomic<bool> sync_under_way_{false};
  std::atomic<bool> sync_failed_{false};
  Monotonic last_time_check_, last_tick_, last_sync_, last_trim_, last_link_check_;
  uint64_t failed_syncs_ = 0, damaged_entries_ = 0;  // of the journal, as logged
};

}  // namespace rivulet
