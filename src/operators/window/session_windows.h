// SessionWindows: a session of a key lasts as long as its records are at most `gap` apart.
//
// A record opens [t, t + gap); sessions that overlap or touch are one (exactly gap apart merges). A merged
// session that had parts emitted before is emitted again with the next revision. Late rules follow Flink's
// merging windows: a record is judged by the session it ends up in.
//
// Rows:  prefix k | key -> the key's sessions;   prefix t | time (8 bytes, ordered) | key -> nothing.
// A timer row says "look at this key when W reaches this time"; it may be early (a session that grew since
// keeps its old timer until it rings), so a growing session does not rewrite it.
//
// With per-key time a key's clock is kept with its sessions, and stays without any until the held watermark
// has passed it.
#pragma once

#include <limits>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "operators/window/batch_accumulator.h"
#include "operators/window/window_operator.h"

namespace rivulet {

class SessionWindows final : public WindowOperator {
 public:
  SessionWindows(const WindowSpec& spec, const AggregatePlan* plan, const PaneLayouts* layouts,
                 std::string prefix, const StateView* view, KeyShare share,
                 const FirePoint& fired);
  ~SessionWindows() override;

  Status Open() override;
  void Process(const WindowInput& input, ResultSink* sink) override;
  void Advance(const FirePoint& point, ResultSink* sink) override;
  FirePoint NextPoint(int64_t watermark, size_t limit) override;
  int64_t closed() const override { return fired_; }
  void CollectChanges(StateChanges* changes) override;
  void OnCommitted() override;
  size_t MemoryBytes() const override;
  void Evict(size_t target) override;
  size_t PanesInMemory() const override { return sessions_in_memory_; }
  size_t DirtyRows() const override { return dirty_.size() * 2; }
  const Status& status() const override { return status_; }

 private:
  using Block = std::unique_ptr<int64_t[]>;
  struct Session {
    int64_t start = 0, end = 0;
    uint32_t revision = 0;  // of its next emission
    bool emitted = false;   // as it is now
    Block block;
    char* bytes() const { return reinterpret_cast<char*>(block.get()); }
  };
  struct KeyState {
    std::string key;
    uint64_t hash = 0;
    std::vector<Session> sessions;  // by start; they neither overlap nor touch
    int64_t own = std::numeric_limits<int64_t>::min();  // per-key time: its clock
    int64_t timer = 0;              // registered in timers_; kNoTimer when there is none
    int64_t stored_timer = 0;       // of the timer row in the store
    bool stored = false;
    bool recent = false;
    bool going = false;             // listed in gone_
    int64_t dirty_index = -1;       // place in dirty_, -1: not dirty
    size_t heap_bytes = 0;          // what its blocks held outside themselves when last counted
  };
  KeyState* FindKey(std::string_view key, uint64_t hash, bool create);
  bool LoadKey(KeyState* state);
  Status DecodeKey(std::string_view row, KeyState* state) const;
  void EncodeKey(const KeyState& state, std::string* out) const;
  void BringExpired(const FirePoint& point);
  Block NewBlock() const;
  void FreeSession(Session* session) const;
  void CountHeap(KeyState* state);

  // `joins` false: the record only moves its key's clock.
  void AddRecord(const WindowInput& input, uint32_t row, bool joins, ResultSink* sink);
  void JoinSession(const WindowInput& input, uint32_t row, const ResultOrder& order,
                   KeyState* state, ResultSink* sink);
  void MoveClock(const WindowInput& input, uint32_t row, const ResultOrder& order, KeyState* state,
                 ResultSink* sink);
  // Emits sessions of the key that have closed at `watermark`, drops those past lateness. `caused` by a
  // record, or null: by the watermark.
  void Settle(KeyState* state, int64_t watermark, const ResultOrder* caused, ResultSink* sink);
  // Nothing of the key is left to be known at `watermark`.
  static bool Gone(const KeyState& state, int64_t watermark) {
    return state.sessions.empty() && state.own <= watermark;
  }
  Session* Join(KeyState* state, int64_t t);
  void SetTimer(KeyState* state);
  void MarkDirty(KeyState* state);
  int64_t Deadline(const KeyState& state) const;
  void Erase(KeyState* state);
  void Remove(KeyState* state);

  WindowSpec spec_;
  const AggregatePlan* plan_;
  const PaneLayouts* layouts_;
  std::string key_prefix_, timer_prefix_;
  const StateView* view_;
  KeyShare share_;
  BatchAccumulator accumulator_;
  int64_t fired_;
  FirePoint partial_;  // not whole: and of its time, the keys up to its key
  // Lookups only; never walked where order could reach the output.
  std::unordered_multimap<uint64_t, std::unique_ptr<KeyState>> keys_;
  std::map<std::pair<int64_t, std::string_view>, KeyState*> timers_;
  std::vector<KeyState*> dirty_;  // null where a key was erased before its commit
  // Keys without sessions whose rows' deletion is under way: until it is committed they stay in memory,
  // or a lookup would find the old row again.
  std::vector<KeyState*> gone_;
  int64_t next_cold_timer_;      // earliest timer of a key that is not in memory
  bool cold_ = false;            // some keys are in the store only
  size_t sessions_in_memory_ = 0;
  size_t heap_bytes_ = 0;        // sum over the keys
  Status status_;
};

}  // namespace rivulet
