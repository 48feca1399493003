// WindowOperator: the keyed operators that are windows.
//
// Rules (the design's section 4): W is the watermark just before a record. A window [start, end) closes
// when W >= end. A record is late for a window when end + lateness <= W, and late altogether when it is
// late for all its windows. Between closing and that, it joins and the window is emitted again at
// once with revision + 1.
//
// With per-key time each key has a clock: its own largest event time less the delay. The key's effective
// watermark is the later of its clock and the source's W less the hold; it takes W's place in all of these
// rules, for this key alone. What is called watermark here is then W less the hold: the part that all keys
// have in common.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "operators/aggregate/aggregate_plan.h"
#include "operators/keyed_operator.h"
#include "operators/state/key_share.h"
#include "operators/window/batch_accumulator.h"
#include "operators/window/pane_layout.h"
#include "operators/window/window_spec.h"

namespace rivulet {

// One thread per instance.
class WindowOperator : public KeyedOperator {
 protected:
  WindowOperator(const WindowSpec& spec, const AggregatePlan* plan, const FirePoint& fired)
      : KeyedOperator(fired), spec_(spec), plan_(plan), accumulator_(plan) {}

  // Calls take(row, joins) for each record. With per-key time there are also some that only move their key's
  // clock: those do not join.
  template <typename Take>
  void ForEachRow(const KeyedRecords& input, Take take) const {
    if (!spec_.per_key.on) {
      for (uint32_t k = 0; k < input.count; ++k) take(input.rows[k], true);
      return;
    }
    uint32_t next = 0;
    for (uint32_t k = 0; k < input.clock_count; ++k) {
      const uint32_t row = input.clock_rows[k];
      const bool joins = next < input.count && input.rows[next] == row;
      next += joins ? 1 : 0;
      take(row, joins);
    }
  }

  WindowSpec spec_;
  const AggregatePlan* plan_;
  BatchAccumulator accumulator_;
};

// `fired` is where the operator had got to when the rows in `view` were committed.
std::unique_ptr<KeyedOperator> NewWindowOperator(const WindowSpec& spec, const AggregatePlan* plan,
                                                  const PaneLayouts* layouts, std::string prefix,
                                                  const StateView* view, KeyShare share,
                                                  const FirePoint& fired);

}  // namespace rivulet
