// HttpFront: what a node answers over HTTP, and keeping the port. A port that cannot be had is tried again:
// the pipelines go on without it.
#pragma once

#include <functional>
#include <string>

#include "base/log_message.h"
#include "base/types.h"
#include "node/config/spec.h"
#include "node/http/http_server.h"
#include "node/live/node_status.h"

namespace rivulet {

// The engine's thread.
class HttpFront {
 public:
  // `status` is called on HTTP's threads.
  HttpFront(const HttpSpec& spec, std::function<NodeStatus()> status, LogFunction log);

  // Listens, if that is due; says in the log when it cannot, and when it can again.
  void Step(Monotonic now);
  // ADDRESS:PORT while it listens; empty otherwise.
  std::string where() const;
  // When it returns, `status` is not called any more.
  void Stop() { server_.Stop(); }

 private:
  HttpServerOptions Options() const;

  const HttpSpec spec_;
  const std::function<NodeStatus()> status_;
  const LogFunction log_;
  HttpServer server_;
  Monotonic next_try_;
  bool complained_ = false;
};

}  // namespace rivulet
