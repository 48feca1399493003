// The file system of the data directory.
#include <algorithm>
#include <iterator>

#include "base/units.h"
#include "node/doctor/checks.h"

namespace rivulet {
namespace {

constexpr uint64_t kFewFiles = 1000;  // the node makes some dozens

struct Unfit {
  std::string_view kind, why;
};
constexpr std::string_view kNoOrder =
    "keeps neither owners nor the order of writes: a power cut can damage the state";
constexpr std::string_view kNetwork =
    "is on another machine: memory maps and locks are not to be relied on";
constexpr std::string_view kMemory = "is in memory: all is gone with the next restart";
constexpr Unfit kUnfit[] = {
    {"vfat", kNoOrder},     {"msdos", kNoOrder},     {"exfat", kNoOrder},
    {"ntfs", kNoOrder},     {"ntfs3", kNoOrder},     {"fuseblk", kNoOrder},
    {"nfs", kNetwork},      {"nfs4", kNetwork},      {"cifs", kNetwork},
    {"smb3", kNetwork},     {"fuse.sshfs", kNetwork}, {"9p", kNetwork},
    {"ceph", kNetwork},     {"tmpfs", kMemory},      {"ramfs", kMemory},
};

constexpr char kMoveAdvice[] = "set 'node.data' to a folder on ext4 (card, USB disk or NVMe)";

// raspi-config's overlay file system, and overlayroot: the upper layer is in memory.
bool UpperInMemory(const Mount& mount, const std::vector<Mount>& mounts) {
  const std::string upper = mount.ValueOf("upperdir");
  if (upper.starts_with("/upper/") || upper.starts_with("/media/root-rw/")) return true;
  const Mount* below = upper.empty() ? nullptr : MountOf(mounts, upper);
  return below != nullptr && below != &mount && below->kind == "tmpfs";
}

void CheckKind(const Mount& mount, const std::vector<Mount>& mounts, Findings* findings) {
  for (const Unfit& unfit : kUnfit) {
    if (mount.kind != unfit.kind) continue;
    findings->Fail("the data directory is on " + mount.kind + " (" + mount.point + "), which " +
                       std::string(unfit.why),
                   "a local file system such as ext4", kMoveAdvice);
  }
  if (mount.kind == "overlay" && UpperInMemory(mount, mounts)) {
    findings->Fail("the data directory is on an overlay whose upper layer is in memory: all is gone "
                   "with the next restart",
                   "a local file system such as ext4",
                   std::string(kMoveAdvice) +
                       ", or turn the overlay off ('raspi-config', Performance Options)");
  } else if (mount.kind == "overlay") {
    findings->Warn("the data directory is on an overlay (" + mount.point + "), as in a container",
                   "a local file system such as ext4",
                   "keep 'node.data' on a volume, or it goes when the container does");
  }
}

void CheckOptions(const Mount& mount, Findings* findings) {
  if (mount.Has("sync")) {
    findings->Warn(mount.point + " is mounted with 'sync': every write waits for the medium",
                   "mounted without it; the node syncs what must be",
                   "remove 'sync' from its line in /etc/fstab");
  }
  if (mount.Has("nobarrier") || mount.Has("barrier=0")) {
    findings->Warn(mount.point + " is mounted without write barriers: a power cut can damage it",
                   "mounted with barriers, as is the default",
                   "remove 'nobarrier' or 'barrier=0' from its line in /etc/fstab");
  }
  if (mount.Has("strictatime")) {
    findings->Warn(mount.point + " is mounted with 'strictatime': each read is also a write",
                   "'noatime'", "write 'noatime' instead in its line in /etc/fstab");
  }
}

void CheckSpace(const NodeSpec& node, const DiskSpace& space, Findings* findings) {
  // The journal may grow this far and still keep off the reserve.
  const uint64_t wanted = node.disk_reserve + node.journal.retain_bytes + node.journal.segment_bytes;
  const std::string room = FormatSize(space.free_bytes) + " free of " + FormatSize(space.bytes);
  constexpr char kAdvice[] =
      "make room ('du -xh --max-depth=2 / | sort -h' shows where it went), or lower "
      "'journal.retain.bytes'";
  if (space.free_bytes < node.disk_reserve + node.disk_reserve / 4) {
    findings->Fail(room + ": the node " +
                       (space.free_bytes < node.disk_reserve ? "takes no messages"
                                                             : "pauses soon, and stays paused"),
                   "more than 'disk.reserve' (" + FormatSize(node.disk_reserve) + ") and a quarter",
                   kAdvice);
  } else if (space.free_bytes < wanted) {
    findings->Warn(room, "at least " + FormatSize(wanted) + ": 'disk.reserve' and a full journal",
                   kAdvice);
  }
  if (space.files != 0 && space.free_files < kFewFiles) {
    findings->Warn("room for only " + std::to_string(space.free_files) + " more files (inodes)",
                   "at least " + std::to_string(kFewFiles), "remove small files; 'df -i' shows it");
  }
}

}  // namespace

void CheckDisk(Subject* subject, Findings* findings) {
  const Host& host = *subject->host;
  const std::string path = NearestExisting(host, subject->node->data_directory);
  const Mount* mount = MountOf(subject->mounts, path);
  if (mount != nullptr) {
    CheckKind(*mount, subject->mounts, findings);
    CheckOptions(*mount, findings);
  }
  const Result<DiskSpace> space = host.Space(path);
  if (!space.ok()) {
    findings->Skip("free space cannot be read: " + space.status().message());
    return;
  }
  if (space->read_only || (mount != nullptr && mount->Has("ro"))) {
    findings->Fail("the file system of the data directory is read-only", "one that can be written",
                   "after errors the kernel mounts a card read-only: see 'dmesg', then fsck or "
                   "replace it. In a sandbox, the unit must allow writing there");
    return;
  }
  CheckSpace(*subject->node, *space, findings);
  if (!findings->clean()) return;
  findings->Ok(FormatSize(space->free_bytes) + " free of " + FormatSize(space->bytes) +
               (mount == nullptr ? "" : ", " + mount->kind + " on " + mount->device));
}

}  // namespace rivulet
