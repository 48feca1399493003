// Undervoltage and throttling, where the firmware of a Raspberry Pi tells.
#include "node/doctor/checks.h"

namespace rivulet {
namespace {

// The firmware's word: these bits are about now, and 16 places higher about any time since start.
struct Bit {
  uint64_t mask;
  std::string_view what;
};
constexpr Bit kBits[] = {{1, "undervoltage"},
                         {2, "CPU frequency capped"},
                         {4, "CPU throttled"},
                         {8, "soft temperature limit reached"}};

constexpr char kUndervoltageAdvice[] =
    "use the board's own power supply (5.1 V; 3 A, Pi 5: 5 A) and a short cable, and take what draws "
    "much from USB to a powered hub: undervoltage damages cards and files";
constexpr char kHeatAdvice[] = "cool the board: a heat sink, a fan, air around it";

std::string Named(uint64_t bits) {
  std::string text;
  for (const Bit& bit : kBits) {
    if ((bits & bit.mask) == 0) continue;
    text += (text.empty() ? "" : ", ") + std::string(bit.what);
  }
  return text;
}

void JudgeWord(uint64_t word, Findings* findings) {
  const uint64_t now = word & 0xf, before = word >> 16 & 0xf;
  if (now == 0 && before == 0) {
    findings->Ok("no undervoltage, no throttling since start");
    return;
  }
  const char* advice = ((now | before) & 1) != 0 ? kUndervoltageAdvice : kHeatAdvice;
  if ((now & 1) != 0) {
    findings->Fail("now: " + Named(now), "enough power", advice);
  } else if (now != 0) {
    findings->Warn("now: " + Named(now), "full speed", advice);
  } else {
    findings->Warn("since start: " + Named(before), "none of it", advice);
  }
}

// Below "soc" up to the Pi 4, below "soc@107c000000" and the like since.
std::optional<uint64_t> FirmwareWord(const Host& host) {
  const std::string root = "/sys/devices/platform/";
  const Result<std::vector<std::string>> devices = host.List("/sys/devices/platform");
  if (!devices.ok()) return std::nullopt;
  for (const std::string& device : *devices) {
    if (!device.starts_with("soc")) continue;
    const Result<std::string> text =
        host.Read(root + device + "/" + device + ":firmware/get_throttled");
    const auto word = text.ok() ? NumberOf(Trimmed(*text), 16) : std::nullopt;
    if (word) return word;
  }
  return std::nullopt;
}

// "1" in in0_lcrit_alarm of the sensor rpi_volt: undervoltage since it was last read.
std::optional<bool> AlarmOf(const Host& host) {
  const std::string root = "/sys/class/hwmon";
  const Result<std::vector<std::string>> sensors = host.List(root);
  if (!sensors.ok()) return std::nullopt;
  for (const std::string& sensor : *sensors) {
    const Result<std::string> name = host.Read(root + "/" + sensor + "/name");
    if (!name.ok() || Trimmed(*name) != "rpi_volt") continue;
    const Result<std::string> alarm = host.Read(root + "/" + sensor + "/in0_lcrit_alarm");
    if (alarm.ok()) return Trimmed(*alarm) == "1";
  }
  return std::nullopt;
}

}  // namespace

void CheckPower(Subject* subject, Findings* findings) {
  const Host& host = *subject->host;
  if (const std::optional<uint64_t> word = FirmwareWord(host)) return JudgeWord(*word, findings);
  const std::optional<bool> alarm = AlarmOf(host);
  if (!alarm) {
    findings->Skip("this machine does not report it; on a Pi 'vcgencmd get_throttled' may");
  } else if (*alarm) {
    findings->Fail("undervoltage", "enough power", kUndervoltageAdvice);
  } else {
    findings->Ok("no undervoltage");
  }
}

}  // namespace rivulet
