// KeyStateTable: what an operator keeps of each key, with a timer: a bounded number of keys in memory, the
// rest as rows of the state store, coming back on access. The operator derives from KeyState what it keeps
// and from the table how that is written.
//
// Rows:  prefix k | key                           ->  timer (8 bytes) | what Encode gives; or the timer last
//        prefix t | time (8 bytes, ordered) | key  ->  nothing
// A timer row says "look at this key when W reaches this time"; it may be early (a key whose deadline moved
// back since keeps its old timer until it rings), so that moving back does not rewrite it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "operators/state/timer_rows.h"
#include "operators/state/state_owner.h"
#include "operators/state/state_view.h"
#include "operators/state/fire_point.h"
#include "operators/state/key_index.h"
#include "operators/state/key_share.h"

namespace rivulet {

// The base of what is kept of a key. Its address holds as long as the key is in memory.
struct KeyState {
  virtual ~KeyState() = default;
  std::string key;
  uint64_t hash = 0;

 private:
  friend class KeyStateTable;
  int64_t timer = kNoTimer;         // registered
  int64_t stored_timer = kNoTimer;  // of the timer row in the store
  bool stored = false;
  bool recent = false;
  bool going = false;               // its row's deletion is under way
  int64_t dirty_index = -1;         // place among the dirty; -1: not dirty
  size_t bytes = 0;                 // when last measured
};

// One thread. Errors of the store are kept in status(); after one, results are not to be trusted and the
// caller must stop the pipeline.
class KeyStateTable : public StateOwner {
 public:
  // Where a key's row has its timer: clocks have always had it behind the rest.
  enum class TimerPlace : uint8_t { kFirst, kLast };
  // `view` must outlive this.
  KeyStateTable(const std::string& prefix, const StateView* view, KeyShare share,
                TimerPlace timer_place = TimerPlace::kFirst);
  ~KeyStateTable() override;
  KeyStateTable(const KeyStateTable&) = delete;
  KeyStateTable& operator=(const KeyStateTable&) = delete;

  // Learns whether there are rows, and when the first timer rings. Cost: two seeks.
  Status Open() final;
  // A key's state, brought back from the store if need be; null when it has none and `create` is false.
  KeyState* Find(std::string_view key, uint64_t hash, bool create);
  // To be called for each change, before the next CollectChanges.
  void MarkDirty(KeyState* state);
  // Nothing is left of a key (see Empty): it goes, now or when the deletion of its row is committed.
  void Erase(KeyState* state);
  // Takes the state's memory anew, as it grows or shrinks. Done for each changed key with each commit; an
  // operator whose keys can grow much in between calls this, or AddedRecords.
  void Remeasure(KeyState* state);
  // So many records were added to states. The changed ones are measured anew once in a while, so that it
  // costs little a record: MemoryBytes is behind by at most as many records as there are changed keys, or
  // 8192.
  void AddedRecords(size_t records) {
    unmeasured_records_ += records;
    if (unmeasured_records_ >= std::max<size_t>(8192, dirty_.size())) RemeasureDirty();
  }

  // The key wants to be looked at when W reaches `deadline` (kNoTimer: never). `fired`: how far the key's
  // timers have rung.
  void SetTimer(KeyState* state, int64_t deadline, int64_t fired);
  int64_t TimerOf(const KeyState& state) const { return state.timer; }
  // Brings keys whose timers ring behind `fired` up to `point` back into memory.
  void BringDue(const FirePoint& fired, const FirePoint& point);
  // One whose timer rings up to `point`, of those in memory, the first by (time, key); null when there is
  // none. The caller sets a later timer, or erases the key.
  KeyState* NextDue(const FirePoint& point);
  // See KeyedOperator; `fired` is the point reached.
  FirePoint NextPoint(const FirePoint& fired, int64_t watermark, size_t limit) {
    // Unlike those of slices, rows of keys are read, changed and written again: smaller steps.
    return LimitTimers(fired, watermark, std::max<size_t>(1, limit / 8));
  }
  // A point at most at `watermark` up to which at most about `limit` timers behind `fired` ring.
  FirePoint LimitTimers(const FirePoint& fired, int64_t watermark, size_t limit);

  void CollectChanges(StateChanges* changes) final;
  void OnCommitted() final;
  size_t MemoryBytes() const final {
    return (keys_.size() + spare_.size()) * kKeyBytes + spare_timers_.size() * kTimerBytes + bytes_ +
           spare_bytes_ + OtherBytes();
  }
  void Evict(size_t target) final;
  size_t EntriesInMemory() const override { return keys_.size(); }
  // A key's row, and a timer row that goes and one that comes.
  size_t DirtyRows() const override { return dirty_.size() * 3; }
  const Status& status() const final { return status_; }
  void Fail(const Status& status) {
    if (status_.ok()) status_ = status;
  }
  // The state of a key cannot be read.
  void FailCorrupt(const char* what) { Fail(Status(ErrorCode::kCorrupt, what)); }

