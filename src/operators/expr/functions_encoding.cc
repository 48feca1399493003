// Hashes, checksums, and bytes as text.

#include <array>

#include "base/hash.h"
#include "operators/expr/convert.h"
#include "operators/expr/function_registry.h"
#include "operators/expr/text_encoding.h"

namespace rivulet::expr {
namespace {

// XXH3, 64 bits, of the text (numbers and bools: as to_string writes them), as a signed int.
Value Hash(const Value* a, size_t, CallContext* c) {
  std::string_view text = a[0].s;
  if (a[0].type != Type::kString) {
    c->text.clear();
    AppendText(a[0], &c->text);
    text = c->text;
  }
  return Value::Int(static_cast<int64_t>(Hash64(text)));
}

constexpr std::array<uint32_t, 256> MakeCrcTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
    table[byte] = crc;
  }
  return table;
}

// CRC-32 as in Ethernet, zlib and PNG (reflected polynomial 0xEDB88320).
Value Crc32(const Value* a, size_t, CallContext*) {
  static constexpr std::array<uint32_t, 256> kTable = MakeCrcTable();
  uint32_t crc = 0xffffffff;
  for (const char c : a[0].s) crc = crc >> 8 ^ kTable[(crc ^ static_cast<uint8_t>(c)) & 255];
  return Value::Int(int64_t{crc ^ 0xffffffff});
}

bool TooLong(std::string_view text, CallContext* c) {
  if (text.size() <= kMaxTextResult) return false;
  c->Fail("the text has " + std::to_string(text.size()) + " bytes, at most " +
          std::to_string(kMaxTextResult) + " are taken");
  return true;
}

// Of an int: upper case, no leading zeros, negative numbers have 16 digits. Of text: each byte.
Value Hex(const Value* a, size_t, CallContext* c) {
  c->text.clear();
  if (a[0].type == Type::kString) {
    if (TooLong(a[0].s, c)) return Value::Null();
    AppendHex(a[0].s, &c->text);
    return c->Text();
  }
  const auto bits = static_cast<uint64_t>(a[0].i);
  char bytes[8];
  for (int k = 0; k < 8; ++k) bytes[k] = static_cast<char>(bits >> (56 - 8 * k) & 255);
  AppendHex({bytes, 8}, &c->text);
  const size_t zeros = c->text.find_first_not_of('0');
  return Value::String(std::string_view(c->text).substr(zeros == std::string::npos ? 15 : zeros));
}

Value Unhex(const Value* a, size_t, CallContext* c) {
  c->text.clear();
  if (!DecodeHex(a[0].s, &c->text)) {
    return c->Fail(Quote(a[0].s) + " is not hexadecimal, two digits a byte");
  }
  return Value::String(c->text);
}

Value ToBase64(const Value* a, size_t, CallContext* c) {
  if (TooLong(a[0].s, c)) return Value::Null();
  c->text.clear();
  AppendBase64(a[0].s, &c->text);
  return c->Text();
}

Value FromBase64(const Value* a, size_t, CallContext* c) {
  c->text.clear();
  if (!DecodeBase64(a[0].s, &c->text)) return c->Fail(Quote(a[0].s) + " is not base64");
  return Value::String(c->text);
}

constexpr TypeMask kText = kStringMask;

constexpr FunctionDef kTable[] = {
    {"hash64", 1, 1, {kAnyType}, kIntMask, Hash},
    {"crc32", 1, 1, {kText}, kIntMask, Crc32},
    {"hex", 1, 1, {kIntMask | kText}, kText, Hex},
    {"unhex", 1, 1, {kText}, kText, Unhex},
    {"to_base64", 1, 1, {kText}, kText, ToBase64},
    {"from_base64", 1, 1, {kText}, kText, FromBase64},
};

}  // namespace

std::span<const FunctionDef> EncodingFunctions() { return kTable; }

}  // namespace rivulet::expr
