// What the medium says of itself: wear of eMMC, errors that ext4 has noted, write protection.
#include <algorithm>

#include "node/doctor/checks.h"

namespace rivulet {
namespace {

// Lines of eMMC's registers, JESD84-B51: 1 is up to 10 % of the life used, 10 up to 100 %, 11 more.
constexpr uint64_t kWorn = 9, kUsedUp = 11;

// "mmcblk0" of ".../block/mmcblk0/mmcblk0p2"; `partition` gets the last part.
std::string DiskOf(const std::string& link, std::string* partition) {
  const size_t at = link.find("/block/");
  if (at == std::string::npos) return {};
  const std::string rest = link.substr(at + 7);
  *partition = rest.substr(rest.find_last_of('/') + 1);
  return rest.substr(0, rest.find('/'));
}

std::string ReadLine(const Host& host, const std::string& path) {
  const Result<std::string> text = host.Read(path);
  return text.ok() ? std::string(Trimmed(*text)) : "";
}

void CheckWear(const Host& host, const std::string& disk, const std::string& what,
               Findings* findings) {
  const std::string device = "/sys/block/" + disk + "/device/";
  const auto lives = host.Read(device + "life_time");
  uint64_t life = 0;
  if (lives.ok()) {
    for (const std::string_view word : WordsOf(*lives)) {
      life = std::max(life, NumberOf(word, 16).value_or(0));
    }
  }
  const uint64_t spare = NumberOf(ReadLine(host, device + "pre_eol_info"), 16).value_or(0);
  constexpr char kAdvice[] = "move 'node.data' to another medium, and replace this one";
  const std::string used =
      life >= kUsedUp ? "more than 100 %" : std::to_string(life * 10) + " %";
  if (life >= kUsedUp || spare >= 3) {
    findings->Fail(what + " is worn out: " + used + " of its life used, spare blocks " +
                       (spare >= 3 ? "nearly gone" : "left"),
                   "life left", kAdvice);
  } else if (life >= kWorn || spare == 2) {
    findings->Warn(what + " wears out: up to " + used + " of its life used" +
                       (spare == 2 ? ", most spare blocks used" : ""),
                   "less than 80 %", kAdvice);
  } else if (life > 0) {
    findings->Ok(what + ": up to " + used + " of its life used");
  } else if (disk.starts_with("mmcblk") && ReadLine(host, device + "type") == "SD") {
    const std::string date = ReadLine(host, device + "date");
    findings->Skip(what + " is an SD card" + (date.empty() ? "" : " made " + date) +
                   ": cards do not tell how worn they are");
  } else {
    findings->Skip(what + " does not tell how worn it is");
  }
}

void CheckErrors(const Host& host, const std::string& partition, Findings* findings) {
  const auto errors = NumberOf(ReadLine(host, "/sys/fs/ext4/" + partition + "/errors_count"));
  if (errors.value_or(0) == 0) return;
  findings->Warn("ext4 has noted " + std::to_string(*errors) + " errors on " + partition, "none",
                 "see 'dmesg'; back the data up, then check the file system with fsck; a card with "
                 "errors is to be replaced");
}

}  // namespace

void CheckCard(Subject* subject, Findings* findings) {
  const Host& host = *subject->host;
  const std::string path = NearestExisting(host, subject->node->data_directory);
  const Result<FileInfo> info = host.Stat(path);
  const Result<std::string> link =
      info.ok() ? host.Link("/sys/dev/block/" + std::to_string(info->device_major) + ":" +
                            std::to_string(info->device_minor))
                : Result<std::string>(info.status());
  std::string partition;
  const std::string disk = link.ok() ? DiskOf(*link, &partition) : "";
  if (disk.empty()) {
    findings->Skip("the medium of " + path + " cannot be seen here");
    return;
  }
  const std::string name = ReadLine(host, "/sys/block/" + disk + "/device/name");
  const std::string what = disk + (name.empty() ? "" : " (" + name + ")");
  if (ReadLine(host, "/sys/block/" + disk + "/ro") == "1") {
    findings->Fail(what + " is write-protected", "a medium that can be written",
                   "an SD card protects itself when it has worn out: replace it; or its switch is "
                   "on LOCK");
  }
  CheckErrors(host, partition, findings);
  CheckWear(host, disk, what, findings);
}

}  // namespace rivulet
