// Descriptor: owns a file descriptor. For the adapters of the POSIX file system.
#pragma once

#include <unistd.h>

namespace rivulet {

class Descriptor {
 public:
  // Negative: none; what open(2) says when it fails.
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  const int fd_;
};

}  // namespace rivulet
