#include "node/lane/lane.h"

#include <algorithm>

#include "node/lane/large_message.h"

namespace rivulet {
namespace {

// At most a tick in this time.
constexpr Duration kTickEvery = Duration::Seconds(1);
// While something waits: at least one.
constexpr Duration kTellTimeEvery = Duration::Seconds(60);
constexpr Duration kTrimEvery = Duration::Seconds(5);
constexpr Duration kLinkCheckEvery = Duration::Millis(100);
// A sync of the journal that fails writes a whole segment anew; a medium that is gone is not pestered.
constexpr Duration kRetrySyncEvery = Duration::Seconds(1);

}  // namespace

Lane::Lane(LaneOptions options, LaneParts parts)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      session_(parts_.link, options_.qos, options_.commits_for_sure, parts_.log) {}

Status Lane::Open() {
  RIVULET_RETURN_IF_ERROR(parts_.files->CreateDirectories(options_.journal.directory));
  JournalRecovery recovery;
  RIVULET_ASSIGN_OR_RETURN(journal_, Journal::Open(parts_.files, options_.journal, &recovery));
  if (recovery.torn_bytes > 0 || recovery.damaged_entries > 0 || recovery.doubtful_segments > 0) {
    parts_.log('w', recovery.detail);
  }
  input_.Open(journal_.get());
  clock_ = std::make_unique<LaneClock>(journal_->last_time(), parts_.log);
  clock_->SetKnown(!parts_.clock_known || parts_.clock_known());
  parts_.link->OnMessage([this](const MqttMessage& m) { return Ingest(m); });
  return Status::Ok();
}

// On the link's thread. Only journals: what is acknowledged is on disk, nothing else has happened yet.
Status Lane::Ingest(const MqttMessage& message) {
  if (!session_.IsNews(message)) return Status::Ok();
  Status status;
  std::string_view payload = message.payload;
  std::string cut;
  if (payload.size() > std::max<uint64_t>(options_.max_payload, kLargeMessageHead)) {
    payload = cut = CutLargeMessage(payload);
  }
  {
    const std::lock_guard lock(ingest_mutex_);
    bool dropped = false;
    ReceiveTime received;
    status = Receive(message.connection, &received);
    if (status.ok()) {
      status = journal_->Append(message.topic, payload, received,
                                message.qos > 0 ? message.packet_id : uint16_t{0}, message.duplicate,
                                &dropped);
    }
  }
  if (status.ok()) {
    session_.Journaled(message);
  } else {
    session_.Refused(message);
    refused_.fetch_add(1, std::memory_order_relaxed);
  }
  if (parts_.wake) parts_.wake();
  return status;
}

// With ingest_mutex_ held: the receive time of what comes by `connection` now.
Status Lane::Receive(uint64_t connection, ReceiveTime* received) {
  const LaneClock::Reading reading = clock_->Read(parts_.clock());
  *received = reading.time;
  if (!reading.resumes && connection == listening_) return Status::Ok();
  RIVULET_RETURN_IF_ERROR(journal_->AppendTick(reading.time, true));
  listening_ = connection;
  clock_->Resumed();
  return Status::Ok();
}

void Lane::KeepTime(Now now, const IsDue& is_due) {
  if (now.monotonic - last_time_check_ < kTickEvery) return;
  last_time_check_ = now.monotonic;
  const bool known = !parts_.clock_known || parts_.clock_known();
  const MqttLinkStats link = LinkStats();
  const std::lock_guard lock(ingest_mutex_);
  clock_->SetKnown(known);
  if (!link.connected) return;
  ReceiveTime received;
  Status status = Receive(link.connection, &received);
  if (status.ok() && is_due(received.at, now.monotonic - last_tick_ >= kTellTimeEvery)) {
    status = journal_->AppendTick(received, false);
    last_tick_ = now.monotonic;
  }
  if (!status.ok()) refused_.fetch_add(1, std::memory_order_relaxed);
}

void Lane::Sync(Now now) {
  if (options_.journal.sync != JournalSync::kInterval || sync_under_way_) return;
  const Duration every =
      sync_failed_ ? std::max(options_.sync_interval, kRetrySyncEvery) : options_.sync_interval;
  if (now.monotonic - last_sync_ < every) return;
  const JournalStats stats = journal_->Stats();
  if (stats.synced >= stats.end) return;
  last_sync_ = now.monotonic;
  sync_under_way_ = true;
  parts_.syncer->Post([this] {
    const Status status = journal_->Sync();
    if (!status.ok()) parts_.log('e', LogMessage(status, "journal: "));
    sync_failed_ = !status.ok();
    sync_under_way_ = false;
  });
}

void Lane::Trim(Now now, const std::function<Offset()>& consumed, Delta* delta) {
  if (now.monotonic - last_trim_ < kTrimEvery) return;
  last_trim_ = now.monotonic;
  const uint64_t end = journal_->end().value;
  const Offset known{end - std::min(end, options_.redelivery_window)};
  const Offset trimmable = session_.Trimmable(options_.journal.retain_bytes, delta);
  const Status status = journal_->Trim(std::min({consumed(), known, trimmable}), now.wall);
  if (!status.ok()) parts_.log('e', LogMessage(status, "journal: "));
  SayDamage();
}

void Lane::SayDamage() {
  const JournalStats stats = journal_->Stats();
  if (stats.damaged_entries > damaged_entries_) {
    parts_.log('e', "journal: " + std::to_string(stats.damaged_entries - damaged_entries_) +
                        " entries were found damaged when they were read, and are lost; the disk or card "
                        "changes bytes: replace it");
  }
  damaged_entries_ = stats.damaged_entries;
  const uint64_t failed = stats.failed_syncs;
  if (failed > failed_syncs_) {
    parts_.log('e', "journal: " + std::to_string(failed - failed_syncs_) +
                        " syncs failed; what they were to make durable is written anew. The disk or card is "
                        "failing: replace it");
  }
  failed_syncs_ = failed;
}

void Lane::WatchLink(Now now, Delta* delta) {
  if (now.monotonic - last_link_check_ < kLinkCheckEvery) return;
  last_link_check_ = now.monotonic;
  const MqttLinkStats link = LinkStats();
  link_watch_.Look(now.monotonic, link, parts_.log);
  session_.Look(now.monotonic, link, delta);
}

std::string Lane::DescribeClock() const {
  const std::lock_guard lock(ingest_mutex_);
  return clock_->Describe();
}

}  // namespace rivulet
