#include "node/http/http_server.h"

#include "node/http/host_names.h"
#include "node/http/listen_socket.h"

namespace rivulet {

HttpServer::HttpServer() = default;

HttpServer::~HttpServer() { Stop(); }

Status HttpServer::Start(const HttpServerOptions& options) {
  if (!IsLoopback(options.address) && options.answers.token.empty()) {
    return {ErrorCode::kBadSettingValue,
            "the HTTP address " + options.address +
                " can be reached from outside; set a token, or use 127.0.0.1"};
  }
  Result<ListenSocket> listening = ListenOn(options.address, options.port);
  if (!listening.ok()) {
    return {ErrorCode::kListen, "cannot listen on " + options.address + " port " +
                                    std::to_string(options.port) + " (" +
                                    listening.status().message() +
                                    "); choose another port, or stop what is using it"};
  }
  port_ = listening->port;
  answers_ = std::make_unique<HttpAnswers>(options.answers);
  loop_ = std::make_unique<ConnectionLoop>(
      std::move(listening->socket), options.limits,
      [this](std::string_view request, const std::string& local_address) {
        return answers_->Answer(request, local_address);
      });
  return Status::Ok();
}

void HttpServer::Stop() {
  loop_.reset();
  answers_.reset();
  port_ = 0;
}

}  // namespace rivulet
