// The FileSystem of a real machine: plain system calls, errors turned into numbered ones.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>

#include "state/file.h"
#include "state/descriptor.h"

namespace rivulet {
namespace {

Status ErrnoStatus(int error, const char* action, const std::string& path) {
  const std::string text =
      std::string(action) + " '" + path + "': " + std::generic_category().message(error);
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return Status(ErrorCode::kDiskFull, text + "; free some space, writing goes on by itself");
    case ENOENT:
      return Status(ErrorCode::kNotFound, text);
    default:
      return Status(ErrorCode::kIo, text);
  }
}

int OpenRetrying(const std::string& path, int flags, mode_t mode = 0644) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

class PosixAppendFile final : public OutputFile {
 public:
  PosixAppendFile(int fd, uint64_t size, std::string path)
      : fd_(fd), size_(size), path_(std::move(path)) {}

  // Writes at the last good size rather than with O_APPEND, so that what a failed append left
  // behind is overwritten by the next one.
  Status Append(std::string_view bytes) override {
    const uint64_t start = size_.load(std::memory_order_relaxed);
    size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t n = ::pwrite(fd_.get(), bytes.data() + done, bytes.size() - done,
                                 static_cast<off_t>(start + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return ErrnoStatus(errno, "cannot append to", path_);
      if (n == 0) return ErrnoStatus(ENOSPC, "cannot append to", path_);
      done += static_cast<size_t>(n);
    }
    size_.store(start + done, std::memory_order_relaxed);
    return Status::Ok();
  }

  Status Sync() override {
    int result = 0;
    do {
      result = ::fdatasync(fd_.get());
    } while (result != 0 && errno == EINTR);
    return result == 0 ? Status::Ok() : ErrnoStatus(errno, "cannot sync", path_);
  }

  uint64_t size() const override { return size_.load(std::memory_order_relaxed); }

  Status Cut(uint64_t size) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
      return ErrnoStatus(errno, "cannot cut", path_);
    }
    size_.store(size, std::memory_order_relaxed);
    return Status::Ok();
  }

  // What it was found to be.
  void SetFound(const struct stat& info) {
    size_.store(static_cast<uint64_t>(info.st_size), std::memory_order_relaxed);
    device_ = info.st_dev;
    inode_ = info.st_ino;
  }

  // As long as it is open here no other file has its number.
  bool InPlace() const override {
    struct stat named;
    return ::stat(path_.c_str(), &named) == 0 && named.st_dev == device_ && named.st_ino == inode_ &&
           static_cast<uint64_t>(named.st_size) == size();
  }

 private:
  Descriptor fd_;
  std::atomic<uint64_t> size_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  const std::string path_;
};

Status Foreign(const std::string& path, const char* what) {
  return Status(ErrorCode::kForeignFile, "'" + path + "' " + what);
}

