// LineWriter: buffered writing of lines to a file descriptor.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace rivulet {

// Not thread-safe. Destruction closes without flushing: what must arrive is flushed before.
class LineWriter {
 public:
  static constexpr size_t kDefaultBuffer = 64 << 10;

  explicit LineWriter(size_t buffer_bytes = kDefaultBuffer);
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // Opens `path` and empties it; also pipes and devices. Errors: kIo.
  Status OpenEmpty(const std::string& path);
  // Writes to standard output from now on, which stays open.
  void UseStandardOutput();

  // Appends `line` and a newline. Errors: kIo, kDiskFull; then part of the buffer may be written.
  Status Append(std::string_view line);
  Status Flush();

 private:
  Status Failure(const char* what) const;
  Status WriteAll(std::string_view bytes);

  int fd_ = -1;
  bool owned_ = false;
  std::string name_;
  size_t capacity_;
  std::string buffer_;
};

}  // namespace rivulet
