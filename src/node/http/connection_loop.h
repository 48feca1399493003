// ConnectionLoop: takes connections, one request each, and sends what is answered. Made for a hostile
// network: one thread waits for all clients at once, so that none can make others wait by being slow; the
// threads that work out answers never wait for a client.
//
//   accept ──► reading ──(the request is there)──► answering ──► writing ──► ending
//              └── closed when its time is up, or to make room for a newer one
//
// There is always room for a newcomer as long as anybody dawdles: at the limit the connection goes that has
// been the longest in the way, of the same address when that has more than its share. So a crowd of idle
// connections keeps nobody out.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/types.h"
#include "state/descriptor.h"

namespace rivulet {

struct ConnectionLimits {
  int threads = 2;                 // that work out answers
  size_t connections = 64;
  size_t of_one_address = 32;
  size_t request_bytes = 16 << 10;
  Duration request_time = Duration::Seconds(2);  // until the whole request is there
  Duration total_time = Duration::Seconds(6);    // until the answer is sent
};

// The bytes of a request, up to the empty line behind its headers, to those of its answer; `local_address`
// is the one the client connected to. Called on the threads that work out answers.
using RequestHandler =
    std::function<std::string(std::string_view request, const std::string& local_address)>;

class ConnectionLoop {
 public:
  // `listening` must not block.
  ConnectionLoop(std::unique_ptr<Descriptor> listening, const ConnectionLimits& limits,
                 RequestHandler handler);
  // Closes the port and all connections; takes as long as the handlers that are running.
  ~ConnectionLoop();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace rivulet
