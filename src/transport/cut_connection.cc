#include "transport/cut_connection.h"

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>

namespace rivulet {
namespace {

// Paho waits with select(), so its descriptors are below FD_SETSIZE; some headroom above it.
constexpr rlim_t kMaxDescriptor = 4096;

// The port at the far end of a connected TCP socket; -1 for anything else.
int PeerPort(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return -1;
  if (address.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
  }
  if (address.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
  }
  return -1;
}

bool IsStream(int fd) {
  int type = 0;
  socklen_t length = sizeof(type);
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

}  // namespace

int CutConnectionsTo(uint16_t port) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = kMaxDescriptor;
  const int end = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, kMaxDescriptor));
  int cut = 0;
  for (int fd = 0; fd < end; ++fd) {
    const int peer = PeerPort(fd);
    if (peer < 0 || (port != 0 && peer != port) || !IsStream(fd)) continue;
    if (shutdown(fd, SHUT_RDWR) == 0) ++cut;
  }
  return cut;
}

}  // namespace rivulet
