// BatchAccumulator: gathers (row, block) pairs and adds them to the blocks one aggregate at a time, so
// that each aggregate's loop is tight.
#pragma once

#include <cstdint>
#include <vector>

#include "operators/aggregate/aggregate_plan.h"
#include "operators/keyed_operator.h"

namespace rivulet {

class BatchAccumulator {
 public:
  explicit BatchAccumulator(const AggregatePlan* plan) : plan_(plan) {}

  void Add(uint32_t row, char* block) {
    rows_.push_back(row);
    blocks_.push_back(block);
  }
  // Updates the blocks in the order of Add, and forgets the pairs.
  void Flush(const KeyedRecords& input) {
    if (rows_.empty()) return;
    for (const AccumulatorSlot& slot : plan_->slots()) {
      const uint32_t* rows = rows_.data();
      char* const* blocks = blocks_.data();
      size_t count = rows_.size();
      if (slot.filter >= 0) {
        count = Filter(*(*input.arguments)[static_cast<size_t>(slot.filter)]);
        rows = filtered_rows_.data();
        blocks = filtered_blocks_.data();
      }
      const auto column = [&input](int32_t argument) {
        return argument < 0 ? nullptr : (*input.arguments)[static_cast<size_t>(argument)];
      };
      slot.accumulator->Update({column(slot.argument), input.batch->event_time.data(), rows, blocks,
                                static_cast<uint32_t>(count), column(slot.second)},
                               slot.offset);
    }
    rows_.clear();
    blocks_.clear();
  }

 private:
  size_t Filter(const Column& condition) {
    filtered_rows_.clear();
    filtered_blocks_.clear();
    for (size_t k = 0; k < rows_.size(); ++k) {
      if (condition.type(rows_[k]) != Type::kBool || !condition.Bool(rows_[k])) continue;
      filtered_rows_.push_back(rows_[k]);
      filtered_blocks_.push_back(blocks_[k]);
    }
    return filtered_rows_.size();
  }

  const AggregatePlan* plan_;
  std::vector<uint32_t> rows_, filtered_rows_;
  std::vector<char*> blocks_, filtered_blocks_;
};

}  // namespace rivulet
