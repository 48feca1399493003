#include "node/http/http_answers.h"

#include <algorithm>
#include <cstring>

#include "base/json_writer.h"
#include "node/http/host_names.h"
#include "node/http/http_library.h"

namespace rivulet {
namespace {

// A request that has come as a whole, and an answer that is kept.
class BufferStream final : public httplib::Stream {
 public:
  BufferStream(std::string_view request, const std::string& local_address)
      : request_(request), local_address_(local_address) {}

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* out, size_t size) override {
    if (request_.empty()) return -1;
    const size_t n = std::min(size, request_.size());
    std::memcpy(out, request_.data(), n);
    request_.remove_prefix(n);
    return static_cast<ssize_t>(n);
  }
  ssize_t write(const char* bytes, size_t size) override {
    answer_.append(bytes, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    ip = local_address_;
    port = 0;
  }
  socket_t socket() const override { return INVALID_SOCKET; }

  std::string TakeAnswer() { return std::move(answer_); }

 private:
  std::string_view request_;
  const std::string& local_address_;
  std::string answer_;
};

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

}  // namespace

HttpResponse HttpError(int status, std::string_view message) {
  HttpResponse response;
  response.status = status;
  response.body = "{\"error\":";
  AppendJsonString(&response.body, message);
  response.body += "}\n";
  return response;
}

// httplib's server without its sockets and threads.
class HttpAnswers::Server final : public httplib::Server {
 public:
  explicit Server(HttpAnswerOptions options) : options_(std::move(options)) {
    set_payload_max_length(0);
    // Everything is answered here: httplib's own routes are regular expressions, which a hostile
    // path could make expensive.
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      Fill(Respond(request, &response), &response);
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

  std::string Answer(std::string_view bytes, const std::string& local_address) {
    BufferStream stream(bytes, local_address);
    bool closed = false;
    // Ranges are dropped: thousands of them in one request would multiply the answer.
    process_request(stream, true, closed, [](httplib::Request& request) { request.ranges.clear(); });
    return stream.TakeAnswer();
  }

 private:
  HttpResponse Respond(const httplib::Request& request, httplib::Response* response) const {
    if (const auto refused = CheckHost(request)) return *refused;
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

  // Why the request's host is none of this node's. Every browser sends one; programs that do not are no
  // danger.
  std::optional<HttpResponse> CheckHost(const httplib::Request& request) const {
    const size_t count = request.get_header_value_count("Host");
    if (count == 0) return std::nullopt;
    const std::string given = request.get_header_value("Host");
    const std::optional<std::string> name = count == 1 ? NameInHost(given) : std::nullopt;
    if (!name) return HttpError(400, "one Host header is expected, with a name or an address");
    const std::vector<std::string>& others = options_.hosts;
    if (IsLoopback(*name) || *name == request.local_addr ||
        std::find(others.begin(), others.end(), *name) != others.end()) {
      return std::nullopt;
    }
    return HttpError(421, "this node does not answer to '" + *name +
                              "'; use its address, or add the name to 'http.hosts' of its node file");
  }

  bool Authorized(const httplib::Request& request) const {
    constexpr std::string_view kScheme = "Bearer ";
    const std::string given = request.get_header_value("Authorization");
    return given.starts_with(kScheme) && SameSecret(given.substr(kScheme.size()), options_.token);
  }

  const HttpAnswerOptions options_;
};

HttpAnswers::HttpAnswers(HttpAnswerOptions options)
    : server_(std::make_unique<Server>(std::move(options))) {}

HttpAnswers::~HttpAnswers() = default;

std::string HttpAnswers::Answer(std::string_view request, const std::string& local_address) {
  return server_->Answer(request, local_address);
}

}  // namespace rivulet
