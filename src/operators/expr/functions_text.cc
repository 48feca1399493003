// Further functions on text: code points, parts, forms.

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/utf8.h"
#include "operators/expr/convert.h"
#include "operators/expr/function_registry.h"
#include "operators/expr/utf8.h"

namespace rivulet::expr {
namespace {

Value ByteLength(const Value* a, size_t, CallContext*) {
  return Value::Int(static_cast<int64_t>(a[0].s.size()));
}

// concat_ws(separator, a, ..): the arguments that are not null, with the separator between.
Value ConcatWs(const Value* a, size_t count, CallContext* c) {
  if (a[0].is_null()) return Value::Null();
  c->text.clear();
  bool first = true;
  for (size_t i = 1; i < count && c->text.size() <= kMaxTextResult; ++i) {
    if (a[i].is_null()) continue;
    if (!first) c->text.append(a[0].s);
    first = false;
    AppendText(a[i], &c->text);
  }
  return c->Text();
}

// True when the character of `text` at `at` is one of `set`; *index is its number there.
bool InSet(std::string_view text, size_t at, std::string_view set, int64_t* index) {
  const std::string_view character = text.substr(at, CharacterSize(text, at));
  *index = 0;
  for (size_t s = 0; s < set.size(); ++*index) {
    const size_t size = CharacterSize(set, s);
    if (set.substr(s, size) == character) return true;
    s += size;
  }
  return false;
}

// Work of translate and trim_chars is the product of both lengths; the set is meant to be short.
constexpr size_t kMaxSet = 256;
bool AcceptSet(std::string_view set, CallContext* c) {
  if (set.size() <= kMaxSet) return true;
  c->Fail("the set of characters has " + std::to_string(set.size()) + " bytes, at most " +
          std::to_string(kMaxSet) + " are allowed");
  return false;
}

// translate(s, from, to): each character of `from` by the one at its place in `to`, or by none.
Value Translate(const Value* a, size_t, CallContext* c) {
  const std::string_view text = a[0].s, from = a[1].s, to = a[2].s;
  if (!AcceptSet(from, c) || !AcceptSet(to, c)) return Value::Null();
  c->text.clear();
  int64_t index = 0;
  for (size_t at = 0; at < text.size() && c->text.size() <= kMaxTextResult;) {
    const size_t size = CharacterSize(text, at);
    if (!InSet(text, at, from, &index)) {
      c->text.append(text.substr(at, size));
    } else if (const size_t place = OffsetOfCharacter(to, index); place < to.size()) {
      c->text.append(to.substr(place, CharacterSize(to, place)));
    }
    at += size;
  }
  return c->Text();
}

// trim_chars(s, set): without characters of the set at both ends.
Value TrimChars(const Value* a, size_t, CallContext* c) {
  const std::string_view text = a[0].s, set = a[1].s;
  if (!AcceptSet(set, c)) return Value::Null();
  int64_t index = 0;
  size_t begin = 0;
  while (begin < text.size() && InSet(text, begin, set, &index)) begin += CharacterSize(text, begin);
  size_t end = begin;  // behind the last character that stays
  for (size_t at = begin; at < text.size();) {
    const size_t size = CharacterSize(text, at);
    if (!InSet(text, at, set, &index)) end = at + size;
    at += size;
  }
  return Value::String(text.substr(begin, end - begin));
}

// initcap(s): ASCII letters only; the first of each word upper case, the others lower.
Value InitCap(const Value* a, size_t, CallContext* c) {
  c->text.assign(a[0].s);
  bool inside = false;
  for (char& letter : c->text) {
    const char lower = static_cast<char>(letter | 0x20);
    const bool is_letter = lower >= 'a' && lower <= 'z';
    if (is_letter) letter = inside ? lower : static_cast<char>(lower & ~0x20);
    inside = is_letter || (letter >= '0' && letter <= '9') || static_cast<uint8_t>(letter) >= 0x80;
  }
  return Value::String(c->text);
}

// The code point of the first character, or a stray byte's value; null for an empty text.
Value CodePoint(const Value* a, size_t, CallContext*) {
  const std::string_view text = a[0].s;
  if (text.empty()) return Value::Null();
  const size_t size = CharacterSize(text, 0);
  const auto lead = static_cast<uint8_t>(text[0]);
  int64_t point = size == 1 ? lead : lead & (0x7f >> size);
  for (size_t k = 1; k < size; ++k) point = point << 6 | (static_cast<uint8_t>(text[k]) & 0x3f);
  return Value::Int(point);
}

Value Chr(const Value* a, size_t, CallContext* c) {
  const int64_t point = a[0].i;
  if (point < 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
    return c->Fail(std::to_string(point) + " is no character's code point");
  }
  c->text.clear();
  AppendUtf8(static_cast<uint32_t>(point), &c->text);
  return Value::String(c->text);
}

// to_fixed(x, digits): with exactly so many digits behind the point; halves of the exact value go to even.
Value ToFixed(const Value* a, size_t, CallContext* c) {
  const int64_t digits = a[1].i;
  if (digits < 0 || digits > 30) {
    return c->Fail(std::to_string(digits) + " digits asked for, expected 0 to 30");
  }
  const double x = a[0].AsFloat();
  if (!std::isfinite(x)) return Value::Null();
  char buffer[400];  // 309 digits before the point
  if (a[0].type == Type::kInt) {
    c->text.assign(buffer, std::to_chars(buffer, buffer + sizeof(buffer), a[0].i).ptr);
    if (digits > 0) c->text.append(".").append(static_cast<size_t>(digits), '0');
    return Value::String(c->text);
  }
  c->text.assign(buffer, std::to_chars(buffer, buffer + sizeof(buffer), x, std::chars_format::fixed,
                                       static_cast<int>(digits)).ptr);
  return Value::String(c->text);
}

// count_text(s, part): without overlap; an empty part is nowhere.
Value CountText(const Value* a, size_t, CallContext*) {
  int64_t count = 0;
  for (size_t at = 0; !a[1].s.empty() && (at = a[0].s.find(a[1].s, at)) != std::string_view::npos;
       at += a[1].s.size()) {
    ++count;
  }
  return Value::Int(count);
}

constexpr TypeMask kText = kStringMask;

constexpr FunctionDef kTable[] = {
    {"byte_length", 1, 1, {kText}, kIntMask, ByteLength},
    {"concat_ws", 1, kVariadic, {kText, kAnyType}, kText, ConcatWs, ResultRule::kFixed, false},
    {"translate", 3, 3, {kText, kText, kText}, kText, Translate},
    {"trim_chars", 2, 2, {kText, kText}, kText, TrimChars},
    {"initcap", 1, 1, {kText}, kText, InitCap},
    {"code_point", 1, 1, {kText}, kIntMask, CodePoint},
    {"chr", 1, 1, {kIntMask}, kText, Chr},
    {"to_fixed", 2, 2, {kNumberMask, kIntMask}, kText, ToFixed},
    {"count_text", 2, 2, {kText, kText}, kIntMask, CountText},
};

}  // namespace

std::span<const FunctionDef> TextFunctions() { return kTable; }

}  // namespace rivulet::expr
