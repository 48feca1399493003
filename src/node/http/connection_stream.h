// ConnectionStream: one accepted connection with limits on bytes and time.
#pragma once

#include <string>

#include "base/types.h"
#include "node/http/http_library.h"

namespace rivulet {

struct ConnectionLimits {
  size_t max_request_bytes;
  Duration receive_timeout;
  Duration total_timeout;
};

// For httplib: reads and writes fail when a limit is reached. A client that sends a byte now and
// then gains nothing: the time counts from the start, not from its last byte. One thread.
class ConnectionStream final : public httplib::Stream {
 public:
  ConnectionStream(socket_t socket, const ConnectionLimits& limits);

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* out, size_t size) override;
  ssize_t write(const char* bytes, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_; }

 private:
  bool Wait(short events, Monotonic deadline) const;
  bool Fill();

  const socket_t socket_;
  const Monotonic receive_deadline_, total_deadline_;
  size_t bytes_left_;
  char buffer_[4096];
  size_t from_ = 0, to_ = 0;  // unread part of buffer_
};

}  // namespace rivulet
