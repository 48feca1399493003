// Functions on text. Lengths and positions count code points, from 1; results that would be longer
// than kMaxTextResult are row errors where a function can make text longer.

#include <algorithm>
#include <limits>

#include "base/types.h"
#include "operators/expr/convert.h"
#include "operators/expr/function_registry.h"
#include "operators/expr/utf8.h"

namespace rivulet::expr {
namespace {

// ASCII only: other letters stay, so the result never depends on a locale.
template <char first, char last, int shift>
Value ChangeCase(const Value* a, size_t, CallContext* c) {
  c->text.assign(a[0].s);
  for (char& letter : c->text) {
    if (letter >= first && letter <= last) letter = static_cast<char>(letter + shift);
  }
  return Value::String(c->text);
}

Value Length(const Value* a, size_t, CallContext*) { return Value::Int(CountCharacters(a[0].s)); }

Value Trim(const Value* a, size_t, CallContext*) { return Value::String(TrimSpace(a[0].s)); }
Value TrimLeft(const Value* a, size_t, CallContext*) {
  const std::string_view trimmed = TrimSpace(a[0].s);
  const auto skipped = static_cast<size_t>(trimmed.data() - a[0].s.data());
  return Value::String(trimmed.empty() ? trimmed : a[0].s.substr(skipped));
}
Value TrimRight(const Value* a, size_t, CallContext*) {
  const std::string_view trimmed = TrimSpace(a[0].s);
  const auto skipped = static_cast<size_t>(trimmed.data() - a[0].s.data());
  return Value::String(a[0].s.substr(0, trimmed.empty() ? 0 : skipped + trimmed.size()));
}

// Characters begin .. end - 1, counted from 0.
Value Slice(std::string_view text, int64_t begin, int64_t end) {
  begin = std::max<int64_t>(begin, 0);
  if (end <= begin) return Value::String("");
  text.remove_prefix(OffsetOfCharacter(text, begin));
  return Value::String(text.substr(0, OffsetOfCharacter(text, end - begin)));
}

// substr(s, start[, length]): as in SQL, a start before 1 uses up length, and gives nothing.
Value Substr(const Value* a, size_t count, CallContext* c) {
  const int64_t begin = SaturatingSub(a[1].i, 1);
  if (count == 2) return Slice(a[0].s, begin, std::numeric_limits<int64_t>::max());
  if (a[2].i < 0) return c->Fail("length " + std::to_string(a[2].i) + " is negative");
  return Slice(a[0].s, begin, SaturatingAdd(begin, a[2].i));
}

// left(s, n): a negative n leaves out the last -n characters; right likewise the first.
Value Left(const Value* a, size_t, CallContext*) {
  const int64_t n = a[1].i;
  return Slice(a[0].s, 0, n >= 0 ? n : SaturatingAdd(CountCharacters(a[0].s), n));
}
Value Right(const Value* a, size_t, CallContext*) {
  const int64_t n = a[1].i;
  const int64_t begin = n >= 0 ? SaturatingSub(CountCharacters(a[0].s), n) : SaturatingSub(0, n);
  return Slice(a[0].s, begin, std::numeric_limits<int64_t>::max());
}

// replace(s, from, to); an empty `from` is found nowhere.
Value Replace(const Value* a, size_t, CallContext* c) {
  const std::string_view text = a[0].s, from = a[1].s, to = a[2].s;
  c->text.clear();
  size_t at = 0;
  while (!from.empty() && c->text.size() <= kMaxTextResult) {
    const size_t found = text.find(from, at);
    if (found == std::string_view::npos) break;
    c->text.append(text.substr(at, found - at)).append(to);
    at = found + from.size();
  }
  if (at == 0) return a[0];
  c->text.append(text.substr(at));
  return c->Text();
}

Value Concat(const Value* a, size_t count, CallContext* c) {
  c->text.clear();
  for (size_t i = 0; i < count && c->text.size() <= kMaxTextResult; ++i) AppendText(a[i], &c->text);
  return c->Text();
}

Value StartsWith(const Value* a, size_t, CallContext*) {
  return Value::Bool(a[0].s.starts_with(a[1].s));
}
Value EndsWith(const Value* a, size_t, CallContext*) {
  return Value::Bool(a[0].s.ends_with(a[1].s));
}
Value Contains(const Value* a, size_t, CallContext*) {
  return Value::Bool(a[0].s.find(a[1].s) != std::string_view::npos);
}
// position(part, s): 0 when it is not there.
Value Position(const Value* a, size_t, CallContext*) {
  const size_t found = a[1].s.find(a[0].s);
  if (found == std::string_view::npos) return Value::Int(0);
  return Value::Int(CountCharacters(a[1].s.substr(0, found)) + 1);
}

// Makes `text` exactly `width` characters: cut at the end, or filled with `fill` again and again.
Value Pad(const Value* a, size_t count, bool at_left, CallContext* c) {
  const std::string_view text = a[0].s, fill = count > 2 ? a[2].s : " ";
  const int64_t width = a[1].i, length = CountCharacters(text);
  if (width <= length || fill.empty()) return Slice(text, 0, width);
  c->text.clear();
  if (!at_left) c->text.append(text);
  size_t at = 0;
  for (int64_t missing = width - length; missing > 0 && c->text.size() <= kMaxTextResult;
       --missing) {
    const size_t size = CharacterSize(fill, at);
    c->text.append(fill.substr(at, size));
    at = at + size == fill.size() ? 0 : at + size;
  }
  if (at_left) c->text.append(text);
  return c->Text();
}
Value PadLeft(const Value* a, size_t count, CallContext* c) { return Pad(a, count, true, c); }
Value PadRight(const Value* a, size_t count, CallContext* c) { return Pad(a, count, false, c); }

Value Reverse(const Value* a, size_t, CallContext* c) {
  const std::string_view text = a[0].s;
  c->text.resize(text.size());
  size_t size = 0;
  for (size_t at = 0; at < text.size(); at += size) {
    size = CharacterSize(text, at);
    text.copy(c->text.data() + (text.size() - at - size), size, at);
  }
  return Value::String(c->text);
}

// split_part(s, delimiter, n): part n from 1; '' behind the last. An empty delimiter splits
// nothing.
Value SplitPart(const Value* a, size_t, CallContext* c) {
  std::string_view rest = a[0].s;
  const std::string_view delimiter = a[1].s;
  if (a[2].i < 1) {
    return c->Fail("part " + std::to_string(a[2].i) + " asked for, expected 1 or more");
  }
  for (int64_t part = 1;; ++part) {
    const size_t found = delimiter.empty() ? std::string_view::npos : rest.find(delimiter);
    if (part == a[2].i) return Value::String(rest.substr(0, found));
    if (found == std::string_view::npos) return Value::String("");
    rest.remove_prefix(found + delimiter.size());
  }
}

Value Repeat(const Value* a, size_t, CallContext* c) {
  c->text.clear();
  if (a[0].s.empty()) return Value::String("");
  for (int64_t i = 0; i < a[1].i && c->text.size() <= kMaxTextResult; ++i) c->text.append(a[0].s);
  return c->Text();
}

constexpr TypeMask kText = kStringMask;

constexpr FunctionDef kTable[] = {
    {"lower", 1, 1, {kText}, kText, ChangeCase<'A', 'Z', 'a' - 'A'>},
    {"upper", 1, 1, {kText}, kText, ChangeCase<'a', 'z', 'A' - 'a'>},
    {"length", 1, 1, {kText}, kIntMask, Length},
    {"trim", 1, 1, {kText}, kText, Trim},
    {"ltrim", 1, 1, {kText}, kText, TrimLeft},
    {"rtrim", 1, 1, {kText}, kText, TrimRight},
    {"substr", 2, 3, {kText, kIntMask, kIntMask}, kText, Substr},
    {"left", 2, 2, {kText, kIntMask}, kText, Left},
    {"right", 2, 2, {kText, kIntMask}, kText, Right},
    {"replace", 3, 3, {kText, kText, kText}, kText, Replace},
    {"concat", 1, kVariadic, {kAnyType, kAnyType, kAnyType}, kText, Concat},
    {"starts_with", 2, 2, {kText, kText}, kBoolMask, StartsWith},
    {"ends_with", 2, 2, {kText, kText}, kBoolMask, EndsWith},
    {"contains", 2, 2, {kText, kText}, kBoolMask, Contains},
    {"position", 2, 2, {kText, kText}, kIntMask, Position},
    {"lpad", 2, 3, {kText, kIntMask, kText}, kText, PadLeft},
    {"rpad", 2, 3, {kText, kIntMask, kText}, kText, PadRight},
    {"reverse", 1, 1, {kText}, kText, Reverse},
    {"split_part", 3, 3, {kText, kText, kIntMask}, kText, SplitPart},
    {"repeat", 2, 2, {kText, kIntMask}, kText, Repeat},
};

}  // namespace

std::span<const FunctionDef> StringFunctions() { return kTable; }

}  // namespace rivulet::expr
