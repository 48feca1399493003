// FirePoint: how far what time brings about has been put out.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/types.h"

namespace rivulet {

// How far windows are closed: all with (end, key) <= (time, key), or every key of `time` when `whole`. A very
// large close is done in steps, with commits in between, so that memory stays bounded.
struct FirePoint {
  int64_t time = std::numeric_limits<int64_t>::min();
  bool whole = true;
  std::string key;

  // Whether the window or key at (end, key) is within.
  bool Covers(int64_t end, std::string_view k) const {
    return end < time || (end == time && (whole || k <= key));
  }
  // Up to here everything is within, whatever its key.
  int64_t WholeTime() const { return whole ? time : SaturatingSub(time, 1); }
  // Up to here everything of this key is.
  int64_t TimeOf(std::string_view k) const { return Covers(time, k) ? time : SaturatingSub(time, 1); }
  bool operator<(const FirePoint& o) const {
    if (time != o.time) return time < o.time;
    return whole != o.whole ? o.whole : key < o.key;
  }
  bool operator==(const FirePoint&) const = default;
};

}  // namespace rivulet