class PosixReadFile final : public ReadFile {
 public:
  PosixReadFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  Result<size_t> Read(uint64_t position, size_t n, char* buffer) override {
    size_t done = 0;
    while (done < n) {
      const ssize_t got =
          ::pread(fd_.get(), buffer + done, n - done, static_cast<off_t>(position + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return ErrnoStatus(errno, "cannot read", path_);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

 private:
  Descriptor fd_;
  const std::string path_;
};

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path,
                                                 uint64_t reserve) override {
    const int fd = OpenRetrying(path, O_WRONLY | O_CREAT);
    if (fd < 0) return ErrnoStatus(errno, "cannot open for appending", path);
    struct stat info;
    if (::fstat(fd, &info) != 0) {
      const int error = errno;
      ::close(fd);
      return ErrnoStatus(error, "cannot examine", path);
    }
    const auto size = static_cast<uint64_t>(info.st_size);
    // Best effort: a file system that cannot reserve just allocates while appending.
    if (reserve > size) {
      (void)::fallocate(fd, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(size),
                        static_cast<off_t>(reserve - size));
    }
    return std::unique_ptr<AppendFile>(std::make_unique<PosixAppendFile>(fd, size, path));
  }

  Result<std::unique_ptr<OutputFile>> OpenOutput(const std::string& path, OutputUse use) override {
    constexpr const char* kNotRegular =
        "is not a regular file; results need one that can be cut and continued after a crash";
    const bool is_new = use == OutputUse::kNew;
    struct stat info;
    // Before it is opened: with some devices that alone does something.
    const bool there = (is_new ? ::lstat : ::stat)(path.c_str(), &info) == 0;
    if (there && S_ISLNK(info.st_mode)) {
      return Foreign(path, "is a symbolic link; name the file itself, or remove the link");
    }
    if (there && !S_ISREG(info.st_mode)) return Foreign(path, kNotRegular);
    const int flags = O_WRONLY | O_NONBLOCK | (use == OutputUse::kOwn ? 0 : O_CREAT) |
                      (is_new ? O_NOFOLLOW : 0);
    const int fd = OpenRetrying(path, flags, 0640);
    if (fd < 0) return ErrnoStatus(errno, "cannot open for output", path);
    auto file = std::make_unique<PosixAppendFile>(fd, 0, path);
    if (::fstat(fd, &info) != 0) return ErrnoStatus(errno, "cannot examine", path);
    if (!S_ISREG(info.st_mode)) return Foreign(path, kNotRegular);
    if (is_new && info.st_size > 0) {
      return Foreign(path, "holds something that this sink did not write; move it away, or name another "
                           "file");
    }
    file->SetFound(info);
    if (use == OutputUse::kReplace) RIVULET_RETURN_IF_ERROR(file->Cut(0));
    return std::unique_ptr<OutputFile>(std::move(file));
  }

  Result<std::unique_ptr<ReadFile>> OpenRead(const std::string& path) override {
    const int fd = OpenRetrying(path, O_RDONLY);
    if (fd < 0) return ErrnoStatus(errno, "cannot open for reading", path);
    return std::unique_ptr<ReadFile>(std::make_unique<PosixReadFile>(fd, path));
  }

  Result<uint64_t> FileSize(const std::string& path) override {
    struct stat info;
    if (::stat(path.c_str(), &info) != 0) return ErrnoStatus(errno, "cannot examine", path);
    return static_cast<uint64_t>(info.st_size);
  }

  Status Truncate(const std::string& path, uint64_t size) override {
    if (::truncate(path.c_str(), static_cast<off_t>(size)) == 0) return Status::Ok();
    return ErrnoStatus(errno, "cannot cut", path);
  }

  Status Remove(const std::string& path) override {
    if (::unlink(path.c_str()) == 0) return Status::Ok();
    return ErrnoStatus(errno, "cannot remove", path);
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) == 0) return Status::Ok();
    return ErrnoStatus(errno, ("cannot rename to '" + to + "' the file").c_str(), from);
  }

  // Each new directory's parent is synced at once: a journal must not vanish with its directory.
  Status CreateDirectories(const std::string& path) override {
    if (path.empty() || IsDirectory(path)) return Status::Ok();
    const std::string parent = ParentOf(path);
    if (parent != path) RIVULET_RETURN_IF_ERROR(CreateDirectories(parent));
    if (::mkdir(path.c_str(), 0755) != 0 && !(errno == EEXIST && IsDirectory(path))) {
      return ErrnoStatus(errno, "cannot create the directory", path);
    }
    return SyncDirectory(parent);
  }

  Status SyncDirectory(const std::string& path) override {
    const Descriptor fd(OpenRetrying(path.empty() ? "." : path, O_RDONLY | O_DIRECTORY));
    if (!fd.ok()) return ErrnoStatus(errno, "cannot open the directory", path);
    // EINVAL: this file system cannot sync directories, so there is nothing to wait for.
    if (::fsync(fd.get()) == 0 || errno == EINVAL) return Status::Ok();
    return ErrnoStatus(errno, "cannot sync the directory", path);
  }

  Result<std::vector<std::string>> List(const std::string& path) override {
    DIR* directory = ::opendir(path.empty() ? "." : path.c_str());
    if (directory == nullptr) return ErrnoStatus(errno, "cannot list", path);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(directory)) {
      struct stat info;
      if (::fstatat(::dirfd(directory), entry->d_name, &info, 0) == 0 && S_ISREG(info.st_mode)) {
        names.emplace_back(entry->d_name);
      }
      errno = 0;
    }
    const int error = errno;
    ::closedir(directory);
    if (error != 0) return ErrnoStatus(error, "cannot list", path);
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<uint64_t> FreeBytes(const std::string& path) override {
    struct statvfs info;
    if (::statvfs(path.empty() ? "." : path.c_str(), &info) != 0) {
      return ErrnoStatus(errno, "cannot examine the file system of", path);
    }
    return static_cast<uint64_t>(info.f_bavail) * static_cast<uint64_t>(info.f_frsize);
  }

 private:
  static bool IsDirectory(const std::string& path) {
    struct stat info;
    return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  }

  // "a/b/" and "a/b" give "a"; "a" gives "" (the working directory); "/" gives itself.
  static std::string ParentOf(const std::string& path) {
    const size_t end = path.find_last_not_of('/');
    if (end == std::string::npos) return path;
    const size_t slash = path.rfind('/', end);
    if (slash == std::string::npos) return "";
    const size_t last = path.find_last_not_of('/', slash);
    return last == std::string::npos ? "/" : path.substr(0, last + 1);
  }
};

}  // namespace

std::unique_ptr<FileSystem> NewPosixFileSystem() { return std::make_unique<PosixFileSystem>(); }

}  // namespace rivulet
