#include "node/http/connection_stream.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace rivulet {

namespace {

Monotonic SteadyNow() {
  const auto t = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(t).count()};
}

}  // namespace

ConnectionStream::ConnectionStream(socket_t socket, const ConnectionLimits& limits)
    : socket_(socket),
      receive_deadline_(SteadyNow() + limits.receive_timeout),
      total_deadline_(SteadyNow() + limits.total_timeout),
      bytes_left_(limits.max_request_bytes) {}

bool ConnectionStream::Wait(short events, Monotonic deadline) const {
  while (true) {
    const int64_t left_us = (deadline - SteadyNow()).us;
    if (left_us <= 0) return false;
    pollfd wait{socket_, events, 0};
    const int n = poll(&wait, 1, static_cast<int>(left_us / 1000 + 1));
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return false;
  }
}

bool ConnectionStream::Fill() {
  const size_t room = std::min(sizeof(buffer_), bytes_left_);
  if (room == 0) return false;
  while (Wait(POLLIN, receive_deadline_)) {
    const ssize_t n = recv(socket_, buffer_, room, MSG_DONTWAIT);
    if (n > 0) {
      bytes_left_ -= static_cast<size_t>(n);
      from_ = 0;
      to_ = static_cast<size_t>(n);
      return true;
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) return false;
  }
  return false;
}

ssize_t ConnectionStream::read(char* out, size_t size) {
  if (from_ == to_ && !Fill()) return -1;
  const size_t n = std::min(size, to_ - from_);
  std::memcpy(out, buffer_ + from_, n);
  from_ += n;
  return static_cast<ssize_t>(n);
}

ssize_t ConnectionStream::write(const char* bytes, size_t size) {
  while (Wait(POLLOUT, total_deadline_)) {
    const ssize_t n = send(socket_, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) return n;
    if (errno != EAGAIN && errno != EINTR) return -1;
  }
  return -1;
}

void ConnectionStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

void ConnectionStream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

}  // namespace rivulet
