// A life of an output log by itself, with more output than a node of the simulation makes: what
// stays in memory is bounded, and everything can be read, whether it is still in memory or not.
#pragma once

#include <cstdint>

namespace rivulet::sim {

// True when the log kept its promises; says what was wrong.
bool CheckOutputLog(uint64_t seed);

}  // namespace rivulet::sim
