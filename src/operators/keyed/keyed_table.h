// KeyedTable: what a step remembers of each key: a few bytes, which are the step's own business. A bounded
// number of keys is in memory; the rest are rows of the state store, which come back on access.
//
//   prefix v | key                                  ->  last use (8 bytes) | timer (8 bytes) | value
//   prefix t | timer (8 bytes, ordered) | key       ->  nothing
//   prefix w | time (8 bytes, ordered) | key        ->  nothing
//
// A key is forgotten when W, or the time of a record of its own, has passed its last use by `keep`; last use
// is the later of the record's time and the W it met, so that what comes long after its time is remembered as
// long as anything else. A record is judged by its own time as well, as W lags behind: the first key after a
// pause would find what no other does. Whether a key is over follows from that alone; when its memory and its
// rows go is not to be seen. A timer row says
// when to look at a key. It may be early (a key that is used keeps its timer until it rings), so that use
// does not rewrite it; one that its key's row does not name is left over and goes when it rings. A value can
// say when its key wants to be looked at: that is row w, and always as the value says.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "operators/keyed/entry_pool.h"
#include "operators/keyed/wake_list.h"
#include "operators/state/state_owner.h"
#include "operators/state/state_view.h"
#include "operators/state/key_share.h"

namespace rivulet {

struct KeyedTableOptions {
  std::string prefix;       // of its rows
  int64_t keep_us = 0;      // positive
  // What the table calls keys begins with the 8 bytes of the record's key's hash, which says whose it is.
  // Otherwise it is that key.
  bool starts_with_owner = false;
  // When the key of a value wants to be looked at: W has then reached this time. kNoTimer: never. It must lie
  // before the key is over. Null: none does.
  int64_t (*wake_of)(std::string_view value) = nullptr;
};

// One thread. Errors of the store are kept in status(); after one, results are not to be trusted and the
// caller must stop the pipeline.
class KeyedTable final : public StateOwner {
 public:
  // `view` must outlive this.
  KeyedTable(KeyedTableOptions options, const StateView* view, KeyShare share);

  // Learns whether there are rows. Cost: one seek.
  Status Open() override;

  // The entry of `key`, whose hash is `hash`, for a record at `time` that meets W = `watermark`. One that is
  // new or over has no value: it must then be put. The pointer is valid until the next Advance or Evict.
  KeyedEntry* Access(std::string_view key, uint64_t hash, int64_t time, int64_t watermark) {
    KeyedEntry* entry = Find(key, hash);
    ForgetIfOver(entry, time, watermark);
    return entry;
  }
  // Its two parts: the entry with what the key had, even if it is over for the record at hand; and that it
  // then goes.
  KeyedEntry* Find(std::string_view key, uint64_t hash);
  void ForgetIfOver(KeyedEntry* entry, int64_t time, int64_t watermark);
  // Remembers `value`, at least a byte and not in the entry, on behalf of a record at `time`.
  void Put(KeyedEntry* entry, std::string_view value, int64_t time, int64_t watermark);
  // From when on the entry would be over, put for such a record.
  int64_t OverAt(const KeyedEntry& entry, int64_t time, int64_t watermark) const;
  // Remembers `value` without a record: the entry, which has one, is not used by that.
  void Replace(KeyedEntry* entry, std::string_view value);
  // The value of an entry cannot be read.
  void FailCorrupt(const char* what) { Fail(Status(ErrorCode::kCorrupt, what)); }

  // The earliest time at which a key may want to be looked at.
  int64_t next_wake() const { return wakes_.next(cold_); }
  // The first entry, by (time, key), that wants to be looked at up to `point`; null when none does. Its value
  // must then be replaced by one that does not. In the end none does, and none may come to up to `point`.
  KeyedEntry* NextWake(const FirePoint& point);
  // A point at most at `watermark` up to which about `limit` entries want to be looked at.
  FirePoint LimitWakes(int64_t watermark, size_t limit);

  // No record will meet a W below `watermark` any more, and no entry wants to be looked at up to there.
  void Advance(int64_t watermark);

  void CollectChanges(StateChanges* changes) override;
  size_t MemoryBytes() const override;
  void Evict(size_t target) override;
  size_t EntriesInMemory() const override { return count_; }
  size_t DirtyRows() const override { return (dirty_.size() + deletion_count_) * 2 + wakes_.changed(); }
  const Status& status() const override { return status_; }

 private:
  bool Over(int64_t touched, int64_t watermark) const;
  int64_t TimerFor(int64_t touched) const;
  bool Owns(std::string_view key) const;
  const std::string& Row(char kind, std::string_view key, int64_t time = 0);

  KeyedEntry* Lookup(std::string_view key, uint64_t hash) const;
  KeyedEntry* Insert(std::string_view key, uint64_t hash);
  KeyedEntry* Bring(std::string_view key, uint64_t hash);
  // What the store has of a key; false when there is nothing.
  struct Stored {
    int64_t touched = 0, timer = 0;
    std::string_view value;  // in row_value_
  };
  bool ReadRow(std::string_view key, Stored* stored);
  void Erase(KeyedEntry* entry);
  void Rehash(size_t slots);
  void MarkDirty(KeyedEntry* entry);
  int64_t WakeOf(std::string_view value) const {
    return options_.wake_of == nullptr || value.empty() ? kNoTimer : options_.wake_of(value);
  }
  void SetValue(KeyedEntry* entry, std::string_view value);
  void SetTimer(KeyedEntry* entry, int64_t time);
  void Ring(const std::vector<uint32_t>& due, int64_t watermark);
  void CollectDirty(StateChanges* changes);
  void CollectSweep(StateChanges* changes);
  void SweepKey(int64_t time, std::string_view key, StateChanges* changes);
  void Retain(bool spare_recent);
  void Fail(const Status& status) {
    if (status_.ok()) status_ = status;
  }

  KeyedTableOptions options_;
  const StateView* view_;
  KeyShare share_;
  EntryPool entries_;
  std::vector<uint32_t> slots_;   // open addressing: number of an entry + 1; 0: free
  size_t mask_ = 0;
  size_t count_ = 0;
  std::map<int64_t, std::vector<uint32_t>> timers_;  // entries by timer
  std::vector<std::vector<uint32_t>> spare_lists_;   // emptied ones, to be used again
  std::vector<uint32_t> dirty_;                      // kNone where an entry went before its commit
  std::string deletions_;         // rows of keys that are over: key, timer
  size_t deletion_count_ = 0;
  int64_t now_;                   // of the last Advance
  bool cold_ = false;             // some keys are in the store only,
  int64_t next_cold_timer_;       // none with an earlier timer
  WakeList wakes_;
  std::string row_key_, row_value_;  // scratch
  Status status_;
};

}  // namespace rivulet
