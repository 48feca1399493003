// Whether the clock is set. A Pi has no clock battery.
#include "node/doctor/checks.h"
#include "operators/decode/decoder.h"

namespace rivulet {
namespace {

// No machine with this program can honestly live outside of these years.
constexpr EventTime kBeginOf2024{1'704'067'200'000'000};
constexpr EventTime kBeginOf2100{4'102'444'800'000'000};

bool HasBattery(const Host& host) {
  const Result<std::vector<std::string>> clocks = host.List("/sys/class/rtc");
  return clocks.ok() && !clocks->empty();
}

}  // namespace

void CheckClock(Subject* subject, Findings* findings) {
  const Host& host = *subject->host;
  const EventTime now = host.Wall();
  const std::string time = FormatIso8601(now.us / 1'000'000 * 1'000'000);
  if (now < kBeginOf2024 || now > kBeginOf2100) {
    findings->Fail("the clock says " + time, "the time of day",
                   "have it set from the network ('timedatectl set-ntp true'; without network "
                   "'timedatectl set-time'). Until then records become dead letters (E4005)");
    return;
  }
  const std::string rtc = HasBattery(host) ? "" : "; there is no real-time clock";
  const Result<KernelClock> clock = host.Clock();
  const bool once = host.Stat("/run/systemd/timesync/synchronized").ok();
  if (clock.ok() ? clock->synchronised : once) {
    findings->Ok("synchronised, " + time + rtc);
    return;
  }
  if (!clock.ok()) {
    findings->Skip("the kernel does not say whether the clock is synchronised (" +
                   clock.status().message() + ")");
    return;
  }
  findings->Warn("not synchronised" + std::string(once ? " any more" : "") + ", the clock says " +
                     time + rtc,
                 "a clock set from the network or by a real-time clock",
                 "'timedatectl set-ntp true', and check that the time server can be reached; "
                 "'systemctl enable systemd-time-wait-sync' lets services wait for it. With a clock "
                 "that is behind, good records become dead letters (E4005)");
}

}  // namespace rivulet
