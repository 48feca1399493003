#include "operators/expr/text_encoding.h"

#include <array>
#include <cstdint>

namespace rivulet::expr {
namespace {

constexpr char kHexDigits[] = "0123456789ABCDEF";
constexpr char kBase64Digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> MakeHexTable() {
  std::array<int8_t, 256> table{};
  for (int8_t& value : table) value = -1;
  for (int k = 0; k < 16; ++k) {
    table[static_cast<uint8_t>(kHexDigits[k])] = static_cast<int8_t>(k);
    table[static_cast<uint8_t>(kHexDigits[k] | 0x20)] = static_cast<int8_t>(k);
  }
  return table;
}
// Of each byte as a digit; -1: none. Frames come with every record, so this is no chain of questions.
constexpr std::array<int8_t, 256> kHexValues = MakeHexTable();
int HexValue(char c) { return kHexValues[static_cast<uint8_t>(c)]; }

int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  return c == '/' || c == '_' ? 63 : -1;
}

}  // namespace

void AppendHex(std::string_view bytes, std::string* out) {
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    out->push_back(kHexDigits[byte >> 4]);
    out->push_back(kHexDigits[byte & 15]);
  }
}

bool DecodeHex(std::string_view text, std::string* out) {
  size_t at = text.find_first_not_of(' ');
  if (at == std::string_view::npos) return true;
  if (text.substr(at, 2) == "0x" || text.substr(at, 2) == "0X") at += 2;
  const size_t before = out->size();
  out->resize(before + (text.size() - at) / 2);
  char* to = out->data() + before;
  while (at < text.size()) {
    if (text[at] == ' ') {
      ++at;
      continue;
    }
    const int high = HexValue(text[at]);
    const int low = at + 1 < text.size() ? HexValue(text[at + 1]) : -1;
    if ((high | low) < 0) return false;
    *to++ = static_cast<char>(high << 4 | low);
    at += 2;
  }
  out->resize(static_cast<size_t>(to - out->data()));
  return true;
}

void AppendBase64(std::string_view bytes, std::string* out) {
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t count = bytes.size() - at < 3 ? bytes.size() - at : 3;
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? static_cast<uint8_t>(bytes[at + k]) : 0u);
    }
    for (size_t k = 0; k < 4; ++k) {
      out->push_back(k <= count ? kBase64Digits[group >> (18 - 6 * k) & 63] : '=');
    }
  }
}

bool DecodeBase64(std::string_view text, std::string* out) {
  size_t padding = 0;
  for (; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  if (text.size() % 4 == 1 || (padding > 0 && (text.size() + padding) % 4 != 0)) return false;
  uint32_t group = 0;
  int bits = 0;
  for (const char c : text) {
    const int value = Base64Value(c);
    if (value < 0) return false;
    group = group << 6 | static_cast<uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out->push_back(static_cast<char>(group >> bits & 255));
  }
  // Bits that belong to no byte are zero, so that each text is the only one for its bytes.
  return (group & ((1u << bits) - 1)) == 0;
}

}  // namespace rivulet::expr
