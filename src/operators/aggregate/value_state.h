// One value in a block, perhaps with a string outside it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/value.h"
#include "operators/aggregate/accumulator.h"

namespace rivulet {

void ReleaseValue(ValueState* s);
// Takes over a copy of `v`.
void AssignValue(ValueState* s, const Value& v);
// Strings are views into the state.
Value ReadValue(const ValueState& s);
// Bytes outside the block.
size_t ValueHeapBytes(const ValueState& s);

}  // namespace rivulet
