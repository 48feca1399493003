#include "node/doctor/lock_holder.h"

#include <algorithm>

#include "node/doctor/host_text.h"

namespace rivulet {
namespace {

bool IsRivulet(const std::vector<std::string>& command) {
  return !command.empty() && command[0].substr(command[0].find_last_of('/') + 1) == "rivulet";
}

// The last part of the line of the unified hierarchy, "0::/system.slice/rivulet.service".
std::string ControlGroupOf(const Host& host, const std::string& pid) {
  const Result<std::string> text = host.Read("/proc/" + pid + "/cgroup");
  if (!text.ok()) return {};
  for (const std::string_view line : LinesOf(*text)) {
    if (line.starts_with("0::")) return std::string(line.substr(3));
  }
  return {};
}

}  // namespace

std::vector<std::string> CommandOf(const Host& host, const std::string& pid) {
  std::vector<std::string> words;
  const Result<std::string> text = host.Read("/proc/" + pid + "/cmdline");
  if (!text.ok()) return words;
  size_t at = 0;
  while (at < text->size()) {
    const size_t end = std::min(text->find('\0', at), text->size());
    words.push_back(text->substr(at, end - at));
    at = end + 1;
  }
  return words;
}

std::optional<LockHolder> FindLockHolder(const Host& host, const std::string& lock_file) {
  const Result<FileInfo> info = host.Stat(lock_file);
  const Result<std::string> locks = host.Read("/proc/locks");
  if (!info.ok() || !locks.ok()) return std::nullopt;
  for (const std::string_view line : LinesOf(*locks)) {
    // "1: FLOCK  ADVISORY  WRITE 612 b3:02:131074 0 EOF"
    const auto words = WordsOf(line);
    if (words.size() < 6 || words[1] != "FLOCK") continue;
    const size_t first = words[5].find(':');
    const size_t second = words[5].find(':', first == std::string_view::npos ? first : first + 1);
    if (second == std::string_view::npos) continue;
    if (NumberOf(words[5].substr(second + 1)) != info->inode) continue;
    const bool same_device =
        NumberOf(words[5].substr(0, first), 16) == info->device_major &&
        NumberOf(words[5].substr(first + 1, second - first - 1), 16) == info->device_minor;
    const std::string pid(words[4]);
    LockHolder holder{NumberOf(pid).value_or(0), CommandOf(host, pid), ControlGroupOf(host, pid)};
    // btrfs and overlays give files other device numbers than their locks.
    if (same_device || IsRivulet(holder.command)) return holder;
  }
  return std::nullopt;
}

}  // namespace rivulet
