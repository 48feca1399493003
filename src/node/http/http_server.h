// HttpServer: answers GET requests with what the node's handlers say: a port (ListenOn), connections
// (ConnectionLoop) and answers (HttpAnswers).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "node/http/connection_loop.h"
#include "node/http/http_answers.h"

namespace rivulet {

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;   // 0: any free port
  HttpAnswerOptions answers;
  ConnectionLimits limits;
};

class HttpServer {
 public:
  HttpServer();
  ~HttpServer();  // stops
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Listens, and answers on threads of its own from then on. Errors: kBadSettingValue (an address
  // that is not loopback without a token), kListen. Not to be called again once it was ok.
  Status Start(const HttpServerOptions& options);
  // The port listened on; 0: none.
  uint16_t port() const { return port_; }
  // Closes the port and all connections; when it returns no handler runs any more. Takes as long
  // as the handlers that are running, no longer for slow clients.
  void Stop();

 private:
  std::unique_ptr<HttpAnswers> answers_;
  std::unique_ptr<ConnectionLoop> loop_;
  uint16_t port_ = 0;
};

}  // namespace rivulet
