#include "base/utf8.h"

namespace rivulet {
namespace {

bool IsContinuation(uint8_t b) { return (b & 0xC0) == 0x80; }

}  // namespace

// An ill-formed sequence counts once per maximal subpart, as with browsers.
Utf8Step StepUtf8(std::string_view text, size_t at) {
  const auto byte = [&](size_t k) -> uint8_t {
    return at + k < text.size() ? static_cast<uint8_t>(text[at + k]) : 0;
  };
  const uint8_t lead = byte(0);
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  uint8_t low = 0x80;
  uint8_t high = 0xBF;
  if (lead == 0xE0) low = 0xA0;   // overlong
  if (lead == 0xED) high = 0x9F;  // surrogates
  if (lead == 0xF0) low = 0x90;   // overlong
  if (lead == 0xF4) high = 0x8F;  // above U+10FFFF
  if (byte(1) < low || byte(1) > high) return {1, false};
  for (size_t k = 2; k < length; ++k) {
    if (!IsContinuation(byte(k))) return {k, false};
  }
  return {length, true};
}

size_t FirstInvalidUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const Utf8Step step = StepUtf8(text, at);
    if (!step.valid) return at;
    at += step.length;
  }
  return text.size();
}

void AppendUtf8(uint32_t point, std::string* out) {
  const auto put = [&](uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xc0 | point >> 6);
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
  }
  put(0x80 | (point & 0x3f));
}

}  // namespace rivulet
