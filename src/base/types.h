// Strong types for times, positions and identities: values that look alike but must not mix.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace rivulet {

// A span of event time or of monotonic time, in microseconds.
struct Duration {
  int64_t us = 0;
  auto operator<=>(const Duration&) const = default;
  static constexpr Duration Millis(int64_t ms) { return {ms * 1000}; }
  static constexpr Duration Seconds(int64_t s) { return {s * 1'000'000}; }
};

// A point of event time (or of wall-clock receive time): microseconds since 1970-01-01 UTC.
struct EventTime {
  int64_t us = 0;
  auto operator<=>(const EventTime&) const = default;
  // Watermark before anything was seen, and after the end of the input.
  static constexpr EventTime Min() { return {std::numeric_limits<int64_t>::min()}; }
  static constexpr EventTime Max() { return {std::numeric_limits<int64_t>::max()}; }
};

// A point of the monotonic clock, in microseconds since an arbitrary start. Only for intervals
// and timeouts; never stored, never compared with EventTime.
struct Monotonic {
  int64_t us = 0;
  auto operator<=>(const Monotonic&) const = default;
  constexpr Monotonic operator+(Duration d) const { return {us + d.us}; }
  constexpr Duration operator-(Monotonic other) const { return {us - other.us}; }
};

// Both clocks, read once by node/ and handed down: nothing below node/ reads a clock.
struct Now {
  Monotonic monotonic;
  EventTime wall;
};

// Position in a log: the number of the next entry to read or write. Starts at 0.
struct Offset {
  uint64_t value = 0;
  auto operator<=>(const Offset&) const = default;
  constexpr Offset operator+(uint64_t n) const { return {value + n}; }
};

// One of the P shares of the key space.
struct PartitionId {
  uint16_t value = 0;
  auto operator<=>(const PartitionId&) const = default;
};

// One unit of ingest: an MQTT session and its journal.
struct LaneId {
  uint16_t value = 0;
  auto operator<=>(const LaneId&) const = default;
};

// Grows with every change of a shard's owner.
struct Epoch {
  uint64_t value = 0;
  auto operator<=>(const Epoch&) const = default;
};

// a + b and a - b that stop at the ends of int64 instead of overflowing.
constexpr int64_t SaturatingAdd(int64_t a, int64_t b) {
  int64_t r = 0;
  if (!__builtin_add_overflow(a, b, &r)) return r;
  return b > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}
constexpr int64_t SaturatingSub(int64_t a, int64_t b) {
  int64_t r = 0;
  if (!__builtin_sub_overflow(a, b, &r)) return r;
  return b < 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}
// The remainder that has the sign of the divisor: FloorMod(-1, 5) is 4. `b` must be positive.
constexpr int64_t FloorMod(int64_t a, int64_t b) {
  const int64_t r = a % b;
  return r < 0 ? r + b : r;
}

}  // namespace rivulet
