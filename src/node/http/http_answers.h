// HttpAnswers: from the bytes of one request to the bytes of its answer. Knows paths, token and host names;
// no sockets.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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

// Called on any of the server's threads, by several at a time.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

struct HttpAnswerOptions {
  std::string token;   // requests must carry "Authorization: Bearer <token>"; empty: not needed
  // Besides loopback and the address that the connection came in on, the names and addresses a request may
  // be for, in small letters; all others are refused.
  std::vector<std::string> hosts;
  std::map<std::string, HttpHandler> handlers;  // by exact path
};

class HttpAnswers {
 public:
  explicit HttpAnswers(HttpAnswerOptions options);
  ~HttpAnswers();

  // `request` is a request up to the empty line behind its headers, or anything else a client has sent.
  // `local_address` is the one the client connected to. Nothing where no answer makes sense. Any thread.
  std::string Answer(std::string_view request, const std::string& local_address);

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace rivulet
