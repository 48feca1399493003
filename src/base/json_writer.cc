#include "base/json_writer.h"

#include <charconv>
#include <cmath>
#include <cstddef>

#include "base/utf8.h"

namespace rivulet {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

void AppendEscaped(std::string* out, char c) {
  switch (c) {
    case '"': *out += "\\\""; return;
    case '\\': *out += "\\\\"; return;
    case '\b': *out += "\\b"; return;
    case '\f': *out += "\\f"; return;
    case '\n': *out += "\\n"; return;
    case '\r': *out += "\\r"; return;
    case '\t': *out += "\\t"; return;
    default: break;
  }
  constexpr char kHex[] = "0123456789abcdef";
  const auto b = static_cast<uint8_t>(c);
  *out += "\\u00";
  out->push_back(kHex[b >> 4]);
  out->push_back(kHex[b & 15]);
}

}  // namespace

void AppendJsonString(std::string* out, std::string_view text) {
  out->push_back('"');
  size_t copied = 0;  // everything before it is in `out`
  size_t at = 0;
  const auto flush = [&] { out->append(text.substr(copied, at - copied)); };
  while (at < text.size()) {
    const auto b = static_cast<uint8_t>(text[at]);
    if (b >= 0x80) {
      const Utf8Step step = StepUtf8(text, at);
      if (!step.valid) {
        flush();
        *out += kReplacement;
        copied = at + step.length;
      }
      at += step.length;
      continue;
    }
    if (b < 0x20 || b == '"' || b == '\\') {
      flush();
      AppendEscaped(out, text[at]);
      copied = at + 1;
    }
    ++at;
  }
  flush();
  out->push_back('"');
}

void AppendJsonFloat(std::string* out, double v) {
  if (!std::isfinite(v)) {
    *out += "null";
    return;
  }
  // Plain decimals where people expect them: left to itself, to_chars writes 100000 as 1e+05.
  const double magnitude = std::fabs(v);
  const bool plain = magnitude == 0 || (magnitude >= 1e-6 && magnitude < 1e15);
  char text[40];
  const std::to_chars_result end =
      plain ? std::to_chars(text, text + sizeof(text), v, std::chars_format::fixed)
            : std::to_chars(text, text + sizeof(text), v);
  out->append(text, end.ptr);
}

void AppendJsonInt(std::string* out, int64_t v) {
  char text[24];
  const std::to_chars_result end = std::to_chars(text, text + sizeof(text), v);
  out->append(text, end.ptr);
}

void AppendJsonValue(std::string* out, const Value& v) {
  switch (v.type) {
    case Type::kNull: *out += "null"; return;
    case Type::kBool: *out += v.b ? "true" : "false"; return;
    case Type::kInt: AppendJsonInt(out, v.i); return;
    case Type::kFloat: AppendJsonFloat(out, v.f); return;
    case Type::kString: AppendJsonString(out, v.s); return;
  }
}

}  // namespace rivulet
