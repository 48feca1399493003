// ServiceManager: the seam to what started the daemon and looks after it. With systemd that is sd_notify(3).
#pragma once

#include <memory>
#include <string>

#include "base/types.h"

namespace rivulet {

class ServiceManager {
 public:
  virtual ~ServiceManager() = default;
  // Somebody listens. Otherwise Notify does nothing.
  virtual bool listens() const = 0;
  // How often WATCHDOG=1 must come at the latest; 0: it need not.
  virtual Duration watchdog() const = 0;
  // Lines NAME=VALUE as in sd_notify(3). Thread-safe.
  virtual void Notify(const std::string& lines) = 0;
};

// The one that the environment names: NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. It outlives no fork.
std::unique_ptr<ServiceManager> NewSystemdManager();

}  // namespace rivulet
