// DetectorState: what a detector remembers of a key, and its stored form:
//   flags (1 byte, never 0) | newest | start | since (8 bytes each) | count (8 bytes) | mean | variance
//   (8 bytes each) | value (length, bytes)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/coding.h"

namespace rivulet {

struct DetectorState {
  bool fresh = true;        // the key has had no record yet
  bool active = false;      // an episode is going on
  bool pending = false;     // its condition is true, but not for long enough yet
  bool has_value = false;
  int64_t newest = 0;       // latest time of the key's records, us
  int64_t start = 0;        // pending, active: when the condition became true
  int64_t since = 0;        // of `value`: the time of the record it came with
  uint64_t count = 0;       // anomaly: values so far
  double mean = 0, variance = 0;
  static constexpr int64_t kFarthest = int64_t{1} << 62;
  std::string value;        // as part of a key is written (key_codec.h)

  void Clear() {
    fresh = true;
    active = pending = has_value = false;
    newest = start = since = 0;
    count = 0;
    mean = variance = 0;
    value.clear();
  }

  void Encode(std::string* out) const {
    out->push_back(static_cast<char>(1 | (active ? 2 : 0) | (pending ? 4 : 0) | (has_value ? 8 : 0)));
    for (const int64_t time : {newest, start, since}) PutFixed(out, time);
    PutFixed(out, count);
    PutFixed(out, mean);
    PutFixed(out, variance);
    PutBytes(out, value);
  }

  // False when the bytes are no state.
  bool Decode(std::string_view in) {
    uint8_t flags = 0;
    std::string_view bytes;
    if (!GetFixed(&in, &flags) || (flags & 1) == 0 || flags > 15) return false;
    if (!GetFixed(&in, &newest) || !GetFixed(&in, &start) || !GetFixed(&in, &since) ||
        !GetFixed(&in, &count) || !GetFixed(&in, &mean) || !GetFixed(&in, &variance) ||
        !GetBytes(&in, &bytes) || !in.empty()) {
      return false;
    }
    // No event time comes near the ends of int64 (the source refuses it).
    for (const int64_t time : {newest, start, since}) {
      if (time > kFarthest || time < -kFarthest) return false;
    }
    fresh = false;
    active = (flags & 2) != 0;
    pending = (flags & 4) != 0;
    has_value = (flags & 8) != 0;
    value = bytes;
    return true;
  }
};

}  // namespace rivulet
