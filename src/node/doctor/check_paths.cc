// Where the node writes and reads outside of its data directory: folders of sinks and tables, and
// whether the stick they are on is in.
#include <algorithm>
#include <set>

#include "base/units.h"
#include "node/doctor/checks.h"

namespace rivulet {
namespace {

constexpr uint64_t kLittleRoom = 16ull << 20;

// Folders of which each part is a place for something that can be pulled out.
bool ForMounts(const std::string& path) {
  return IsBelow(path, "/media") || IsBelow(path, "/mnt") || IsBelow(path, "/run/media");
}

// True when `path` is where a stick should be, and none is.
bool MissesMount(const Subject& subject, const std::string& path) {
  if (!ForMounts(path) || subject.mounts.empty()) return false;
  const Mount* mount = MountOf(subject.mounts, path);
  return mount == nullptr || !ForMounts(mount->point) || mount->point == "/media" ||
         mount->point == "/mnt" || mount->point == "/run/media";
}

// Partitions of USB disks that no mount shows, as in "/dev/sda1".
std::vector<std::string> UnusedPartitions(const Subject& subject) {
  std::vector<std::string> unused;
  const Result<std::vector<std::string>> disks = subject.host->List("/sys/block");
  if (!disks.ok()) return unused;
  for (const std::string& disk : *disks) {
    if (!disk.starts_with("sd")) continue;
    const Result<std::vector<std::string>> parts = subject.host->List("/sys/block/" + disk);
    if (!parts.ok()) continue;
    for (const std::string& part : *parts) {
      if (!part.starts_with(disk)) continue;
      const std::string device = "/dev/" + part;
      const bool mounted =
          std::any_of(subject.mounts.begin(), subject.mounts.end(),
                      [&device](const Mount& m) { return m.device == device; });
      if (!mounted) unused.push_back(device);
    }
  }
  return unused;
}

void ReportMissingMount(const Subject& subject, const std::string& path, Findings* findings) {
  const std::vector<std::string> unused = UnusedPartitions(subject);
  findings->Fail(path + ": nothing is mounted there, it would go to the card",
                 "a mounted stick or disk",
                 unused.empty()
                     ? "plug it in; with a line in /etc/fstab (and 'nofail') it is mounted at each "
                       "start"
                     : "mount it: " + unused[0] +
                           " is plugged in and not mounted; with a line in /etc/fstab (and "
                           "'nofail') it is at each start");
}

void CheckSinkFolder(const Subject& subject, const std::string& folder, Findings* findings) {
  const Host& host = *subject.host;
  const Result<FileInfo> info = host.Stat(folder);
  if (!info.ok() || info->kind != FileInfo::Kind::kDirectory) {
    findings->Fail("the folder " + folder + " of a sink is not there", "a folder to write in",
                   "make it, as the node's user: 'install -d -o " + subject.user.name + " " + folder +
                       "'");
    return;
  }
  if (!NodeMay(subject, Access::kWrite, folder) || !NodeMay(subject, Access::kEnter, folder)) {
    findings->Fail("user " + subject.user.name + " may not write in " + folder,
                   "a folder that the sink can write in",
                   "'chown " + subject.user.name + ": " + folder + "'; of a FAT stick the mount "
                   "option 'uid=" + subject.user.name + "'");
    return;
  }
  const Result<DiskSpace> space = host.Space(folder);
  if (!space.ok()) return;
  if (space->read_only) {
    findings->Fail("the file system of " + folder + " is read-only", "one that can be written",
                   "see 'dmesg' for why; in a sandbox, the unit must allow writing there "
                   "('ReadWritePaths=" + folder + "')");
  } else if (space->free_bytes < kLittleRoom) {
    findings->Warn(FormatSize(space->free_bytes) + " free for what goes to " + folder,
                   "at least " + FormatSize(kLittleRoom), "make room there");
  }
}

}  // namespace

void CheckPaths(Subject* subject, Findings* findings) {
  const std::string& data = subject->node->data_directory;
  std::set<std::string> folders;  // of sinks
  for (const std::string& file : SinkFiles(*subject)) folders.insert(FolderOf(file));
  folders.erase(data);
  std::set<std::string> places = folders;
  places.insert(data);
  for (const auto& plan : subject->pipelines) {
    for (const TablePlan& table : plan->tables) {
      if (!table.of_topic()) places.insert(FolderOf(table.path));
    }
  }
  for (const std::string& place : places) {
    if (MissesMount(*subject, place)) {
      ReportMissingMount(*subject, place, findings);
    } else if (folders.contains(place)) {
      CheckSinkFolder(*subject, place, findings);
    }
  }
  if (!findings->clean()) return;
  findings->Ok(folders.empty() ? "all is written below " + data
                               : std::to_string(folders.size()) +
                                     " folders of sinks are there and can be written");
}

}  // namespace rivulet
