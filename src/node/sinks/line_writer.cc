#include "node/sinks/line_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace rivulet {

LineWriter::LineWriter(size_t buffer_bytes) : capacity_(buffer_bytes) {
  buffer_.reserve(buffer_bytes);
}

LineWriter::~LineWriter() {
  if (owned_) close(fd_);
}

Status LineWriter::Failure(const char* what) const {
  const int error = errno;
  const bool full = error == ENOSPC || error == EDQUOT;
  return {full ? ErrorCode::kDiskFull : ErrorCode::kIo,
          std::string(what) + " '" + name_ + "': " + std::strerror(error)};
}

Status LineWriter::OpenWith(const std::string& path, int flags) {
  name_ = path;
  if (owned_) close(fd_);
  owned_ = false;
  fd_ = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
  if (fd_ < 0) return Failure("cannot open");
  owned_ = true;
  return Status::Ok();
}

Status LineWriter::Open(const std::string& path) {
  RIVULET_RETURN_IF_ERROR(OpenWith(path, 0));
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int folder_fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_fd < 0) return Failure("cannot open the folder of");
  const bool synced = fsync(folder_fd) == 0;
  const Status status = synced ? Status::Ok() : Failure("cannot sync the folder of");
  close(folder_fd);
  return status;
}

Status LineWriter::OpenEmpty(const std::string& path) { return OpenWith(path, O_TRUNC); }

void LineWriter::UseStandardOutput() {
  name_ = "standard output";
  fd_ = STDOUT_FILENO;
  owned_ = false;
}

Status LineWriter::Append(std::string_view line) {
  buffer_ += line;
  buffer_ += '\n';
  return buffer_.size() < capacity_ ? Status::Ok() : Flush();
}

Status LineWriter::WriteAll(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd_, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {  // a terminal or pipe that someone made non-blocking
      pollfd writable{fd_, POLLOUT, 0};
      poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return Failure("cannot write to");
    }
  }
  return Status::Ok();
}

Status LineWriter::Flush() {
  const Status status = WriteAll(buffer_);
  buffer_.clear();
  return status;
}

Status LineWriter::Sync() {
  RIVULET_RETURN_IF_ERROR(Flush());
  // Pipes and the like have nothing to sync and say EINVAL.
  if (fdatasync(fd_) != 0 && errno != EINVAL && errno != ENOTSUP) return Failure("cannot sync");
  return Status::Ok();
}

Status LineWriter::CutTo(uint64_t length) {
  buffer_.clear();
  const auto offset = static_cast<off_t>(length);
  if (ftruncate(fd_, offset) != 0) return Failure("cannot cut");
  if (lseek(fd_, offset, SEEK_SET) != offset) return Failure("cannot seek in");
  return Status::Ok();
}

Result<uint64_t> LineWriter::Size() const {
  struct stat info;
  if (fstat(fd_, &info) != 0) return Failure("cannot look at");
  if (!S_ISREG(info.st_mode)) {
    return {ErrorCode::kIo, "'" + name_ + "' is not a regular file; results need one that can be "
                            "cut and continued after a crash"};
  }
  return static_cast<uint64_t>(info.st_size);
}

}  // namespace rivulet
