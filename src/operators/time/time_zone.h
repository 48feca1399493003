// Time zones by name, from the machine's own tzdata (/usr/share/zoneinfo).
//
// Local times depend on that data: it says what governments have decreed so far. The files list
// changes up to 2037; behind the last one a zone stays as that leaves it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rivulet {

// Refers to what the process keeps of the zone. Any number of threads may use it.
class TimeZone {
 public:
  // "Europe/Berlin". Reads the zone's file when it is first asked for. None, with *error filled
  // (with the nearest name), when there is no such zone.
  static std::optional<TimeZone> Find(std::string_view name, std::string* error);

  // Local time minus UTC at a moment, in milliseconds (whole seconds).
  int64_t OffsetMs(int64_t utc_ms) const;

  // Both saturate at the ends of int64.
  int64_t ToLocal(int64_t utc_ms) const;
  // The moment at which clocks show `local_ms`: of two (clocks were put back) the earlier; a time that is
  // left out (put forward) counts on from before the change, so 02:30 becomes 03:30.
  int64_t ToUtc(int64_t local_ms) const;
  // The first moment at which clocks show `local_ms` or later: where a day begins that begins with an hour
  // left out.
  int64_t FirstMoment(int64_t local_ms) const;
  // The last moment at which clocks show `local_ms`: of two the later; a time that is left out has the first
  // moment behind it.
  int64_t LastMoment(int64_t local_ms) const;

 private:
  explicit TimeZone(const void* zone) : zone_(zone) {}

  const void* zone_;  // the library's own
};

}  // namespace rivulet
