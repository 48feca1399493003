// KeyRows: window state that is kept by key: all windows or slices of a key together, as one row of state.
//
// Row: version | which of clock, last use and memory there are | clock | last use | memory | total | parts
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/types.h"
#include "operators/aggregate/aggregate_plan.h"
#include "operators/state/key_state_table.h"
#include "operators/window/pane_layout.h"

namespace rivulet {

// Before every clock.
inline constexpr int64_t kNoClock = std::numeric_limits<int64_t>::min();

// A window of a key, or a slice of a count window.
struct WindowPart {
  int64_t start = 0, end = 0;  // us; without event time: of the earliest and the latest record
  int64_t due = kNoTimer;      // when its next early result is due
  uint64_t records = 0;        // since the last result by number; of a slice: all
  uint32_t revision = 0;       // of its next result
  bool fresh = false;          // holds something that no result has shown
  bool closed = false;         // its closing has been put out
  int64_t last = kNoClock;     // filled windows: event time of its latest record; before every clock: none
  std::unique_ptr<int64_t[]> block;
  char* bytes() const { return reinterpret_cast<char*>(block.get()); }
};

// What filled windows remember of a key's records before all that its parts hold.
struct KeptReading {
  uint64_t curve;     // hash of the signature of the accumulator it was added to
  int64_t time;       // us
  double value;
};
struct KeptOutput {
  uint64_t output;    // hash of its name
  std::string bytes;  // as PutValue gives it, with IntForm::kVarint
};
struct KeyMemory {
  int64_t settled = kNoClock;    // every window that ends up to here has been put out
  int64_t last_time = kNoClock;  // event time of the last record; before every clock: there was none
  std::vector<KeptReading> readings;
  std::vector<KeptOutput> values;  // of the last window with records
};

struct KeyWindows final : KeyState {
  std::vector<WindowPart> parts;  // by (start, end); of count windows: oldest first
  uint64_t total = 0;             // count windows: records so far
  int64_t clock = kNoClock;       // sessions with per-key time: the key's clock
  int64_t touched = kNoClock;     // with `keep`: last use; before every clock when that was not noted
  std::unique_ptr<KeyMemory> memory;  // of filled windows

  // A record at `time` met W = `watermark`. `keep_us` 0: its use is not noted.
  void Touch(int64_t time, int64_t watermark, int64_t keep_us) {
    touched = keep_us > 0 ? std::max({touched, time, watermark}) : kNoClock;
  }
  // The W from which on the key is over; kNoTimer: it does not come.
  int64_t OverAt(int64_t keep_us) const {
    return keep_us > 0 && touched != kNoClock ? SaturatingAdd(touched, keep_us) : kNoTimer;
  }
};

// One thread.
class KeyRows final : public KeyStateTableOf<KeyWindows> {
 public:
  KeyRows(const AggregatePlan* plan, const PaneLayouts* layouts, const std::string& prefix,
          const StateView* view, KeyShare share)
      : KeyStateTableOf(prefix, view, share), plan_(plan), layouts_(layouts) {}
  ~KeyRows() override { Clear(); }

  // Inserts a part with an empty block at `place`.
  WindowPart* Insert(KeyWindows* windows, size_t place, int64_t start, int64_t end);
  void Remove(KeyWindows* windows, size_t first, size_t count = 1);
  // The key begins anew. Its timer stays.
  void Reset(KeyWindows* windows);
  void ClearBlock(WindowPart* part) const;
  size_t EntriesInMemory() const override { return parts_in_memory_; }  // parts
  // Without anything outside blocks there is nothing to measure.
  void AddedRecords(size_t records) {
    if (plan_->has_heap()) KeyStateTable::AddedRecords(records);
  }

 private:
  void Encode(const KeyState& state, std::string* out) override;
  Status Decode(std::string_view row, KeyState* state) override;
  bool Empty(const KeyState& state) const override;
  // What its blocks hold outside themselves.
  size_t Measure(const KeyState& state) const override;
  void Release(KeyState* state) override;
  size_t OtherBytes() const override;
  void DropSpare() override { spare_.clear(); }

  static void EncodeMemory(const KeyMemory& memory, std::string* out);
  static bool DecodeMemory(std::string_view* row, KeyMemory* memory);
  bool DecodePart(std::string_view* row, WindowPart* part, Status* status);
  void FreePart(WindowPart* part);
  std::unique_ptr<int64_t[]> TakeBlock();

  const AggregatePlan* plan_;
  const PaneLayouts* layouts_;
  std::vector<std::unique_ptr<int64_t[]>> spare_;  // blocks for reuse, not initialised
  size_t parts_in_memory_ = 0;
  std::string pane_;                               // scratch
};

}  // namespace rivulet
