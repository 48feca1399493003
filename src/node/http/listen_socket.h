// A TCP port to accept connections on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "state/descriptor.h"

namespace rivulet {

struct ListenSocket {
  std::unique_ptr<Descriptor> socket;  // does not block
  uint16_t port = 0;
};

// `address` is a name or an address of this machine; port 0 is any free one. No second process can listen on
// the same port unnoticed. Error: kListen, with the system's reason.
Result<ListenSocket> ListenOn(const std::string& address, uint16_t port);

}  // namespace rivulet
