// Requests nobody's browser sends: whatever the bytes are, there is no answer, or one that HTTP allows;
// and nothing is told to who has no token or asks by a foreign name.
#include <string>

#include "node/http/host_names.h"
#include "node/http/http_answers.h"
#include "tests/fuzz/fuzz_target.h"

namespace rivulet {
namespace {

using fuzz::Require;

// In capitals: a refusal may repeat the host it was asked for, but in small letters.
constexpr std::string_view kSecret = "WHAT ONLY THE NODE KNOWS";

HttpAnswers* Answers(const std::string& token) {
  HttpAnswerOptions options;
  options.token = token;
  options.hosts = {"pi-2.local"};
  options.handlers["/s"] = [](const HttpRequest&) {
    HttpResponse response;
    response.body = kSecret;
    return response;
  };
  return new HttpAnswers(options);
}

void CheckAnswer(std::string_view answer) {
  // "Expect: 100-continue" is answered twice.
  constexpr std::string_view kGoOn = "HTTP/1.1 100 Continue\r\n\r\n";
  if (answer.starts_with(kGoOn)) answer.remove_prefix(kGoOn.size());
  if (answer.empty()) return;
  Require(answer.starts_with("HTTP/1.1 ") && answer.size() > 12, "an answer begins with a status line");
  Require(answer.find("\r\n\r\n") != std::string_view::npos, "an answer has an end of its headers");
  const bool good = answer.substr(9, 3) == "200";
  Require(good || answer.find(kSecret) == std::string_view::npos, "a refusal tells nothing");
}

}  // namespace
}  // namespace rivulet

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rivulet;
  static HttpAnswers* const open = Answers("");
  static HttpAnswers* const closed = Answers("0123456789abcdef0123456789abcdef");
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  CheckAnswer(open->Answer(bytes, "192.0.2.1"));
  const std::string refused = closed->Answer(bytes, "192.0.2.1");
  CheckAnswer(refused);
  Require(refused.find(kSecret) == std::string::npos, "nothing is told without the token");
  const std::string by_name = "GET /s HTTP/1.1\r\nHost: " + bytes.substr(0, bytes.find_first_of("\r\n")) +
                              "\r\n\r\n";
  const std::string named = open->Answer(by_name, "192.0.2.1");
  CheckAnswer(named);
  return 0;
}
