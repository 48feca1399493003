// OutputChannel: one kind of output of a pipeline (results, late records, dead letters): its log, and the
// sinks that read it.
//
// How far a sink is is stored with commits. Where its receiver keeps no cursor it is noted besides, as soon
// as it is known: what a process that is killed has sent once more is then no more than the entries given to
// the sink since its last note, for which there is a limit.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "node/engine/delivery_notes.h"
#include "node/sinks/sink.h"
#include "state/output_log.h"

namespace rivulet {

enum class ChannelKind : uint8_t { kResults = 0, kLate = 1, kDead = 2 };
inline constexpr size_t kChannels = 3;

// One thread.
class OutputChannel {
 public:
  // `store` null: nothing outlives the process. `next` as last committed.
  OutputChannel(std::string pipeline, uint16_t pipeline_id, ChannelKind kind, const Store* store,
                uint64_t next);

  // Results are records: several can have one key and time, so an entry's number is part of its id.
  void NumberIds() { number_ids_ = true; }

  // How far sinks are is noted there, which outlives the channel, and no sink for which that is done is given
  // more than `window` entries beyond its last note. To be called before AddSink.
  void NoteIn(DeliveryNotes* notes, size_t window) {
    notes_ = notes;
    window_ = window;
  }

  // Adds a sink under a name that stays the same from run to run ("file out.ndjson"), and opens it at its
  // committed cursor; a sink that is new starts with the next entry. With `may_wait` a sink that cannot be
  // opened now is opened later, and its results wait: Stats() say so.
  Status AddSink(const std::string& name, std::unique_ptr<Sink> sink, bool may_wait = false);
  bool has_sinks() const { return !readers_.empty(); }

  // Another pipeline, or several, read the entries too: those from `sequence` on are kept for them. The
  // caller says so before the first Append and the first commit, and again as they get on. kNobody: none
  // does (any more), and what was kept for them goes.
  static constexpr uint64_t kNobody = std::numeric_limits<uint64_t>::max();
  void KeepFrom(uint64_t sequence) { kept_from_ = sequence; }
  bool is_read() const { return kept_from_ != kNobody; }

  // Only for somebody: otherwise the entry would never be trimmed.
  void Append(uint32_t revision, int64_t start_us, std::string_view key, std::string_view json,
              const OutputPlace* place = nullptr) {
    if (has_sinks() || is_read()) log_.Append(revision, start_us, key, json, place);
  }

  // For pipelines that read it. See OutputLog.
  Result<uint64_t> Begin() const { return log_.Begin(); }
  uint64_t readable() const { return log_.readable(); }
  template <typename Visit>
  Status Read(uint64_t from, size_t limit, Visit visit) const {
    return log_.Read(from, limit, visit);
  }

  // Offers what can be read. True when some sink took or acknowledged something.
  Result<bool> Pump();
  // True when every sink has everything that can be read.
  bool Drained() const;

  // What a commit would store.
  bool HasNewEntries() const { return collected_ != log_.next(); }
  bool CursorsMoved() const;
  // Whether the next commit would delete entries, which everybody has.
  bool KeepsDelivered() const;
  // Whether a sink waits for commits of its cursor before it is offered anything.
  bool Unsettled() const;
  void CollectChanges(Delta* delta);
  // Only how far the sinks are, and the trimming of what all of them have.
  void CollectCursors(Delta* delta);
  void OnCommitted();
  void Release() { log_.Release(); }

  uint64_t next() const { return log_.next(); }
  uint64_t waiting() const;
  size_t WaitingBytes() const { return log_.WaitingBytes(); }
  // From now on so much of what is stored stays in memory, too.
  void BoundMemory(size_t bytes) { log_.BoundMemory(bytes); }
  // See OutputLog.
  Status Measure() { return log_.Measure(); }
  // What waits for somebody who is there.
  uint64_t HeldBytes() const { return has_sinks() || is_read() ? log_.held_bytes() : 0; }
  std::vector<SinkStats> Stats() const;

 private:
  struct Reader {
    std::string row;            // key of its cursor in the store
    std::unique_ptr<Sink> sink;
    uint64_t taken = 0;         // offered and taken before this
    SinkCursor stored;
    uint64_t noted = 0;         // the last note says that it has what is before this
    // Whether the store has a row for it. A new sink gets one with the first commit, so that it is not
    // taken for new again, and passed over, after a crash that comes before its cursor moves.
    bool has_row = true;
    // That a sink has begun, or knows of a gap, must be safe before anything is given to it: otherwise the
    // next process takes what it finds there for something else.
    int commits_to_come = 0;
    SinkCursor seen;            // as NoteNews last saw it
    bool collected = false;     // is in the commit under way
  };
  static bool ReadCursor(std::string_view* in, SinkCursor* cursor);
  bool Unsettled(const Reader& reader) const;
  static void NoteNews(Reader* reader);
  Result<bool> PumpReader(Reader* reader);
  size_t NoteDelivery(Reader* reader);
  uint64_t Delivered() const;
  void TrimDelivered();
  std::string EntryId(const OutputLog::Entry& entry) const;

  std::string pipeline_;
  uint16_t pipeline_id_;
  ChannelKind kind_;
  bool number_ids_ = false;
  const Store* store_;
  DeliveryNotes* notes_ = nullptr;
  size_t window_ = 0;
  OutputLog log_;
  uint64_t collected_ = 0;      // log entries handed to a commit
  uint64_t kept_from_ = kNobody;
  std::vector<Reader> readers_;
  std::vector<OutputEntry> batch_;
};

}  // namespace rivulet
