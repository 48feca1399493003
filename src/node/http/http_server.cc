#include "node/http/http_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>

#include "base/json_writer.h"
#include "node/http/connection_stream.h"
#include "node/http/http_library.h"

namespace rivulet {

namespace {

// Set while a connection is handed over that no thread will have time for.
thread_local bool overloaded = false;

// httplib's thread pool with an end to its queue.
class BoundedQueue final : public httplib::TaskQueue {
 public:
  BoundedQueue(int threads, size_t max_waiting)
      : pool_(static_cast<size_t>(threads)), max_waiting_(max_waiting) {}

  void enqueue(std::function<void()> task) override {
    if (waiting_.load() >= max_waiting_) {
      overloaded = true;
      task();
      overloaded = false;
      return;
    }
    ++waiting_;
    pool_.enqueue([this, task = std::move(task)] {
      --waiting_;
      task();
    });
  }
  void shutdown() override { pool_.shutdown(); }

 private:
  httplib::ThreadPool pool_;
  const size_t max_waiting_;
  std::atomic<size_t> waiting_{0};
};

bool IsLoopback(const std::string& address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

// Takes the same time wherever the first difference is.
bool SameSecret(const std::string& given, const std::string& expected) {
  unsigned difference = given.size() == expected.size() ? 0 : 1;
  for (size_t k = 0; k < given.size(); ++k) {
    const char other = expected[k % expected.size()];
    difference |= static_cast<unsigned char>(given[k] ^ other);
  }
  return difference == 0;
}

void Fill(const HttpResponse& from, httplib::Response* to) {
  to->status = from.status;
  to->set_content(from.body, from.content_type);
}

// httplib would by default let a second process listen on the same port unnoticed.
void SetListenOptions(socket_t socket) {
  const int on = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
}

}  // namespace

HttpResponse HttpError(int status, std::string_view message) {
  HttpResponse response;
  response.status = status;
  response.body = "{\"error\":";
  AppendJsonString(&response.body, message);
  response.body += "}\n";
  return response;
}

// Adds to httplib's server limits on each connection and an end that waits for no client.
class HttpServer::Server final : public httplib::Server {
 public:
  explicit Server(HttpServerOptions options) : options_(std::move(options)) {
    new_task_queue = [this] { return new BoundedQueue(options_.threads, options_.max_waiting); };
    set_socket_options(SetListenOptions);
    set_payload_max_length(0);
    // Everything is answered here: httplib's own routes are regular expressions, which a hostile
    // path could make expensive.
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      Fill(Answer(request, &response), &response);
      return HandlerResponse::Handled;
    });
    set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty()) Fill(HttpError(response.status, "bad request"), &response);
    });
    set_exception_handler(
        [](const httplib::Request&, httplib::Response& response, std::exception_ptr) {
          Fill(HttpError(500, "internal error"), &response);
        });
  }

  Status Listen() {
    const bool any = options_.port == 0;
    errno = 0;
    const int port = any ? bind_to_any_port(options_.address)
                     : bind_to_port(options_.address, options_.port) ? options_.port
                                                                     : -1;
    if (port <= 0) {
      const std::string reason = errno == 0 ? "" : std::string(" (") + std::strerror(errno) + ")";
      return {ErrorCode::kListen, "cannot listen on " + options_.address + " port " +
                                      std::to_string(options_.port) + reason +
                                      "; choose another port, or stop what is using it"};
    }
    port_ = static_cast<uint16_t>(port);
    thread_ = std::thread([this] {
      listen_after_bind();
      finished_ = true;
    });
    // Until then httplib's stop() would have no effect.
    while (!is_running() && !finished_) std::this_thread::yield();
    return Status::Ok();
  }

  void End() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      for (const socket_t socket : connections_) ::shutdown(socket, SHUT_RDWR);
    }
    stop();
    thread_.join();
  }

  uint16_t port() const { return port_; }

 private:
  HttpResponse Answer(const httplib::Request& request, httplib::Response* response) const {
    if (!options_.token.empty() && !Authorized(request)) {
      response->set_header("WWW-Authenticate", "Bearer");
      return HttpError(401, "a valid bearer token is needed");
    }
    if (request.method != "GET" && request.method != "HEAD") {
      response->set_header("Allow", "GET, HEAD");
      return HttpError(405, "only GET and HEAD are offered");
    }
    const auto handler = options_.handlers.find(request.path);
    if (handler == options_.handlers.end()) return HttpError(404, "no such path");
    HttpRequest plain;
    plain.path = request.path;
    for (const auto& [name, value] : request.params) plain.query.emplace(name, value);
    return handler->second(plain);
  }

  bool Authorized(const httplib::Request& request) const {
    constexpr std::string_view kScheme = "Bearer ";
    const std::string given = request.get_header_value("Authorization");
    return given.starts_with(kScheme) && SameSecret(given.substr(kScheme.size()), options_.token);
  }

  // Called by httplib for each accepted connection, on a thread of the pool.
  bool process_and_close_socket(socket_t socket) override {
    bool answered = false;
    if (!overloaded && Enter(socket)) {
      ConnectionStream stream(socket, {options_.max_request_bytes, options_.receive_timeout,
                                       options_.total_timeout});
      bool closed = false;
      // Ranges are dropped: thousands of them in one request would multiply the answer.
      answered = process_request(stream, true, closed,
                                 [](httplib::Request& request) { request.ranges.clear(); });
      Leave(socket);
    }
    // Unread input would turn the close into a reset that can overtake the answer.
    char rest[4096];
    for (int k = 0; k < 16 && recv(socket, rest, sizeof(rest), MSG_DONTWAIT) > 0; ++k) {
    }
    ::shutdown(socket, SHUT_RDWR);
    close(socket);
    return answered;
  }

  bool Enter(socket_t socket) {
    const std::lock_guard lock(mutex_);
    if (!stopping_) connections_.insert(socket);
    return !stopping_;
  }
  void Leave(socket_t socket) {
    const std::lock_guard lock(mutex_);
    connections_.erase(socket);
  }

  const HttpServerOptions options_;
  uint16_t port_ = 0;
  std::thread thread_;
  std::atomic<bool> finished_{false};
  std::mutex mutex_;
  bool stopping_ = false;
  std::set<socket_t> connections_;  // those a thread is busy with
};

HttpServer::HttpServer() = default;

HttpServer::~HttpServer() { Stop(); }

Status HttpServer::Start(HttpServerOptions options) {
  if (!IsLoopback(options.address) && options.token.empty()) {
    return {ErrorCode::kBadSettingValue,
            "the HTTP address " + options.address +
                " can be reached from outside; set a token, or use 127.0.0.1"};
  }
  auto server = std::make_unique<Server>(std::move(options));
  RIVULET_RETURN_IF_ERROR(server->Listen());
  server_ = std::move(server);
  return Status::Ok();
}

uint16_t HttpServer::port() const { return server_ == nullptr ? 0 : server_->port(); }

void HttpServer::Stop() {
  if (server_ != nullptr) server_->End();
  server_.reset();
}

}  // namespace rivulet
