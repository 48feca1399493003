// RowChecksum: what tells a row of the state store whose bytes have changed on the disk.
//
//   stored := value  checksum   4 bytes, little endian: RowChecksum(key, value)
//
// It covers the key too, so that a row under a key that has changed, or under that of another row, is told
// as well. It stands behind the value, so that a reader takes the value where it lies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/hash.h"

namespace rivulet {

inline constexpr size_t kRowChecksumSize = 4;

inline uint32_t RowChecksum(std::string_view key, std::string_view value) {
  // Odd, so that the two parts do not cancel out where key and value are alike.
  const uint64_t hash = Hash64(value) + Hash64(key) * 0x9e3779b97f4a7c15ull;
  return static_cast<uint32_t>(hash ^ (hash >> 32));
}

// Writes `value` and its checksum to `room`, which has kRowChecksumSize bytes more than the value.
inline void WriteRow(std::string_view key, std::string_view value, char* room) {
  if (!value.empty()) std::memcpy(room, value.data(), value.size());
  const uint32_t checksum = RowChecksum(key, value);
  std::memcpy(room + value.size(), &checksum, kRowChecksumSize);
}

// False when `stored` is not what WriteRow made for `key`. `*value` points into it.
inline bool ReadRow(std::string_view key, std::string_view stored, std::string_view* value) {
  if (stored.size() < kRowChecksumSize) return false;
  *value = stored.substr(0, stored.size() - kRowChecksumSize);
  uint32_t checksum = 0;
  std::memcpy(&checksum, stored.data() + value->size(), kRowChecksumSize);
  return checksum == RowChecksum(key, *value);
}

}  // namespace rivulet
