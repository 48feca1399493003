// Journal: a lane's durable log of messages as received: what is acknowledged to the broker is in
// here first. Segment files in one directory, append-only, checksummed, trimmed from the front.
// The format is written down in journal_format.h, once for writer and reader.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/types.h"
#include "state/file.h"

namespace rivulet {

enum class JournalSync : uint8_t { kAlways, kInterval, kNever };

struct JournalOptions {
  std::string directory;
  JournalSync sync = JournalSync::kInterval;
  uint64_t segment_bytes = 8ull << 20;
  // Entries already consumed are kept until the journal is larger or they are older than this.
  uint64_t retain_bytes = 64ull << 20;
  Duration retain_age = Duration::Seconds(3600);
};

// When an entry was received, by the node's account. `assumed`: it does not know the date.
struct ReceiveTime {
  EventTime at;
  bool assumed;
  ReceiveTime(EventTime received = {}, bool is_assumed = false) : at(received), assumed(is_assumed) {}
};

// One message, or a tick (see journal_format.h). In a batch read, `topic` and `payload` point into the
// reader's buffer.
struct JournalEntry {
  Offset offset;
  std::string_view topic;
  std::string_view payload;   // kPayloadPadding bytes behind it are readable
  EventTime received;
  uint16_t packet_id = 0;     // MQTT packet id; 0 for QoS 0
  // Identifies the topic within this process: equal topics read by one reader have equal ids, small
  // and dense, so per-topic work (matching, captures) can be cached in an array.
  uint32_t topic_id = 0;
  bool assumed = false;       // of the receive time: the node did not know the date
  bool resumes = false;       // a tick behind a time in which nobody listened

  bool tick() const { return topic.empty() && payload.empty(); }
};

// What opening found and did, for the log and the status page.
struct JournalRecovery {
  uint64_t entries = 0;
  uint64_t segments = 0;
  uint64_t torn_bytes = 0;    // cut off the tail: an append that a crash interrupted
  uint64_t damaged_entries = 0;  // checksum failures before the tail: skipped and reported
  uint64_t doubtful_segments = 0;  // a sync had failed before the last end: written anew
  std::string detail;
};

struct JournalStats {
  uint64_t bytes = 0;          // on disk now
  uint64_t segments = 0;
  uint64_t appended_bytes = 0; // since open, including framing
  uint64_t appended_entries = 0;  // messages
  uint64_t appended_ticks = 0;
  uint64_t duplicates = 0;     // redeliveries dropped
  uint64_t damaged_entries = 0;  // lost to damage met by readers since open
  uint64_t failed_syncs = 0;     // since open: what they left in doubt is written anew
  Offset begin, end, synced;   // first retained, next to be written, all before are on the medium
};

// Thread-safe: one thread at a time appends, one reads, others sync and trim.
class Journal {
 public:
  virtual ~Journal() = default;

  // Opens or creates. A torn tail is cut off, and said in `recovery`. The packet ids at the end
  // are remembered so that redelivered messages are recognised after a restart.
  static Result<std::unique_ptr<Journal>> Open(FileSystem* files, const JournalOptions& options,
                                               JournalRecovery* recovery);

  // Appends one message. With QoS > 0 and `duplicate` (the DUP flag), a message whose packet id,
  // topic and payload were the last journaled under that id is dropped, returning ok and setting
  // `*dropped`. Returns after the bytes are with the kernel (and, with sync always, on the medium).
  // Errors: kDiskFull, kIo: then the message is NOT journaled and must not be acknowledged.
  // kRecordTooLarge: no MQTT message is that large.
  virtual Status Append(std::string_view topic, std::string_view payload,
                        const ReceiveTime& received, uint16_t packet_id, bool duplicate,
                        bool* dropped) = 0;

  // Appends a tick: nothing more came up to `received`; with `resumes`, what lies before it since the last
  // entry was not listened to. Errors: kDiskFull, kIo.
  virtual Status AppendTick(const ReceiveTime& received, bool resumes) = 0;

  // Makes all that was appended before the call durable. Where the disk fails a sync, what it was to
  // make durable is read back and written to another file (JournalStats::failed_syncs counts that);
  // ok says that it is on the medium, there or here. Errors: kDiskFull, kIo: it is not, and the next call
  // tries again; kCorrupt: nor can it be, as it cannot be read back. Only opening the journal
  // anew goes on without what is lost.
  virtual Status Sync() = 0;

  // Makes end() at least `offset`; the offsets between are never used. Called at start with the
  // largest cursor into this journal: a power cut may take back entries whose effects are durable
  // elsewhere, and new entries must not get numbers a consumer has already passed.
  // Errors: kDiskFull, kIo.
  virtual Status AdvanceTo(Offset offset) = 0;

  // Drops segments before `consumed` as far as retention allows.
  virtual Status Trim(Offset consumed, EventTime now) = 0;

  // Receive time of the last entry; 0 when there never was one.
  virtual EventTime last_time() const = 0;
  virtual Offset begin() const = 0;
  virtual Offset end() const = 0;
  virtual JournalStats Stats() const = 0;

  // Reads forward from any retained offset. Independent of the journal's lock for bytes that are
  // already written.
  class Reader {
   public:
    virtual ~Reader() = default;
    // The next entries, at most `max_entries` and about `max_bytes`; empty at the end. The views
    // stay valid until the next call. Errors: kOffsetTrimmed, kIo.
    virtual Status Read(size_t max_entries, size_t max_bytes,
                        std::vector<JournalEntry>* entries) = 0;
    virtual Offset position() const = 0;
  };
  // Readers must not outlive the journal. Errors: kOffsetTrimmed; kStateMismatch when `from` lies
  // behind end().
  virtual Result<std::unique_ptr<Reader>> NewReader(Offset from) = 0;
};

}  // namespace rivulet
