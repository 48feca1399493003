#include "node/lane/large_message.h"

#include <charconv>
#include <cstdio>

namespace rivulet {
namespace {

constexpr std::string_view kMark{"\0cut:", 5};
constexpr size_t kDigits = 16;
constexpr size_t kCutBytes = kLargeMessageHead + kMark.size() + kDigits;

}  // namespace

std::string CutLargeMessage(std::string_view payload) {
  std::string cut(payload.substr(0, kLargeMessageHead));
  cut += kMark;
  char digits[kDigits + 1];
  std::snprintf(digits, sizeof(digits), "%016llx", static_cast<unsigned long long>(payload.size()));
  return cut.append(digits, kDigits);
}

std::optional<LargeMessage> ReadLargeMessage(std::string_view payload) {
  if (payload.size() != kCutBytes || payload.substr(kLargeMessageHead, kMark.size()) != kMark) {
    return std::nullopt;
  }
  LargeMessage message{payload.substr(0, kLargeMessageHead), 0};
  const char* const end = payload.data() + payload.size();
  const auto [at, error] = std::from_chars(end - kDigits, end, message.bytes, 16);
  if (error != std::errc() || at != end) return std::nullopt;
  return message;
}

}  // namespace rivulet
