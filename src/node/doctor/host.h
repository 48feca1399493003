// Host: the seam between the checks of `rivulet doctor` and the machine. Production asks the kernel,
// the file system and the network; tests give recorded answers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/types.h"
#include "transport/broker_probe.h"

namespace rivulet {

struct FileInfo {
  enum class Kind : uint8_t { kFile, kDirectory, kOther } kind = Kind::kFile;
  uint32_t mode = 0;  // the permission bits
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t device_major = 0, device_minor = 0;
  uint64_t inode = 0;
};

struct DiskSpace {
  uint64_t bytes = 0;
  uint64_t free_bytes = 0;  // that a process without privileges may write
  uint64_t files = 0;       // 0: the file system does not count them
  uint64_t free_files = 0;
  bool read_only = false;
};

struct KernelClock {
  bool synchronised = false;
  Duration max_error;
};

// Of this process; nothing: no limit.
struct ProcessLimits {
  std::optional<uint64_t> open_files;
  std::optional<uint64_t> address_space;
  std::optional<uint64_t> file_size;
};

struct Platform {
  int pointer_bits = 64;
  int time_bits = 64;
};

struct Person {
  uint32_t uid = 0;
  std::string name;  // the number when it has none
  std::vector<uint32_t> groups;
};

enum class Access : uint8_t { kRead, kWrite, kEnter };

// Not thread-safe. No call waits longer than its timeout, name resolution aside.
class Host {
 public:
  virtual ~Host() = default;

  // The first megabyte of a file, whatever its size claims to be (those of /proc say 0). Errors:
  // kNotFound, kFileNotReadable.
  virtual Result<std::string> Read(const std::string& path) const = 0;
  // Names in a directory, sorted. Errors: as Read.
  virtual Result<std::vector<std::string>> List(const std::string& path) const = 0;
  // Follows symbolic links. Errors: as Read.
  virtual Result<FileInfo> Stat(const std::string& path) const = 0;
  // Where a symbolic link points. Errors: as Read.
  virtual Result<std::string> Link(const std::string& path) const = 0;
  // Of the file system that `path` is on. Errors: as Read.
  virtual Result<DiskSpace> Space(const std::string& path) const = 0;

  virtual EventTime Wall() const = 0;
  // Errors: kIo when the kernel does not tell.
  virtual Result<KernelClock> Clock() const = 0;
  virtual Platform About() const = 0;
  virtual ProcessLimits Limits() const = 0;
  // The user of this process.
  virtual uint32_t User() const = 0;
  virtual Person Lookup(uint32_t uid) const = 0;
  // Whether this process may; also where access lists decide.
  virtual bool May(Access access, const std::string& path) const = 0;

  // How long each of up to `most` small writes took to reach the medium of `directory`; ends after
  // about `within`. Leaves nothing behind. Errors: kDiskFull, kIo.
  virtual Result<std::vector<Duration>> TimeSyncs(const std::string& directory, int most,
                                                  Duration within) const = 0;
  // Whether one could listen there now. Errors: kListen, with the system's reason.
  virtual Status TryListen(const std::string& address, uint16_t port) const = 0;

  virtual BrokerReach Reach(const BrokerAddress& address, const std::optional<MqttTls>& tls) const = 0;
  virtual MqttProbeReport Probe(const MqttProbe& probe) const = 0;
  // Until when the first certificate of a PEM file is valid. Errors: kFileNotReadable.
  virtual Result<EventTime> CertificateEnd(const std::string& path) const = 0;
};

std::unique_ptr<Host> NewPosixHost();

}  // namespace rivulet
