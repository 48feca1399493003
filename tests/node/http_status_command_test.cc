#include <doctest/doctest.h>

#include <string>

#include "node/commands/commands.h"
#include "node/http/http_server.h"

using namespace rivulet;

namespace {

// The exit code of `status` when the node answers with `body`.
int StatusOf(const std::string& body, const Arguments& more = {}) {
  HttpServer server;
  HttpServerOptions options;
  options.answers.handlers["/api/v1/status"] = [&](const HttpRequest&) {
    HttpResponse response;
    response.body = body;
    return response;
  };
  REQUIRE(server.Start(options).ok());
  Arguments args{"--url", "http://127.0.0.1:" + std::to_string(server.port()) + "/"};
  args.insert(args.end(), more.begin(), more.end());
  return StatusCommand(args);
}

}  // namespace

TEST_CASE("status: exit code says whether the node does its work") {
  const std::string pipelines =
      R"("pipelines":[{"name":"p","records_in":1234567,"results":2,"late":0,"dead_letters":1,)"
      R"("watermark_ms":1700000000123,"watermark_lag_ms":1500,"state_keys":10,"state_bytes":4096,)"
      R"("journal_lag":3,"outputs_waiting":2,"sinks":[{"name":"mqtt a","available":true}],)"
      R"("tables":[{"name":"t","ready":true}]}])";
  const std::string rest =
      R"("mqtt":{"connected":true,"broker":"tcp://b:1883","received":7},)"
      R"("journal":{"bytes":1000,"begin":5,"end":9,"duplicates":1,"failed_syncs":0},)" +
      pipelines + "}";
  const std::string node = R"({"node":{"name":"n","version":"0.1.0","uptime_s":90061,)";
  CHECK(StatusOf(node + R"("ready":true},)" + rest) == kExitOk);
  CHECK(StatusOf(R"({"node":{"name":"n","ready":false},)" + rest) == kExitUnavailable);
  CHECK(StatusOf(R"({"node":{"ready":true}})", {"--json"}) == kExitOk);
  for (const char* word : {R"("connected":true)", R"("available":true)", R"("ready":true}]}])"}) {
    CAPTURE(word);
    std::string body = node + R"("ready":true},)" + rest;
    const std::string found = word;
    const size_t at = body.find(found) + found.find("true");
    body.replace(at, 4, "false");
    CHECK(StatusOf(body) == kExitUnavailable);
  }
  CHECK(StatusOf(node + R"("ready":true,"paused":true},)" + rest) == kExitUnavailable);
}

TEST_CASE("status: answers of other programs and other versions do no harm") {
  for (const char* body : {"", "null", "[]", "{}", "{\"node\":1}", "<html>", "{\"node\":{"}) {
    CHECK(StatusOf(body) == kExitUnavailable);
  }
  CHECK(StatusOf(std::string(100'000, '[')) == kExitUnavailable);
  CHECK(StatusOf(R"({"node":{"ready":true,"name":7,"uptime_s":-1e300,"version":"\u001b[2J"},)"
                 R"("mqtt":{"received":-1,"connected":"x"},)"
                 R"("journal":{"a":{},"b":null,"x_bytes":-3},)"
                 R"("pipelines":[1,null,{"name":[],"records_in":1.5,"watermark_ms":1e30,)"
                 R"("watermark_lag_ms":"x","state_bytes":-1,"sinks":[1,{"available":"no"}]}]})") ==
        kExitOk);
}

TEST_CASE("status: bad command lines") {
  CHECK(StatusCommand({"--url", "ftp://x"}) == kExitUsage);
  CHECK(StatusCommand({"extra"}) == kExitUsage);
  CHECK(StatusCommand({"--url", "http://127.0.0.1:1"}) == kExitUnavailable);
}
