#include "node/http/http_client.h"

#include <exception>

#include "node/http/http_library.h"

namespace rivulet {

namespace {

constexpr size_t kMaxReplyBytes = 8 << 20;

Status NoAnswer(const std::string& url, const std::string& why) {
  return {ErrorCode::kNotConnected,
          "no answer from " + url + " (" + why + "); is the node running?"};
}

}  // namespace

Result<HttpReply> HttpGet(const std::string& base_url, const std::string& path,
                          const std::string& token, Duration timeout) {
  const bool plausible = base_url.starts_with("http://") && base_url.size() > 7 &&
                         base_url.find_first_of("/ @?#", 7) == std::string::npos;
  if (!plausible) {
    return {ErrorCode::kUsage,
            "the URL is '" + base_url +
                "'; expected http://host:port, as in http://127.0.0.1:8377"};
  }
  try {
    httplib::Client client(base_url);
    if (!client.is_valid()) return {ErrorCode::kUsage, "'" + base_url + "' is not a valid URL"};
    const auto seconds = static_cast<time_t>(timeout.us / 1'000'000);
    const auto micros = static_cast<time_t>(timeout.us % 1'000'000);
    client.set_connection_timeout(seconds, micros);
    client.set_read_timeout(seconds, micros);
    if (!token.empty()) client.set_bearer_token_auth(token);
    HttpReply reply;
    const httplib::Result result = client.Get(path, [&reply](const char* bytes, size_t size) {
      if (reply.body.size() + size > kMaxReplyBytes) return false;
      reply.body.append(bytes, size);
      return true;
    });
    if (!result) return NoAnswer(base_url, httplib::to_string(result.error()));
    reply.status = result->status;
    return reply;
  } catch (const std::exception& e) {
    return NoAnswer(base_url, e.what());
  }
}

std::string HttpLibraryVersion() { return CPPHTTPLIB_VERSION; }

}  // namespace rivulet
