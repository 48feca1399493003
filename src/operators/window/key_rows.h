// KeyRows: window state that is kept by key: all windows or slices of a key together, a bounded number of
// keys in memory, the rest as rows of the state store, coming back on access.
//
// Rows:  prefix k | key                           ->  version | timer | total | parts
//        prefix t | time (8 bytes, ordered) | key  ->  nothing
// A timer row says "look at this key when W reaches this time"; it may be early (a window that grew since
// keeps its old timer until it rings), so that a growing window does not rewrite it.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "operators/aggregate/aggregate_plan.h"
#include "operators/state_view.h"
#include "operators/window/fire_point.h"
#include "operators/window/pane_layout.h"
#include "operators/window/slice_store.h"

namespace rivulet {

// A time that does not come.
inline constexpr int64_t kNoTimer = std::numeric_limits<int64_t>::max();

// A window of a key, or a slice of a count window.
struct WindowPart {
  int64_t start = 0, end = 0;  // us; without event time: of the earliest and the latest record
  int64_t due = kNoTimer;      // when its next early result is due
  uint64_t records = 0;        // since the last result by number; of a slice: all
  uint32_t revision = 0;       // of its next result
  bool fresh = false;          // holds something that no result has shown
  bool closed = false;         // its closing has been put out
  std::unique_ptr<int64_t[]> block;
  char* bytes() const { return reinterpret_cast<char*>(block.get()); }
};

struct KeyWindows {
  std::string key;
  uint64_t hash = 0;
  std::vector<WindowPart> parts;  // by (start, end); of count windows: oldest first
  uint64_t total = 0;             // count windows: records so far

 private:
  friend class KeyRows;
  int64_t timer = kNoTimer;         // registered
  int64_t stored_timer = kNoTimer;  // of the timer row in the store
  bool stored = false;
  bool recent = false;
  bool going = false;               // its row's deletion is under way
  int64_t dirty_index = -1;         // place among the dirty; -1: not dirty
  size_t heap_bytes = 0;            // of its blocks outside themselves, when last counted
};

// One thread. Errors of the store are kept in status(); after one, results are not to be trusted and the
// caller must stop the pipeline.
class KeyRows {
 public:
  KeyRows(const AggregatePlan* plan, const PaneLayouts* layouts, const std::string& prefix,
          const StateView* view, KeyShare share);
  ~KeyRows();
  KeyRows(const KeyRows&) = delete;
  KeyRows& operator=(const KeyRows&) = delete;

  Status Open();
  // A key's windows, brought back from the store if need be; null when it has none and `create` is false.
  KeyWindows* Find(std::string_view key, uint64_t hash, bool create);
  // To be called for each change, before the next CollectChanges.
  void MarkDirty(KeyWindows* windows);
  // A key without parts need not stay.
  void Erase(KeyWindows* windows);

  // Inserts a part with an empty block at `place`.
  WindowPart* Insert(KeyWindows* windows, size_t place, int64_t start, int64_t end);
  void Remove(KeyWindows* windows, size_t first, size_t count = 1);
  void Clear(WindowPart* part) const;  // empties its block

  // The key wants to be looked at when W reaches `deadline` (kNoTimer: never). `fired`: how far the key's
  // timers have rung.
  void SetTimer(KeyWindows* windows, int64_t deadline, int64_t fired);
  int64_t TimerOf(const KeyWindows& windows) const { return windows.timer; }
  // Brings keys whose timers ring behind `fired` up to `point` back into memory.
  void BringDue(const FirePoint& fired, const FirePoint& point);
  // One whose timer rings up to `point`, of those in memory, the first by (time, key); null when there is
  // none. The caller sets a later timer.
  KeyWindows* NextDue(const FirePoint& point);
  // A point at most at `watermark` up to which at most about `limit` timers behind `fired` ring.
  FirePoint LimitTimers(const FirePoint& fired, int64_t watermark, size_t limit);

  // See WindowOperator.
  void CollectChanges(StateChanges* changes);
  void OnCommitted();
  size_t MemoryBytes() const;
  void Evict(size_t target);
  size_t PartsInMemory() const { return parts_in_memory_; }
  // A key's row, and a timer row that goes and one that comes.
  size_t DirtyRows() const { return dirty_.size() * 3; }
  const Status& status() const { return status_; }

 private:
  bool Load(KeyWindows* windows);
  void Encode(const KeyWindows& windows, std::string* out) const;
  Status Decode(std::string_view row, KeyWindows* windows) const;
  bool DecodePart(std::string_view* row, WindowPart* part, Status* status) const;
  // The first timer row behind `fired`.
  std::string TimersBehind(const FirePoint& fired) const;
  void CollectKey(KeyWindows* windows, StateChanges* changes);
  void Forget(KeyWindows* windows);
  void Fail(const Status& status);
  void FreePart(WindowPart* part);
  // What the key's blocks hold outside themselves: counted when it comes and with each commit.
  void CountHeap(KeyWindows* windows);
  std::unique_ptr<int64_t[]> TakeBlock();

  const AggregatePlan* plan_;
  const PaneLayouts* layouts_;
  std::string key_prefix_, timer_prefix_;
  const StateView* view_;
  KeyShare share_;
  // Lookups only; never walked where order could reach the output.
  std::unordered_multimap<uint64_t, std::unique_ptr<KeyWindows>> keys_;
  std::map<std::pair<int64_t, std::string_view>, KeyWindows*> timers_;
  std::vector<KeyWindows*> dirty_;  // null where a key was forgotten before its commit
  // Keys whose rows' deletion is under way: until it is committed they stay in memory, or a lookup would
  // find the old row again.
  std::vector<KeyWindows*> gone_;
  std::vector<std::unique_ptr<int64_t[]>> spare_;  // blocks for reuse, not initialised
  int64_t next_cold_timer_ = kNoTimer;  // earliest timer of a key that is not in memory
  bool cold_ = false;                   // some keys are in the store only
  size_t parts_in_memory_ = 0, key_bytes_ = 0, heap_bytes_ = 0;
  std::string row_;                     // scratch
  Status status_;
};

}  // namespace rivulet
