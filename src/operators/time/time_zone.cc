#include "operators/time/time_zone.h"

#include <date/tz.h>

#include <algorithm>
#include <exception>
#include <vector>

#include "base/suggest.h"
#include "base/types.h"

namespace rivulet {
namespace {

using std::chrono::seconds;

const date::time_zone& Zone(const void* zone) { return *static_cast<const date::time_zone*>(zone); }

// Years 1 to 32000: beyond, the library's own arithmetic would leave its range. No zone changes there.
int64_t SecondsWithin(int64_t ms) {
  constexpr int64_t kLeast = -62'135'596'800, kMost = 947'670'796'800;
  return std::clamp(ms / 1000 - (ms % 1000 < 0 ? 1 : 0), kLeast, kMost);
}

int64_t Ms(seconds s) { return int64_t{s.count()} * 1000; }

std::string Suggestion(std::string_view name) {
  std::vector<std::string> names;
  for (const date::time_zone& zone : date::get_tzdb().zones) names.push_back(zone.name());
  return DidYouMean(name, names);
}

}  // namespace

std::optional<TimeZone> TimeZone::Find(std::string_view name, std::string* error) {
  // The library says by exceptions that there is no such zone, or no tzdata, or that it is damaged.
  try {
    const auto& zones = date::get_tzdb().zones;
    const auto zone = std::lower_bound(
        zones.begin(), zones.end(), name,
        [](const date::time_zone& z, std::string_view n) { return z.name() < n; });
    if (zone == zones.end() || zone->name() != name) {
      *error = "is not a time zone of this machine" + Suggestion(name);
      return std::nullopt;
    }
    zone->get_info(date::sys_seconds{});  // reads the file now, not with the first record
    return TimeZone(&*zone);
  } catch (const std::exception& e) {
    *error = std::string("cannot be looked up, is the package tzdata installed? ") + e.what();
    return std::nullopt;
  }
}

int64_t TimeZone::OffsetMs(int64_t utc_ms) const {
  return Ms(Zone(zone_).get_info(date::sys_seconds(seconds(SecondsWithin(utc_ms)))).offset);
}

int64_t TimeZone::ToLocal(int64_t utc_ms) const { return SaturatingAdd(utc_ms, OffsetMs(utc_ms)); }

int64_t TimeZone::ToUtc(int64_t local_ms) const {
  const date::local_seconds local(seconds(SecondsWithin(local_ms)));
  // In all three cases: unique, left out, twice.
  return SaturatingSub(local_ms, Ms(Zone(zone_).get_info(local).first.offset));
}

int64_t TimeZone::FirstMoment(int64_t local_ms) const {
  const date::local_info info =
      Zone(zone_).get_info(date::local_seconds(seconds(SecondsWithin(local_ms))));
  if (info.result == date::local_info::nonexistent) return Ms(info.first.end.time_since_epoch());
  return SaturatingSub(local_ms, Ms(info.first.offset));
}

int64_t TimeZone::LastMoment(int64_t local_ms) const {
  const date::local_info info =
      Zone(zone_).get_info(date::local_seconds(seconds(SecondsWithin(local_ms))));
  if (info.result != date::local_info::ambiguous) return FirstMoment(local_ms);
  return SaturatingSub(local_ms, Ms(info.second.offset));
}

}  // namespace rivulet
