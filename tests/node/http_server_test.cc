#include "node/http/http_server.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "node/http/http_client.h"

using namespace rivulet;

namespace {

HttpServerOptions Options() {
  HttpServerOptions options;
  options.answers.handlers["/hello"] = [](const HttpRequest& request) {
    HttpResponse response;
    const auto name = request.query.find("name");
    response.body = "{\"hello\":\"" + (name == request.query.end() ? "" : name->second) + "\"}";
    return response;
  };
  options.answers.handlers["/large"] = [](const HttpRequest&) {
    HttpResponse response;
    response.body = std::string(4 << 20, 'x');
    return response;
  };
  return options;
}

std::string Url(const HttpServer& server) {
  return "http://127.0.0.1:" + std::to_string(server.port());
}

HttpReply Get(const HttpServer& server, const std::string& path, const std::string& token = "") {
  const auto reply = HttpGet(Url(server), path, token, Duration::Seconds(5));
  REQUIRE_MESSAGE(reply.ok(), reply.status().ToString());
  return *reply;
}

// A plain connection, for requests no decent client makes.
class Raw {
 public:
  explicit Raw(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    const timeval patience{10, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  }
  ~Raw() { close(fd_); }
  bool Send(const std::string& bytes) {
    return send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  std::string ReadToEnd() {
    std::string text;
    char buffer[4096];
    ssize_t n = 0;
    while ((n = recv(fd_, buffer, sizeof(buffer), 0)) > 0) {
      text.append(buffer, static_cast<size_t>(n));
    }
    return text;
  }

 private:
  int fd_;
};

std::string Exchange(const HttpServer& server, const std::string& bytes) {
  Raw raw(server.port());
  raw.Send(bytes);
  return raw.ReadToEnd();
}

int64_t MillisOf(const std::function<void()>& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               start)
      .count();
}

}  // namespace

TEST_CASE("http: answers what its handlers say") {
  HttpServer server;
  REQUIRE(server.Start(Options()).ok());
  CHECK(Get(server, "/hello?name=a%20b").body == "{\"hello\":\"a b\"}");
  CHECK(Get(server, "/hello").status == 200);
  const HttpReply missing = Get(server, "/nothing");
  CHECK(missing.status == 404);
  CHECK(missing.body == "{\"error\":\"no such path\"}\n");
  CHECK(Get(server, "/large").body.size() == 4 << 20);
}

TEST_CASE("http: only GET and HEAD") {
  HttpServer server;
  REQUIRE(server.Start(Options()).ok());
  const std::string post =
      Exchange(server, "POST /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nabcde");
  CHECK(post.starts_with("HTTP/1.1 405"));
  CHECK(post.find("Allow: GET, HEAD") != std::string::npos);
  const std::string head = Exchange(server, "HEAD /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(head.starts_with("HTTP/1.1 200"));
  CHECK(head.ends_with("\r\n\r\n"));
  CHECK(Exchange(server, "DELETE /hello HTTP/1.0\r\n\r\n").find(" 405") != std::string::npos);
}

TEST_CASE("http: a token keeps strangers out") {
  HttpServer server;
  HttpServerOptions options = Options();
  options.answers.token = "s3cret";
  REQUIRE(server.Start(options).ok());
  CHECK(Get(server, "/hello", "s3cret").status == 200);
  for (const char* wrong : {"", "s3cre", "s3crets", "S3cret", "xxxxxx"}) {
    CHECK(Get(server, "/hello", wrong).status == 401);
    CHECK(Get(server, "/nothing", wrong).status == 401);
  }
  const std::string basic =
      Exchange(server, "GET /hello HTTP/1.1\r\nAuthorization: Basic s3cret\r\n\r\n");
  CHECK(basic.starts_with("HTTP/1.1 401"));
  CHECK(basic.find("WWW-Authenticate: Bearer") != std::string::npos);
}

TEST_CASE("http: an address that can be reached from outside needs a token") {
  HttpServer server;
  HttpServerOptions options = Options();
  options.address = "0.0.0.0";
  CHECK(server.Start(options).code() == ErrorCode::kBadSettingValue);
  options.answers.token = "t";
  CHECK(server.Start(options).ok());
  CHECK(Get(server, "/hello", "t").status == 200);
}

TEST_CASE("http: a port in use and an address of others are refused") {
  HttpServer first, second;
  REQUIRE(first.Start(Options()).ok());
  HttpServerOptions options = Options();
  options.port = first.port();
  CHECK(second.Start(options).code() == ErrorCode::kListen);
  options.port = 0;
  options.address = "192.0.2.1";
  options.answers.token = "t";
  CHECK(second.Start(options).code() == ErrorCode::kListen);
  CHECK(second.port() == 0);
}

TEST_CASE("http: garbage does no harm") {
  HttpServer server;
  REQUIRE(server.Start(Options()).ok());
  Random random(3);
  for (int round = 0; round < 200; ++round) {
    std::string bytes;
    for (uint64_t k = random.Below(300); k > 0; --k) bytes += static_cast<char>(random.Below(256));
    bytes += "\r\n\r\n";
    Exchange(server, bytes);
  }
  for (const std::string& bad :
       {std::string("GET\r\n\r\n"), std::string("GET /hello HTTP/9.9\r\n\r\n"),
        std::string("GET /hello%ff%00 HTTP/1.1\r\n\r\n"), std::string("\r\n\r\n"),
        "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n\r\n",
        "GET /hello HTTP/1.1\r\nRange: bytes=" + std::string(7000, '9') + "-\r\n\r\n",
        std::string("POST /hello HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n")}) {
    CAPTURE(bad);
    CHECK(Exchange(server, bad).find(" 200 ") == std::string::npos);
  }
  Exchange(server, "GET /hello?" + std::string(7000, '&') + " HTTP/1.1\r\n\r\n");
  Exchange(server, "GET /hello HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n");
  CHECK(Get(server, "/hello").status == 200);
}

TEST_CASE("http: huge requests are cut off") {
  HttpServer server;
  REQUIRE(server.Start(Options()).ok());
  std::string headers = "GET /hello HTTP/1.1\r\n";
  for (int k = 0; k < 2000; ++k) headers += "X-Header-" + std::to_string(k) + ": value\r\n";
  CHECK(Exchange(server, headers + "\r\n").find(" 200 ") == std::string::npos);
  CHECK(Exchange(server, "GET /hello HTTP/1.1\r\nX: " + std::string(1 << 20, 'a') + "\r\n\r\n")
            .find(" 200 ") == std::string::npos);
  CHECK(Get(server, "/hello").status == 200);
}

TEST_CASE("http: a request for many ranges does not multiply the answer") {
  HttpServer server;
  REQUIRE(server.Start(Options()).ok());
  std::string ranges = "0-";
  for (int k = 0; k < 1000; ++k) ranges += ",0-";
  const std::string answer =
      Exchange(server, "GET /large HTTP/1.1\r\nRange: bytes=" + ranges + "\r\n\r\n");
  CHECK(answer.size() < (5 << 20));
}

TEST_CASE("http: slow clients neither stop others for long nor the server from ending") {
  HttpServer server;
  HttpServerOptions options = Options();
  options.limits.request_time = Duration::Millis(200);
  REQUIRE(server.Start(options).ok());
  {
    Raw slow1(server.port()), slow2(server.port()), slow3(server.port());
    slow1.Send("GET /he");
    slow2.Send("G");
    CHECK(Get(server, "/hello").status == 200);  // as soon as the slow ones are timed out
    CHECK(slow1.ReadToEnd().find(" 200 ") == std::string::npos);
  }
  server.Stop();

  HttpServer patient;
  options.limits.request_time = Duration::Seconds(60);
  REQUIRE(patient.Start(options).ok());
  std::vector<std::unique_ptr<Raw>> crowd;
  for (int k = 0; k < 20; ++k) {
    crowd.push_back(std::make_unique<Raw>(patient.port()));
    crowd.back()->Send("GET /hello HTTP/1.1\r\n");
  }
  CHECK(MillisOf([&] { patient.Stop(); }) < 500);
  CHECK(crowd[0]->ReadToEnd().empty());
}

TEST_CASE("http: a crowd that dawdles keeps nobody out") {
  HttpServer server;
  HttpServerOptions options = Options();
  options.limits.request_time = Duration::Seconds(60);
  options.limits.total_time = Duration::Seconds(60);
  REQUIRE(server.Start(options).ok());
  // Some say nothing, some begin a request, some do not read their answers; none of them ends.
  std::vector<std::unique_ptr<Raw>> crowd;
  for (int k = 0; k < 400; ++k) {
    crowd.push_back(std::make_unique<Raw>(server.port()));
    if (k % 3 == 1) crowd.back()->Send("GET /he");
    if (k % 3 == 2) crowd.back()->Send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    // Within the client's patience of five seconds; the crowd has sixty.
    if (k % 50 == 0) CHECK(Get(server, "/hello").status == 200);
  }
  // The first have had to go.
  CHECK(crowd.front()->ReadToEnd().empty());
}

TEST_CASE("http: of one address no more than its share") {
  HttpServer server;
  HttpServerOptions options = Options();
  options.limits.request_time = Duration::Seconds(60);
  options.limits.of_one_address = 2;
  REQUIRE(server.Start(options).ok());
  Raw first(server.port()), second(server.port());
  Raw third(server.port());
  CHECK(first.ReadToEnd().empty());  // at once, in place of the third
  CHECK(second.Send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  CHECK(second.ReadToEnd().starts_with("HTTP/1.1 200"));
}

TEST_CASE("http: while all connections wait for the node, a newcomer is refused at once") {
  std::promise<void> go;
  const std::shared_future<void> gone = go.get_future().share();
  std::atomic<int> running{0};
  HttpServer server;
  HttpServerOptions options = Options();
  options.answers.handlers["/slow"] = [&](const HttpRequest&) {
    ++running;
    gone.wait();
    return HttpResponse();
  };
  options.limits.threads = 3;
  options.limits.connections = 3;
  REQUIRE(server.Start(options).ok());
  std::vector<std::unique_ptr<Raw>> patient;
  for (int k = 0; k < 3; ++k) {
    patient.push_back(std::make_unique<Raw>(server.port()));
    patient.back()->Send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  while (running < 3) std::this_thread::yield();
  Raw late(server.port());
  CHECK(late.ReadToEnd().empty());
  go.set_value();
  for (const auto& raw : patient) CHECK(raw->ReadToEnd().starts_with("HTTP/1.1 200"));
}

TEST_CASE("http: a node answers to its own names only") {
  HttpServer server;
  HttpServerOptions options = Options();
  options.answers.hosts = {"pi-2.local", "192.0.2.7", "2001:db8::7"};
  REQUIRE(server.Start(options).ok());
  const auto status = [&server](const std::string& host) {
    const std::string answer =
        Exchange(server, "GET /hello HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return answer.substr(0, 12).substr(answer.size() < 12 ? 0 : 9);
  };
  for (const char* good : {"localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:8377", "127.9.9.9",
                           "[::1]:1", "pi-2.local", "Pi-2.Local:8377", "192.0.2.7", "[2001:db8::7]:99"}) {
    CAPTURE(good);
    CHECK(status(good) == "200");
  }
  for (const char* foreign : {"evil.example", "evil.example:8377", "localhost.evil.example",
                              "pi-2.local.evil", "192.0.2.8", "1270.0.0.1", "[2001:db8::8]", "0.0.0.0"}) {
    CAPTURE(foreign);
    CHECK(status(foreign) == "421");
  }
  for (const char* malformed : {"localhost:80:80", "[::1", "localhost:x", "localhost\r\nHost: evil.example",
                                "evil.example\r\nHost: localhost", "[]", ":80"}) {
    CAPTURE(malformed);
    CHECK(status(malformed) == "400");
  }
  CHECK(Exchange(server, "GET /hello HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200"));
  // What to do is said.
  CHECK(Exchange(server, "GET /hello HTTP/1.1\r\nHost: evil.example\r\n\r\n").find("http.hosts") !=
        std::string::npos);
}

TEST_CASE("http: the address the connection came in on is the node's own") {
  HttpAnswers answers(Options().answers);
  const std::string request = "GET /hello HTTP/1.1\r\nHost: 192.0.2.1:8377\r\n\r\n";
  CHECK(answers.Answer(request, "192.0.2.1").starts_with("HTTP/1.1 200"));
  CHECK(answers.Answer(request, "192.0.2.2").starts_with("HTTP/1.1 421"));
}

TEST_CASE("http: starts and stops again and again") {
  for (int round = 0; round < 20; ++round) {
    HttpServer server;
    REQUIRE(server.Start(Options()).ok());
    if (round % 2 == 0) CHECK(Get(server, "/hello").status == 200);
    server.Stop();
    server.Stop();
  }
}

TEST_CASE("http client: what is no answer") {
  uint16_t port = 0;
  {
    HttpServer server;
    REQUIRE(server.Start(Options()).ok());
    port = server.port();
  }
  const auto get = [](const std::string& url) {
    return HttpGet(url, "/", "", Duration::Millis(500)).status().code();
  };
  CHECK(get("http://127.0.0.1:" + std::to_string(port)) == ErrorCode::kNotConnected);
  for (const char* url : {"", "localhost:1", "ftp://x", "http://", "http://a/b", "https://x"}) {
    CHECK(get(url) == ErrorCode::kUsage);
  }
}