 protected:
  // A key without anything.
  virtual std::unique_ptr<KeyState> New() = 0;
  // The bytes beside the timer; what Decode understands. A state that is not Empty.
  virtual void Encode(const KeyState& state, std::string* out) = 0;
  // Fills a new state. kCorrupt when the bytes are none of Encode's; it is released then.
  virtual Status Decode(std::string_view row, KeyState* state) = 0;
  // Nothing of the key is to be kept: it has no row.
  virtual bool Empty(const KeyState& state) const = 0;
  // Bytes of memory the state takes, without its KeyState and its key.
  virtual size_t Measure(const KeyState& state) const = 0;
  // Whether the key of a row is one of this instance's.
  virtual bool Owns(std::string_view key, uint64_t hash) const {
    static_cast<void>(key);
    return share_.Owns(hash);
  }
  // The state leaves memory: gives back what its destructor does not.
  virtual void Release(KeyState*) {}
  // The state, released, is to be a key without anything, like one of New, that keeps its memory: for tables
  // whose keys come and go with the records. False: it cannot, and is deleted.
  virtual bool Renew(KeyState*) { return false; }
  // Memory beside what Measure says of each key; and what the operator only keeps for reuse should go.
  virtual size_t OtherBytes() const { return 0; }
  virtual void DropSpare() {}

  size_t DirtyKeys() const { return dirty_.size(); }
  // Calls visit(time, key) for the timers of keys in memory, in order, until it returns false.
  template <typename Visit>
  void VisitTimers(const Visit& visit) const {
    for (const auto& [place, state] : timers_) {
      if (!visit(place.first, place.second)) return;
    }
  }
  // The same for rows of timers behind `fired`, those of keys in memory among them. They matter where a key
  // that is not may have a timer by `time`.
  bool ColdBy(int64_t time) const { return cold_ && timer_rows_.next() <= time; }
  void VisitRows(const FirePoint& fired, const TimerRows::Visitor& visit) {
    const Status status = timer_rows_.Visit(fired, visit);
    if (!status.ok()) Fail(status);
  }

  // Releases all; for destructors that override Release.
  void Clear();

 private:
  static constexpr size_t kKeyBytes = sizeof(KeyState) + 160;  // with its places in index and timers
  static constexpr size_t kTimerBytes = 96;

  using Timers = std::map<std::pair<int64_t, std::string_view>, KeyState*>;

  std::unique_ptr<KeyState> NewState(std::string_view key, uint64_t hash);
  // Null when the store has none.
  std::unique_ptr<KeyState> Load(std::string_view key, uint64_t hash);
  // Keeps the state, whose key went, for one that comes.
  void Spare(std::unique_ptr<KeyState> state);
  void DropSpares();
  // Of state->timer, which is one.
  void AddTimer(KeyState* state);
  void RemoveTimer(KeyState* state);
  void CollectKey(KeyState* state, StateChanges* changes);
  void Forget(KeyState* state);
  void RemeasureDirty();

  bool GetTimer(std::string_view* row, int64_t* timer) const;

  std::string key_prefix_;
  TimerPlace timer_place_;
  TimerRows timer_rows_;
  const StateView* view_;
  KeyShare share_;
  KeyIndex<KeyState> keys_;  // never walked where order could reach the output
  Timers timers_;
  // Of keys and timers that went, for those that come.
  std::vector<std::unique_ptr<KeyState>> spare_;
  std::vector<Timers::node_type> spare_timers_;
  size_t spare_bytes_ = 0;
  std::vector<KeyState*> dirty_;  // null where a key was forgotten before its commit
  // Keys whose rows' deletion is under way: until it is committed they stay in memory, or a lookup would
  // find the old row again.
  std::vector<KeyState*> gone_;
  bool cold_ = false;   // some keys are in the store only
  size_t bytes_ = 0;    // of all keys in memory: key and as last measured
  size_t unmeasured_records_ = 0;
  std::string row_, value_;             // scratch
  Status status_;
};

// The same for states that are all of type `State`.
template <typename State>
class KeyStateTableOf : public KeyStateTable {
 public:
  using KeyStateTable::KeyStateTable;
  State* Find(std::string_view key, uint64_t hash, bool create) {
    return static_cast<State*>(KeyStateTable::Find(key, hash, create));
  }
  State* NextDue(const FirePoint& point) {
    return static_cast<State*>(KeyStateTable::NextDue(point));
  }

 protected:
  std::unique_ptr<KeyState> New() override { return std::make_unique<State>(); }
};

}  // namespace rivulet
