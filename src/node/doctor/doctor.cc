#include "node/doctor/doctor.h"

#include <algorithm>

#include "node/doctor/checks.h"

namespace rivulet {
namespace {

constexpr DoctorCheck kChecks[] = {
    {"config", CheckConfig, false, "the node file"},
    {"pipelines", CheckPipelines, true, "pipeline files and the tables they read"},
    {"clock", CheckClock, false, "is the time set and synchronised"},
    {"disk", CheckDisk, true, "file system of the data directory: kind, options, room"},
    {"card", CheckCard, true, "wear and errors of the card or disk"},
    {"sync", CheckSync, true, "how long writes take to reach the medium, measured"},
    {"permissions", CheckPermissions, true, "owners and modes of data, files, secrets"},
    {"paths", CheckPaths, true, "folders of sinks and tables; sticks that are not mounted"},
    {"memory", CheckMemory, true, "memory, swap, limits of the service"},
    {"limits", CheckLimits, true, "32-bit limits, open files, file sizes"},
    {"power", CheckPower, false, "undervoltage and throttling"},
    {"cpu", CheckCpu, false, "temperature and speed"},
    {"process", CheckProcess, true, "which process has the data directory"},
    {"http", CheckHttp, true, "the node's HTTP address"},
    {"broker", CheckBroker, true, "name, connection, TLS, login of each broker"},
    {"access", CheckAccess, true, "topics the node may read and write"},
    {"broker-limits", CheckBrokerLimits, true, "limits the broker announces, messages it dropped"},
    {"mosquitto", CheckMosquitto, true, "settings of a mosquitto on this machine"},
};

}  // namespace

std::span<const DoctorCheck> DoctorChecks() { return kChecks; }

std::vector<Finding> Examine(Subject* subject, const std::vector<std::string>& only) {
  std::vector<Finding> all;
  for (const DoctorCheck& check : kChecks) {
    if (!only.empty() && std::find(only.begin(), only.end(), check.name) == only.end()) continue;
    Findings findings(check.name);
    if (check.needs_node && !subject->node) {
      findings.Skip("the node file has faults");
    } else {
      check.run(subject, &findings);
    }
    all.insert(all.end(), findings.list().begin(), findings.list().end());
  }
  return all;
}

}  // namespace rivulet
