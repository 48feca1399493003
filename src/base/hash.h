// Hashes used for routing keys and naming results. The functions are part of the stored format:
// a key must map to the same partition in every version and on every platform.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rivulet {

// XXH3, 64 bits, seed 0. Never 0 is NOT promised.
uint64_t Hash64(std::string_view bytes);

// XXH3, 128 bits.
struct Hash128 {
  uint64_t low, high;
};
Hash128 Hash128Of(std::string_view bytes);

// The same as 32 lower-case hex digits.
std::string Hash128Hex(std::string_view bytes);

}  // namespace rivulet
