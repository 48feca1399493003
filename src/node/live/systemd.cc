// All that is asked of libsystemd: telling the service manager, and the journal.
#define SD_JOURNAL_SUPPRESS_LOCATION  // the place in the source is nothing a user of the log knows
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

#include <cstdlib>

#include "node/live/journal_log.h"
#include "node/live/service_manager.h"

namespace rivulet {
namespace {

class SystemdManager final : public ServiceManager {
 public:
  SystemdManager() {
    uint64_t us = 0;
    if (sd_watchdog_enabled(0, &us) > 0) watchdog_.us = static_cast<int64_t>(us);
  }
  bool listens() const override { return listens_; }
  Duration watchdog() const override { return watchdog_; }
  // That it could not be told is nothing to stop for.
  void Notify(const std::string& lines) override { (void)sd_notify(0, lines.c_str()); }

 private:
  const bool listens_ = std::getenv("NOTIFY_SOCKET") != nullptr;
  Duration watchdog_;
};

}  // namespace

std::unique_ptr<ServiceManager> NewSystemdManager() { return std::make_unique<SystemdManager>(); }

bool SendToJournal(const std::vector<std::string>& fields) {
  std::vector<iovec> parts;
  parts.reserve(fields.size());
  for (const std::string& field : fields) {
    parts.push_back({const_cast<char*>(field.data()), field.size()});
  }
  return sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) == 0;
}

}  // namespace rivulet
