// HttpServer: answers GET requests with what the node's handlers say. Made for a hostile network:
// one request a connection, small limits on bytes and time, few threads, a bounded queue.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/status.h"
#include "base/types.h"

namespace rivulet {

struct HttpRequest {
  std::string path;
  std::map<std::string, std::string> query;  // of a repeated parameter one value
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
};

// {"error":"..."} with the given status.
HttpResponse HttpError(int status, std::string_view message);

// Runs on a thread of the server, up to HttpServerOptions::threads at a time.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;   // 0: any free port
  std::string token;   // requests must carry "Authorization: Bearer <token>"; empty: not needed
  std::map<std::string, HttpHandler> handlers;  // by exact path
  int threads = 2;
  size_t max_waiting = 32;        // connections waiting for a thread; more are closed at once
  size_t max_request_bytes = 16 << 10;
  Duration receive_timeout = Duration::Seconds(2);  // for the whole request
  Duration total_timeout = Duration::Seconds(6);    // until the answer is sent
};

class HttpServer {
 public:
  HttpServer();
  ~HttpServer();  // stops
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Listens, and answers on threads of its own from then on. Errors: kBadSettingValue (an address
  // that is not loopback without a token), kListen. Call it once.
  Status Start(HttpServerOptions options);
  // The port listened on.
  uint16_t port() const;
  // Closes the port and all connections; when it returns no handler runs any more. Takes as long
  // as the handlers that are running, no longer for slow clients.
  void Stop();

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace rivulet
