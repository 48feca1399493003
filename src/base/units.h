// Durations ("250ms", "5s", "1m", "2h", "1d", "10us") and sizes ("64KB", "256MB", "1GB") as people
// write them in YAML and on the command line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/types.h"

namespace rivulet {

// Accepts a decimal number directly followed by us, ms, s, m, h or d; "0" needs no unit. Several
// parts add up ("1h30m"). Fractions are allowed where they come out in whole microseconds ("1.5s").
// Errors: kBadDuration (what was found, what is expected).
Result<Duration> ParseDuration(std::string_view text);
// The shortest exact form: 5000000 us is "5s", 90 s is "1m30s", 0 is "0s".
std::string FormatDuration(Duration d);

// Accepts a whole number followed by B, KB, MB, GB (powers of 1024; KiB, MiB, GiB are the same) or
// nothing (bytes). Errors: kBadSize.
Result<uint64_t> ParseSize(std::string_view text);
// "64 MB", "1.5 MB", "117 B": for people, one decimal at most.
std::string FormatSize(uint64_t bytes);

}  // namespace rivulet
