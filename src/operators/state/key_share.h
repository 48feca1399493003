// KeyShare: whose keys are whose.
#pragma once

#include <cstdint>

namespace rivulet {

// Which keys an instance is responsible for: those whose hash it accepts. Several workers share the
// rows of one operator; each sees only its own.
struct KeyShare {
  uint16_t partitions = 1;
  uint32_t workers = 1;
  uint32_t worker = 0;
  static uint32_t Partition(uint64_t hash, uint16_t partitions) {
    return static_cast<uint32_t>(hash % partitions);
  }
  bool Owns(uint64_t hash) const { return Partition(hash, partitions) % workers == worker; }
};

}  // namespace rivulet
