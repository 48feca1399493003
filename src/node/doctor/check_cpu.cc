// Temperature and speed of the CPU.
#include <algorithm>
#include <cstdio>

#include "node/doctor/checks.h"

namespace rivulet {
namespace {

// In thousandths of a degree. A Pi slows down from 80 °C on, and all models by 85 °C.
constexpr int64_t kHot = 80'000;

std::optional<int64_t> HottestZone(const Host& host) {
  const std::string root = "/sys/class/thermal";
  const Result<std::vector<std::string>> zones = host.List(root);
  if (!zones.ok()) return std::nullopt;
  std::optional<int64_t> hottest;
  for (const std::string& zone : *zones) {
    if (!zone.starts_with("thermal_zone")) continue;
    const Result<std::string> text = host.Read(root + "/" + zone + "/temp");
    const auto value = text.ok() ? LeadingNumberOf(*text) : std::nullopt;
    if (value) hottest = std::max(hottest.value_or(*value), *value);
  }
  return hottest;
}

}  // namespace

void CheckCpu(Subject* subject, Findings* findings) {
  const Host& host = *subject->host;
  const Result<std::string> text =
      host.Read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  const std::string governor = text.ok() ? std::string(Trimmed(*text)) : "";
  const std::optional<int64_t> hottest = HottestZone(host);
  std::string shown;
  if (hottest) {
    char degrees[32];
    std::snprintf(degrees, sizeof(degrees), "%.1f °C", static_cast<double>(*hottest) / 1000);
    shown = degrees;
    if (*hottest >= kHot) {
      findings->Warn("the CPU is at " + shown, "below 80 °C, where a Pi begins to slow down",
                     "cool the board: a heat sink, a fan, air around it");
    }
  }
  if (governor == "powersave") {
    findings->Warn("the CPU stays at its lowest speed (governor powersave)",
                   "ondemand, schedutil or performance",
                   "'echo ondemand | sudo tee "
                   "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor'");
  }
  if (!findings->clean()) return;
  if (shown.empty() && governor.empty()) {
    findings->Skip("neither temperature nor speed can be read");
    return;
  }
  if (!governor.empty()) shown += (shown.empty() ? "" : ", ") + ("governor " + governor);
  findings->Ok(shown);
}

}  // namespace rivulet
