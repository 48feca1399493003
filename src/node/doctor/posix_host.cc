// The Host of a real machine.
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "node/commands/cli.h"
#include "node/doctor/host.h"
#include "node/http/listen_socket.h"
#include "state/descriptor.h"

namespace rivulet {
namespace {

constexpr size_t kMostRead = 1 << 20;
constexpr size_t kWriteBytes = 4096;  // a page of the state store
constexpr Duration kNetworkTimeout = Duration::Seconds(5);

Status Unreadable(int error, const std::string& path) {
  return Status(error == ENOENT || error == ENOTDIR ? ErrorCode::kNotFound
                                                    : ErrorCode::kFileNotReadable,
                "'" + path + "': " + std::generic_category().message(error));
}

Status WriteFailed(int error, const std::string& path) {
  return Status(error == ENOSPC || error == EDQUOT ? ErrorCode::kDiskFull : ErrorCode::kIo,
                "cannot write in '" + path + "': " + std::generic_category().message(error));
}

std::optional<uint64_t> LimitOf(int resource) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0 ||
      limit.rlim_cur == RLIM_INFINITY) {
    return std::nullopt;
  }
  return static_cast<uint64_t>(limit.rlim_cur);
}

class PosixHost final : public Host {
 public:
  Result<std::string> Read(const std::string& path) const override {
    // Not blocking: a named pipe must not hold up the report.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0) return Unreadable(errno, path);
    std::string text;
    char buffer[4096];
    while (text.size() < kMostRead) {
      const ssize_t n = ::read(file.get(), buffer, sizeof(buffer));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Unreadable(errno, path);
      if (n == 0) break;
      text.append(buffer, static_cast<size_t>(n));
    }
    return text;
  }

  Result<std::vector<std::string>> List(const std::string& path) const override {
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr) return Unreadable(errno, path);
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(directory)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    ::closedir(directory);
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<FileInfo> Stat(const std::string& path) const override {
    struct stat s {};
    if (::stat(path.c_str(), &s) != 0) return Unreadable(errno, path);
    FileInfo info;
    info.kind = S_ISREG(s.st_mode)   ? FileInfo::Kind::kFile
                : S_ISDIR(s.st_mode) ? FileInfo::Kind::kDirectory
                                     : FileInfo::Kind::kOther;
    info.mode = s.st_mode & 07777;
    info.uid = s.st_uid;
    info.gid = s.st_gid;
    info.device_major = major(s.st_dev);
    info.device_minor = minor(s.st_dev);
    info.inode = s.st_ino;
    return info;
  }

  Result<std::string> Link(const std::string& path) const override {
    char target[4096];
    const ssize_t n = ::readlink(path.c_str(), target, sizeof(target));
    if (n < 0) return Unreadable(errno, path);
    return std::string(target, static_cast<size_t>(n));
  }

  Result<DiskSpace> Space(const std::string& path) const override {
    struct statvfs s {};
    if (::statvfs(path.c_str(), &s) != 0) return Unreadable(errno, path);
    DiskSpace space;
    space.bytes = uint64_t{s.f_blocks} * s.f_frsize;
    space.free_bytes = uint64_t{s.f_bavail} * s.f_frsize;
    space.files = s.f_files;
    space.free_files = s.f_favail;
    space.read_only = (s.f_flag & ST_RDONLY) != 0;
    return space;
  }

  EventTime Wall() const override { return WallNow(); }

  Result<KernelClock> Clock() const override {
    timex t{};
    const int state = ::adjtimex(&t);
    if (state < 0) {
      return {ErrorCode::kIo, "adjtimex: " + std::generic_category().message(errno)};
    }
    KernelClock clock;
    clock.synchronised = state != TIME_ERROR && (t.status & STA_UNSYNC) == 0;
    clock.max_error = {static_cast<int64_t>(t.maxerror)};
    return clock;
  }

  Platform About() const override {
    return {static_cast<int>(sizeof(void*) * 8), static_cast<int>(sizeof(time_t) * 8)};
  }

  ProcessLimits Limits() const override {
    return {LimitOf(RLIMIT_NOFILE), LimitOf(RLIMIT_AS), LimitOf(RLIMIT_FSIZE)};
  }

  uint32_t User() const override { return ::geteuid(); }

  Person Lookup(uint32_t uid) const override {
    Person person{uid, std::to_string(uid), {}};
    passwd entry{};
    passwd* found = nullptr;
    char buffer[16384];
    if (::getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found) != 0 || found == nullptr) {
      return person;
    }
    person.name = found->pw_name;
    gid_t groups[256];
    int count = 256;
    if (::getgrouplist(found->pw_name, found->pw_gid, groups, &count) < 0) count = 256;
    person.groups.assign(groups, groups + count);
    return person;
  }

  bool May(Access access, const std::string& path) const override {
    const int mode = access == Access::kRead ? R_OK : access == Access::kWrite ? W_OK : X_OK;
    return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0;
  }

  Result<std::vector<Duration>> TimeSyncs(const std::string& directory, int most,
                                          Duration within) const override {
    const std::string path = directory + "/.doctor-" + std::to_string(::getpid());
    const Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.get() < 0) return WriteFailed(errno, directory);
    ::unlink(path.c_str());
    // As the journal does, room is set aside first. Where a file system cannot, it costs what it costs.
    (void)::posix_fallocate(file.get(), 0, static_cast<off_t>(kWriteBytes) * most);
    if (::fdatasync(file.get()) != 0) return WriteFailed(errno, directory);
    const std::string page(kWriteBytes, 'r');
    std::vector<Duration> times;
    Duration total;
    while (times.size() < static_cast<size_t>(most) && total < within) {
      const Monotonic start = MonotonicNow();
      const auto at = static_cast<off_t>(times.size() * kWriteBytes);
      if (::pwrite(file.get(), page.data(), page.size(), at) != static_cast<ssize_t>(page.size()) ||
          ::fdatasync(file.get()) != 0) {
        return WriteFailed(errno, directory);
      }
      times.push_back(MonotonicNow() - start);
      total.us += times.back().us;
    }
    return times;
  }

  Status TryListen(const std::string& address, uint16_t port) const override {
    return ListenOn(address, port).status();
  }

  BrokerReach Reach(const BrokerAddress& address,
                    const std::optional<MqttTls>& tls) const override {
    return ReachBroker(address, tls, kNetworkTimeout);
  }

  MqttProbeReport Probe(const MqttProbe& probe) const override { return ProbeBroker(probe); }

  Result<EventTime> CertificateEnd(const std::string& path) const override {
    return rivulet::CertificateEnd(path);
  }
};

}  // namespace

std::unique_ptr<Host> NewPosixHost() { return std::make_unique<PosixHost>(); }

}  // namespace rivulet
