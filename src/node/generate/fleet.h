// Made-up telemetry: vehicles (or temperature sensors) whose values wander smoothly. The same
// options give the same bytes on every platform: all values are integers in the unit of their last
// printed digit, and all randomness comes from base/random.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/random.h"

namespace rivulet {

enum class ReadingKind : uint8_t { kFleet, kTemperature };

struct FleetOptions {
  ReadingKind kind = ReadingKind::kFleet;
  uint32_t vehicles = 10;  // or sensors; at least 1
  uint64_t seed = 1;
  bool position = false;  // adds "lat" and "lon" to fleet readings; changes no other value
};

// Yields readings, one vehicle after the other. O(1) and without allocation per reading. Not
// thread-safe.
class Fleet {
 public:
  // No reading is longer, so this much room always suffices.
  static constexpr size_t kMaxReadingBytes = 256;

  explicit Fleet(const FleetOptions& options);

  // Writes the next vehicle's reading as a JSON object, without a newline, to `out` (room for
  // kMaxReadingBytes) and returns its length. `time_ms` is the epoch time it carries, at least 0.
  size_t Next(int64_t time_ms, char* out);

 private:
  // Tenths of km/h, degrees and volts; fuel in millionths of a tank; position in millionths of a
  // degree; temperature in hundredths of a degree Fahrenheit.
  struct Vehicle {
    int32_t speed, target_speed;
    int32_t coolant, battery, fuel;
    int32_t lat, lon, heading_lat, heading_lon;
    int32_t fahrenheit;
  };

  Vehicle MakeVehicle();
  void Drive(Vehicle* v, uint64_t dice);
  char* PutFleetReading(const Vehicle& v, uint64_t dice, int64_t time_ms, char* out) const;

  FleetOptions options_;
  Random random_;
  std::vector<Vehicle> vehicles_;
  uint32_t turn_ = 0;
};

}  // namespace rivulet
