// Which process holds the lock of a data directory: read from /proc, as trying the lock would for a
// moment keep out a node that starts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "node/doctor/host.h"

namespace rivulet {

struct LockHolder {
  uint64_t pid = 0;
  std::vector<std::string> command;  // empty: it cannot be read
  std::string control_group;         // as in "/system.slice/rivulet.service"
};

// Nothing when nobody holds it, or it does not exist.
std::optional<LockHolder> FindLockHolder(const Host& host, const std::string& lock_file);

// The words of /proc/PID/cmdline.
std::vector<std::string> CommandOf(const Host& host, const std::string& pid);

}  // namespace rivulet
