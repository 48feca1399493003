#include "node/sinks/line_writer.h"

#include <fcntl.h>
#include <poll.h>
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

Status LineWriter::OpenEmpty(const std::string& path) {
  name_ = path;
  if (owned_) close(fd_);
  owned_ = false;
  fd_ = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_TRUNC, 0644);
  if (fd_ < 0) return Failure("cannot open");
  owned_ = true;
  return Status::Ok();
}

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

}  // namespace rivulet
