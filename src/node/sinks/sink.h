// Sink: takes results from an output log, in order, and says how far they are with the receiver.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/types.h"
#include "node/config/spec.h"
#include "state/file.h"
#include "transport/mqtt_link.h"

namespace rivulet {

// One entry of an output log.
struct OutputEntry {
  uint64_t sequence = 0;   // position in the log
  std::string id;          // deterministic: pipeline, key, window start, revision (32 hex digits)
  std::string window_id;   // the same without the revision: what a revision replaces
  uint32_t revision = 0;
  std::string json;        // flat JSON object, without a newline
};

// How far a sink is: `next` is the first sequence not yet with the receiver. `position` is the
// sink's own (a file's length). Stored with the next commit, given back at Open.
struct SinkCursor {
  uint64_t next = 0;
  uint64_t position = 0;
  // The receiver is the sink's own, and knows or shows how far it is: what it holds less than that is a
  // gap, and without this what it holds is not touched. Nothing is offered until this is stored safely.
  bool begun = false;
  // Bytes known to be missing before `position`, of which the receiver has no note yet.
  uint64_t gap = 0;
  bool operator==(const SinkCursor&) const = default;
};

struct SinkStats {
  std::string name;           // "mqtt aggregates/{sensor}"
  uint64_t delivered = 0;     // since start
  uint64_t errors = 0;
  uint64_t refused = 0;       // that the receiver will never take: set aside
  bool available = true;
  std::string last_error;
  uint64_t gaps = 0;          // results found missing at the receiver, and noted there
  std::string last_gap;
};

// A result that its receiver will never take.
struct RefusedResult {
  std::string_view pipeline, sink, topic, id, reason;
  std::string_view json;
};

// Where such results are kept, so that they neither hold up what follows nor are gone.
class RefusedResults {
 public:
  virtual ~RefusedResults() = default;
  // Errors: those of the file; then the result is not kept, and is to be brought again.
  virtual Status Keep(const RefusedResult& result) = 0;
  // What was kept is on the medium.
  virtual Status Sync() = 0;
  // Whether a result of `pipeline` on this topic would come to it as input again.
  virtual bool ComesBack(std::string_view pipeline, std::string_view topic) const = 0;
};

// All functions are called on one thread. A sink never throws a result away: what it cannot take
// now it is offered again.
class Sink {
 public:
  virtual ~Sink() = default;

  // Called first, and again after it failed. `*cursor` is as last committed; a sink that keeps its own
  // (SQLite) or must cut what a crash left half done (file) does so here and corrects `*cursor`.
  virtual Status Open(SinkCursor* cursor) = 0;

  // Takes a prefix of `entries` (in sequence order, starting where the last call ended) and returns
  // its length; 0 when it can take nothing now (not connected, in-flight limit, error: see Stats).
  // After a lost connection a sink may set Rewound() and is then offered again from Cursor().next.
  virtual size_t Offer(std::span<const OutputEntry> entries) = 0;

  // Everything before cursor.next is with the receiver (PUBACK, committed transaction, written).
  virtual SinkCursor Cursor() const = 0;

  // True once after entries that were taken turned out not to have arrived: offer again from
  // Cursor().next.
  virtual bool Rewound() { return false; }

  // Makes what lies before Cursor() survive a power cut; called before that cursor is stored. Receivers
  // that acknowledge durably have nothing to do.
  virtual Status Sync() { return Status::Ok(); }

  // True while everything before Cursor().next is with a receiver that keeps it without Sync. How far the
  // sink is can then be noted at once, before a commit stores it.
  virtual bool Notable() const { return false; }

  // Whether `id` and `window_id` of entries are looked at: making them costs two hashes.
  virtual bool WantsIds() const { return true; }

  virtual SinkStats Stats() const = 0;

  // True when the receiver turned out not to be the one that was opened any more: open again.
  virtual bool Lost() const { return false; }

  // What Open found at the receiver ends before `begin`, and what is missing is no longer kept. ok: it was
  // noted at the receiver, and Cursor().next is `begin`. Errors: kSinkGap, with the ways out.
  virtual Status Skip(uint64_t begin);
};

// Publishes to `link` (shared with others; outlives the sink), QoS 1 in order: at most one QoS 1
// publish sequence, cursor moves on PUBACK. Template fields are taken from the result's JSON.
// What the broker refuses, or ends connections for (tried alone kAloneTries times), goes to `refused`
// (shared, outlives the sink; null: it is only counted) and counts as delivered.
inline constexpr int kAloneTries = 3;
Result<std::unique_ptr<Sink>> NewMqttSink(const SinkSpec& spec, MqttLink* link,
                                          const std::string& pipeline = "",
                                          RefusedResults* refused = nullptr);

// Upserts into a table whose columns are created from the results' fields; result and cursor in
// one transaction, so nothing is lost or doubled whatever crashes.
Result<std::unique_ptr<Sink>> NewSqliteSink(const SinkSpec& spec, const std::string& pipeline);

// One JSON object a line. After a crash the file is cut to cursor.position and continued, so it
// ends up byte for byte what an uninterrupted run writes. A sink that has not begun uses the file as `use`
// says. With `record_gaps` a line {"@gap":{"bytes":B,"before":N}} stands where B bytes were taken out of
// the file before result number N; without, the sink cannot be opened then (kSinkGap). `files` outlives it.
Result<std::unique_ptr<Sink>> NewFileSink(const std::string& path, FileSystem* files,
                                          OutputUse use = OutputUse::kNew, bool record_gaps = false);

// Standard output, one JSON object a line; at-least-once by nature.
std::unique_ptr<Sink> NewStdoutSink();

}  // namespace rivulet
