// RedeliveryFilter: which message was last journaled under each MQTT packet id.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "base/hash.h"

namespace rivulet {

// 0 is never returned.
inline uint64_t MessageFingerprint(std::string_view topic, std::string_view payload) {
  return (Hash64(payload) ^ (Hash64(topic) * 0x9e3779b97f4a7c15ull)) | 1;
}

// Not thread-safe. 512 KB of address space, of which only pages in use become resident.
class RedeliveryFilter {
 public:
  static constexpr size_t kIds = 1 << 16;

  RedeliveryFilter()
      : fingerprints_(static_cast<uint64_t*>(std::calloc(kIds, sizeof(uint64_t))), &std::free) {}

  bool IsLast(uint16_t packet_id, uint64_t fingerprint) const {
    return fingerprints_ != nullptr && fingerprints_.get()[packet_id] == fingerprint;
  }
  void Set(uint16_t packet_id, uint64_t fingerprint) {
    if (fingerprints_ != nullptr) fingerprints_.get()[packet_id] = fingerprint;
  }
  // Whether anything was journaled under the id.
  bool Knows(uint16_t packet_id) const {
    return fingerprints_ != nullptr && fingerprints_.get()[packet_id] != 0;
  }

 private:
  std::unique_ptr<uint64_t, void (*)(void*)> fingerprints_;
};

}  // namespace rivulet
