// KeyRows: window state that is kept by key: all windows or slices of a key together, as one row of state.
//
// Row: version | clock | total | parts
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "operators/aggregate/aggregate_plan.h"
#include "operators/keyed/key_state_table.h"
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
  std::unique_ptr<int64_t[]> block;
  char* bytes() const { return reinterpret_cast<char*>(block.get()); }
};

struct KeyWindows final : KeyState {
  std::vector<WindowPart> parts;  // by (start, end); of count windows: oldest first
  uint64_t total = 0;             // count windows: records so far
  int64_t clock = kNoClock;       // sessions with per-key time: the key's clock
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
  void ClearBlock(WindowPart* part) const;
  size_t PartsInMemory() const { return parts_in_memory_; }

 private:
  void Encode(const KeyState& state, std::string* out) override;
  Status Decode(std::string_view row, KeyState* state) override;
  bool Empty(const KeyState& state) const override;
  // What its blocks hold outside themselves.
  size_t Measure(const KeyState& state) const override;
  void Release(KeyState* state) override;
  size_t OtherBytes() const override;
  void DropSpare() override { spare_.clear(); }

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
