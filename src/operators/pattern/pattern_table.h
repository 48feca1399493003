// PatternTable: what a pattern keeps of each key: records that wait for W, and the runs that are under way.
//
// Row: version | records so far | waiting records: time, conditions met, values | runs: see pattern_table.cc
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operators/state/key_state_table.h"
#include "operators/pattern/pattern_plan.h"

namespace rivulet {

inline constexpr uint32_t kNotBlocked = std::numeric_limits<uint32_t>::max();

// One way to match the records so far. Runs that began with the same record are alternatives, the preferred
// one first: that which a backtracking search would try first.
struct PatternRun {
  uint64_t first = 0, last = 0;  // number, among the key's records, of the first and the last one taken
  int64_t start_us = 0;          // time of the first
  int64_t last_us = 0;           // time of the last
  int64_t base_us = 0;           // what comes next counts from here: last_us, or where a `for` has passed
  uint32_t at = 0;               // the element that took the last record, or the negation that has passed
  uint32_t taken = 0;            // records of this element; 0: a negation
  uint32_t blocked = kNotBlocked;  // the negation behind `at` that a record has met: there is no way past it
  bool skipped = false;          // records have been passed over since the last one taken
  bool sure = false;             // could end here: it comes to a match whatever follows
  bool complete = false;         // takes no more: waits for runs that are preferred
  int64_t due = kNoTimer;        // something happens when all records up to here have come
  std::unique_ptr<int64_t[]> block;
  char* bytes() const { return reinterpret_cast<char*>(block.get()); }
};

// A record that waits until W has passed it.
struct WaitingRecord {
  int64_t time;
  uint64_t met;     // bit e: the condition of element e, as far as it is known
  uint32_t offset;  // of its values in PatternState::bytes
  uint32_t length;
};

struct PatternState final : KeyState {
  uint64_t records = 0;                // processed since there last was nothing of this key
  std::vector<WaitingRecord> waiting;  // by time, then arrival; from `head` on
  size_t head = 0;
  std::string bytes;
  std::vector<PatternRun> runs;        // by first record, then preference

  size_t waits() const { return waiting.size() - head; }
  const WaitingRecord& front() const { return waiting[head]; }
  // `values` are those of the record, each as value_codec.h writes it.
  void Wait(int64_t time, uint64_t met, std::string_view values);
  void PopFront();
};

// One thread.
class PatternTable final : public KeyStateTableOf<PatternState> {
 public:
  PatternTable(const PatternPlan* plan, const std::string& prefix, const StateView* view,
               KeyShare share)
      : KeyStateTableOf(prefix, view, share), plan_(plan) {}
  ~PatternTable() override { Clear(); }

  // A run with a block that holds nothing; or what `of` holds.
  PatternRun NewRun();
  PatternRun CopyRun(const PatternRun& of);
  void Free(PatternRun* run);
  size_t EntriesInMemory() const override { return runs_; }  // runs

 private:
  void Encode(const KeyState& state, std::string* out) override;
  Status Decode(std::string_view row, KeyState* state) override;
  bool Empty(const KeyState& state) const override;
  size_t Measure(const KeyState& state) const override;
  void Release(KeyState* state) override;
  size_t OtherBytes() const override;
  void DropSpare() override { spare_.clear(); }

  bool DecodeWaiting(std::string_view* row, PatternState* state) const;
  bool DecodeRun(std::string_view* row, PatternState* state);
  bool Plausible(const PatternRun& run, const PatternState& state) const;
  std::unique_ptr<int64_t[]> TakeBlock();

  const PatternPlan* plan_;
  std::vector<std::unique_ptr<int64_t[]>> spare_;  // blocks for reuse, not initialised
  size_t runs_ = 0;
};

}  // namespace rivulet
