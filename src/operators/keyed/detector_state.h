// DetectorState: what a detector remembers of a key, and its stored form:
//   flags (1 byte, never 0) | newest | start | since (8 bytes each) | count (8 bytes) | mean | variance
//   (8 bytes each) | if it waits: wake (8 bytes) | carried (length, bytes) | value (length, bytes)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/coding.h"
#include "base/types.h"
#include "operators/state/timer_rows.h"

namespace rivulet {

struct DetectorState {
  bool fresh = true;        // the key has had no record yet
  bool active = false;      // an episode is going on
  bool pending = false;     // its condition is true, but not for long enough yet
  bool has_value = false;
  // An episode begins when W is behind `wake`, unless a record says otherwise. `timed`: the key is then to be
  // looked at.
  bool waits = false, timed = false;
  int64_t newest = 0;       // latest time of the key's records, us
  int64_t start = 0;        // pending, active: when the condition became true
  int64_t since = 0;        // of `value`: the time of the record it came with
  int64_t wake = 0;
  uint64_t count = 0;       // anomaly: values so far
  double mean = 0, variance = 0;
  static constexpr int64_t kFarthest = int64_t{1} << 62;
  std::string value;        // as part of a key is written (key_codec.h)
  std::string carried;      // timed: of the newest record, for the one that is made of it; see detect.cc

  void Clear() {
    fresh = true;
    active = pending = has_value = waits = timed = false;
    newest = start = since = wake = 0;
    count = 0;
    mean = variance = 0;
    value.clear();
    carried.clear();
  }

  void Encode(std::string* out) const {
    out->push_back(static_cast<char>(1 | (active ? 2 : 0) | (pending ? 4 : 0) | (has_value ? 8 : 0) |
                                     (waits ? kWaits : 0) | (timed ? kTimed : 0)));
    for (const int64_t time : {newest, start, since}) PutFixed(out, time);
    PutFixed(out, count);
    PutFixed(out, mean);
    PutFixed(out, variance);
    if (waits) {
      PutFixed(out, wake);
      PutBytes(out, carried);
    }
    PutBytes(out, value);
  }

  // False when the bytes are no state.
  bool Decode(std::string_view in) {
    uint8_t flags = 0;
    std::string_view bytes;
    if (!GetFixed(&in, &flags) || (flags & 1) == 0 || flags > 63) return false;
    if (!GetFixed(&in, &newest) || !GetFixed(&in, &start) || !GetFixed(&in, &since) ||
        !GetFixed(&in, &count) || !GetFixed(&in, &mean) || !GetFixed(&in, &variance)) {
      return false;
    }
    waits = (flags & kWaits) != 0;
    timed = (flags & kTimed) != 0;
    wake = 0;
    carried.clear();
    if (waits) {
      if (!GetFixed(&in, &wake) || !GetBytes(&in, &bytes)) return false;
      carried = bytes;
    }
    if (timed && !waits) return false;
    if (!GetBytes(&in, &bytes) || !in.empty()) return false;
    // No event time comes near the ends of int64 (the source refuses it).
    for (const int64_t time : {newest, start, since, wake}) {
      if (time > kFarthest || time < -kFarthest) return false;
    }
    fresh = false;
    active = (flags & 2) != 0;
    pending = (flags & 4) != 0;
    has_value = (flags & 8) != 0;
    value = bytes;
    return true;
  }

  // Of a stored form, without taking it apart. The time of WakeOf is that at which W is behind `wake`.
  static bool Waits(std::string_view in) { return !in.empty() && (in[0] & kWaits) != 0; }
  static int64_t WakeOf(std::string_view in) {
    int64_t wake = kNoTimer;
    if ((in[0] & kTimed) == 0 || in.size() < kWakeAt) return kNoTimer;
    in.remove_prefix(kWakeAt);
    return GetFixed(&in, &wake) ? SaturatingAdd(wake, 1) : kNoTimer;
  }

 private:
  static constexpr uint8_t kWaits = 16, kTimed = 32;
  static constexpr size_t kWakeAt = 1 + 6 * 8;
};

}  // namespace rivulet
