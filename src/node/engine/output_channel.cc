#include "node/engine/output_channel.h"

#include <algorithm>
#include <utility>

#include "base/coding.h"
#include "base/hash.h"
#include "node/engine/memory_budget.h"
#include "node/engine/store_keys.h"
#include "node/sinks/late_sink.h"
#include "operators/result/result_batch.h"

namespace rivulet {
namespace {

constexpr size_t kOfferEntries = 256;
// An offer can cost the sink a sync: more of them wait for the next pump, so that a flood of results
// holds up neither the other sinks nor the end of the process.
constexpr size_t kEntriesAPump = 4 * kOfferEntries;
// The commit that stores it, and, where commits are not synced, the one behind that makes it safe.
constexpr int kCommitsToSettle = 2;

}  // namespace

OutputChannel::OutputChannel(std::string pipeline, uint16_t pipeline_id, ChannelKind kind,
                             const Store* store, uint64_t next)
    : pipeline_(std::move(pipeline)),
      pipeline_id_(pipeline_id),
      kind_(kind),
      store_(store),
      log_(store_keys::Outputs(pipeline_id, static_cast<uint8_t>(kind)), store,
           MemoryBudget::kStoredOutputs, next),
      collected_(next) {}

// A cursor's row: next, position, whether it has begun (1), and the gap, as varints. Rows of version 0.1 end
// behind the position: what they say was written to is theirs.
bool OutputChannel::ReadCursor(std::string_view* in, SinkCursor* cursor) {
  uint64_t begun = 0;
  if (!GetVarint(in, &cursor->next) || !GetVarint(in, &cursor->position)) return false;
  cursor->begun = cursor->position > 0;
  if (in->empty()) return true;
  if (!GetVarint(in, &begun) || !GetVarint(in, &cursor->gap)) return false;
  cursor->begun = begun == 1;
  return true;
}

Status OutputChannel::AddSink(const std::string& name, std::unique_ptr<Sink> sink, bool may_wait) {
  Reader reader;
  // Names hold paths and topics of any length; rows have a bounded key.
  reader.row = store_keys::SinkCursor(pipeline_id_, static_cast<uint8_t>(kind_), Hash128Hex(name));
  SinkCursor stored{log_.next(), 0};
  if (store_ != nullptr) {
    std::string value;
    RIVULET_ASSIGN_OR_RETURN(const bool found, store_->Get(reader.row, &value));
    std::string_view in = value;
    if (found && !ReadCursor(&in, &stored)) {
      return Status(ErrorCode::kCorrupt, "the stored cursor of sink '" + name + "' cannot be read");
    }
    if (found) reader.stored = stored;
    reader.has_row = found;
  }
  SinkCursor start = stored;
  if (notes_ != nullptr) start.next = notes_->Next(reader.row, reader.has_row, stored.next, log_.next());
  RIVULET_ASSIGN_OR_RETURN(const uint64_t begin, log_.Begin());
  SinkCursor cursor;
  if (may_wait) {
    sink = NewLateSink(std::move(sink), start, begin, log_.next());
    cursor = sink->Cursor();
  } else {
    RIVULET_RETURN_IF_ERROR(OpenSinkAt(sink.get(), start, begin, &cursor));
  }
  // A sink that keeps its own cursor can be ahead of a log that was made anew: numbers it has already
  // seen must not be given out again.
  if (cursor.next > log_.next()) {
    const uint64_t before = log_.next();
    log_.SkipTo(cursor.next);
    collected_ = log_.next();
    for (Reader& other : readers_) {
      if (other.taken == before) other.taken = other.noted = log_.next();
    }
  }
  reader.seen = reader.stored;
  reader.taken = reader.noted = cursor.next;
  // A sink's own cursor needs no commit to be found again.
  if (store_ == nullptr || start.next < cursor.next) reader.stored.next = cursor.next;
  reader.sink = std::move(sink);
  NoteNews(&reader);
  readers_.push_back(std::move(reader));
  return Status::Ok();
}

std::string OutputChannel::EntryId(const OutputLog::Entry& entry) const {
  if (kind_ == ChannelKind::kResults) {
    if (number_ids_) {
      return ResultId(pipeline_ + "/" + std::to_string(entry.sequence), entry.key, entry.start_us, 0);
    }
    return ResultId(pipeline_, entry.key, entry.start_us, entry.revision);
  }
  const char* kind = kind_ == ChannelKind::kLate ? "/late" : "/dead";
  return ResultId(pipeline_ + kind, "", static_cast<int64_t>(entry.sequence), 0);
}

// Returns how many entries it may be given now.
size_t OutputChannel::NoteDelivery(Reader* reader) {
  if (notes_ == nullptr || !reader->sink->Notable()) return kOfferEntries;
  const uint64_t next = reader->sink->Cursor().next;
  // What cannot be noted is delivered all the same.
  if (next > reader->noted && !notes_->Note(reader->row, next)) return kOfferEntries;
  reader->noted = std::max(reader->noted, next);
  const uint64_t ahead = reader->taken - std::min(reader->taken, reader->noted);
  return std::min<uint64_t>(kOfferEntries, window_ - std::min<uint64_t>(window_, ahead));
}

Result<bool> OutputChannel::PumpReader(Reader* reader) {
  const SinkCursor before = reader->sink->Cursor();
  bool moved = false;
  if (reader->sink->Rewound()) reader->taken = reader->sink->Cursor().next;
  NoteNews(reader);
  size_t room = NoteDelivery(reader);
  if (Unsettled(*reader)) return false;
  for (size_t left = kEntriesAPump; room > 0 && left >= room && reader->taken < log_.readable();) {
    size_t count = 0;
    const bool wants_ids = reader->sink->WantsIds();
    RIVULET_RETURN_IF_ERROR(
        log_.Read(reader->taken, room, [&](const OutputLog::Entry& entry) {
          if (batch_.size() <= count) batch_.emplace_back();
          OutputEntry& out = batch_[count++];
          out.sequence = entry.sequence;
          out.revision = entry.revision;
          out.json.assign(entry.json);
          if (!wants_ids) return;
          out.id = EntryId(entry);
          out.window_id = kind_ == ChannelKind::kResults && !number_ids_
                              ? WindowId(pipeline_, entry.key, entry.start_us)
                              : out.id;
        }));
    const size_t took = reader->sink->Offer({batch_.data(), count});
    // Not taken + took: numbers that were trimmed while the sink was not there are passed over.
    if (took > 0) reader->taken = batch_[took - 1].sequence + 1;
    moved = moved || took > 0;
    if (took < count || count == 0) break;
    left -= count;
    room = NoteDelivery(reader);
  }
  return moved || reader->sink->Cursor() != before;
}

Result<bool> OutputChannel::Pump() {
  bool moved = false;
  for (Reader& reader : readers_) {
    RIVULET_ASSIGN_OR_RETURN(const bool one, PumpReader(&reader));
    moved = moved || one;
    // Without a store there is no commit to do it.
    if (store_ == nullptr) reader.stored = reader.sink->Cursor();
  }
  if (store_ == nullptr) TrimDelivered();
  return moved;
}

// A stored cursor never goes back, so what lies before all of them will not be asked for again.
uint64_t OutputChannel::Delivered() const {
  // Late records and dead letters whose sinks were taken out wait for them to be back.
  if (!has_sinks() && kind_ != ChannelKind::kResults) return log_.trimmed();
  uint64_t everyone = std::min(log_.next(), kept_from_);
  for (const Reader& reader : readers_) {
    everyone = std::min({everyone, reader.stored.next, reader.sink->Cursor().next});
  }
  return everyone;
}

bool OutputChannel::KeepsDelivered() const { return Delivered() > log_.trimmed(); }

void OutputChannel::TrimDelivered() { log_.Trim(Delivered()); }

bool OutputChannel::Drained() const {
  return std::all_of(readers_.begin(), readers_.end(), [this](const Reader& r) {
    return r.sink->Cursor().next >= log_.readable();
  });
}

void OutputChannel::OnCommitted() {
  log_.OnCommitted();
  for (Reader& reader : readers_) {
    if (std::exchange(reader.collected, false) && reader.commits_to_come > 0) --reader.commits_to_come;
  }
}

bool OutputChannel::Unsettled() const {
  return std::any_of(readers_.begin(), readers_.end(),
                     [this](const Reader& r) { return Unsettled(r); });
}

bool OutputChannel::Unsettled(const Reader& reader) const {
  return store_ != nullptr && reader.commits_to_come > 0;
}

void OutputChannel::NoteNews(Reader* reader) {
  const SinkCursor now = reader->sink->Cursor();
  const bool news = (now.begun && !reader->seen.begun) || (now.gap != 0 && now.gap != reader->seen.gap);
  if (news) {
    reader->commits_to_come = kCommitsToSettle;
    reader->collected = false;
  }
  reader->seen = now;
}

bool OutputChannel::CursorsMoved() const {
  return std::any_of(readers_.begin(), readers_.end(),
                     [](const Reader& r) { return !r.has_row || r.sink->Cursor() != r.stored; });
}

void OutputChannel::CollectChanges(Delta* delta) {
  CollectCursors(delta);
  log_.CollectChanges(delta);
  collected_ = log_.next();
}

void OutputChannel::CollectCursors(Delta* delta) {
  for (Reader& reader : readers_) {
    const SinkCursor cursor = reader.sink->Cursor();
    // A cursor whose data cannot be made durable yet is stored with a later commit.
    const bool unsettled = Unsettled(reader);
    if (reader.has_row && cursor == reader.stored && !unsettled) continue;
    if (!reader.sink->Sync().ok()) continue;
    reader.collected = unsettled;
    std::string value;
    PutVarint(&value, cursor.next);
    PutVarint(&value, cursor.position);
    PutVarint(&value, cursor.begun ? 1 : 0);
    PutVarint(&value, cursor.gap);
    delta->Put(reader.row, value);
    reader.stored = cursor;
    reader.has_row = true;
  }
  TrimDelivered();
  log_.CollectTrim(delta);
}

uint64_t OutputChannel::waiting() const {
  uint64_t least = log_.next();
  for (const Reader& r : readers_) least = std::min(least, r.sink->Cursor().next);
  return log_.next() - least;
}

std::vector<SinkStats> OutputChannel::Stats() const {
  std::vector<SinkStats> stats;
  for (const Reader& r : readers_) stats.push_back(r.sink->Stats());
  return stats;
}

}  // namespace rivulet
