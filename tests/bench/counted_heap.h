// Counts what the program takes from the heap through operator new. Linking counted_heap.cc
// replaces the global operators.
#pragma once

#include <cstdint>

namespace rivulet::bench {

// Allocations of this thread since the program began.
uint64_t Allocations();

}  // namespace rivulet::bench
