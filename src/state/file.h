// FileSystem: the seam between logs and disks. Production uses POSIX; the simulation uses one that
// forgets what was not synced and fails on command.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace rivulet {

// An open file that grows at its end. Not thread-safe, except that Sync may run while another
// thread Appends (it covers at least what was appended before it was called).
class AppendFile {
 public:
  virtual ~AppendFile() = default;  // closes; does not sync
  // All or an error: after a failed append the file may hold a torn tail, which readers cut off.
  // Errors: kDiskFull, kIo. Survives the process (not the machine) as soon as it returns.
  virtual Status Append(std::string_view bytes) = 0;
  // Data is on the medium when it returns ok. Errors: kIo.
  virtual Status Sync() = 0;
  virtual uint64_t size() const = 0;
};

// A file that lies where others see it, who may move, replace, cut or remove it: what file sinks write.
class OutputFile : public AppendFile {
 public:
  // Cuts it to `size`, at most size(), and goes on there; also drops what a failed append left. Errors: kIo.
  virtual Status Cut(uint64_t size) = 0;
  // Whether its path still names it and it is size() bytes long.
  virtual bool InPlace() const = 0;
};

// What OpenOutput may find.
enum class OutputUse : uint8_t {
  kNew,      // nothing, or an empty file; a link is not followed
  kOwn,      // the file that was written before
  kReplace,  // any file; it is emptied
};

class ReadFile {
 public:
  virtual ~ReadFile() = default;
  // Up to `n` bytes at `position` into `buffer`; fewer only at end of file. Errors: kIo.
  virtual Result<size_t> Read(uint64_t position, size_t n, char* buffer) = 0;
};

// Paths are used as given. Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // Opens for appending, creating it if absent; `reserve` bytes of disk are set aside where the
  // file system can (so that later appends neither fail for space nor rewrite metadata).
  virtual Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path,
                                                         uint64_t reserve) = 0;
  virtual Result<std::unique_ptr<ReadFile>> OpenRead(const std::string& path) = 0;
  virtual Result<uint64_t> FileSize(const std::string& path) = 0;  // kNotFound
  virtual Status Truncate(const std::string& path, uint64_t size) = 0;
  virtual Status Remove(const std::string& path) = 0;               // kNotFound
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status CreateDirectories(const std::string& path) = 0;
  // Makes creations, removals and renames in `path` durable.
  virtual Status SyncDirectory(const std::string& path) = 0;
  // Plain file names in `path`, sorted.
  virtual Result<std::vector<std::string>> List(const std::string& path) = 0;
  // Bytes an unprivileged process may still write on the file system of `path`.
  virtual Result<uint64_t> FreeBytes(const std::string& path) = 0;
  // Opens a regular file for output; with kNew and kReplace it is made if absent, readable for its owner and
  // group only. Never waits for pipes and devices, nor opens them. Errors: kForeignFile for what is no
  // regular file, and with kNew for a link and for a file that holds something; kNotFound with kOwn; kIo.
  virtual Result<std::unique_ptr<OutputFile>> OpenOutput(const std::string& path, OutputUse use) = 0;
};

// The real thing. One instance per process is enough.
std::unique_ptr<FileSystem> NewPosixFileSystem();

}  // namespace rivulet
