// What an interval join is to do: see interval_join.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rivulet {

struct JoinSpec {
  enum class Type : uint8_t { kInner = 0, kLeft = 1, kFull = 2 } type = Type::kInner;
  // right.time - left.time lies in [lower, upper], us.
  int64_t lower_us = 0, upper_us = 0;
  uint8_t left_source = 0, right_source = 1;   // KeyedRecords::source of either side
  // Values that are kept of a record: of the left side the first arguments, of the right those behind.
  size_t left_values = 0, right_values = 0;
};

}  // namespace rivulet
