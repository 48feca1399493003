#include "base/json_cursor.h"

#include "base/utf8.h"

namespace rivulet {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool IsHalf(uint32_t unit) { return unit >= 0xd800 && unit <= 0xdfff; }
bool IsHighHalf(uint32_t unit) { return unit >= 0xd800 && unit <= 0xdbff; }
bool IsLowHalf(uint32_t unit) { return unit >= 0xdc00 && unit <= 0xdfff; }

// The number that four hex digits are. `text` begins with them.
uint32_t UnitOf(std::string_view text) {
  uint32_t unit = 0;
  for (size_t k = 0; k < 4; ++k) unit = unit << 4 | static_cast<uint32_t>(HexDigit(text[k]));
  return unit;
}

// `text` begins behind "\u". Returns how many of its bytes the character takes.
size_t AppendUnicodeEscape(std::string_view text, std::string* out) {
  constexpr uint32_t kReplacement = 0xfffd;
  const uint32_t unit = UnitOf(text);
  if (!IsHalf(unit)) {
    AppendUtf8(unit, out);
    return 4;
  }
  if (IsHighHalf(unit) && text.substr(4, 2) == "\\u") {
    const uint32_t low = UnitOf(text.substr(6));
    if (IsLowHalf(low)) {
      AppendUtf8(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), out);
      return 10;
    }
  }
  AppendUtf8(kReplacement, out);
  return 4;
}

}  // namespace

bool JsonCursor::Word(std::string_view word) {
  if (static_cast<size_t>(end_ - at_) < word.size()) return false;
  if (std::string_view(at_, word.size()) != word) return false;
  at_ += word.size();
  return true;
}

bool JsonCursor::Digits() {
  const char* const first = at_;
  while (at_ < end_ && IsDigit(*at_)) ++at_;
  return at_ > first;
}

bool JsonCursor::Number(bool* whole) {
  Char('-');
  if (!Char('0') && !Digits()) return false;
  const char* const fraction = at_;
  if (Char('.') && !Digits()) return false;
  if (next() == 'e' || next() == 'E') {
    ++at_;
    if (next() == '+' || next() == '-') ++at_;
    if (!Digits()) return false;
  }
  if (whole != nullptr) *whole = at_ == fraction;
  return true;
}

bool JsonCursor::Unit(uint32_t* unit) {
  if (end_ - at_ < 4) return false;
  for (int k = 0; k < 4; ++k) {
    if (HexDigit(at_[k]) < 0) return false;
  }
  *unit = UnitOf({at_, 4});
  at_ += 4;
  return true;
}

// Behind a backslash.
bool JsonCursor::Escape() {
  const char c = next();
  if (c == '\0') return false;
  ++at_;
  if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
  uint32_t unit = 0, low = 0;
  if (!Unit(&unit)) return false;
  if (!IsHalf(unit) || halves_ == Halves::kTaken) return true;
  return IsHighHalf(unit) && Char('\\') && Char('u') && Unit(&low) && IsLowHalf(low);
}

bool JsonCursor::String(bool* escaped) {
  if (escaped != nullptr) *escaped = false;
  if (!Char('"')) return false;
  while (at_ < end_) {
    const char c = *at_++;
    if (c == '"') return true;
    if (static_cast<uint8_t>(c) < 0x20) return false;
    if (c != '\\') continue;
    if (escaped != nullptr) *escaped = true;
    if (!Escape()) return false;
  }
  return false;
}

bool JsonCursor::Container(char close, int levels) {
  ++at_;
  if (levels == 0) return false;
  if (Take(close)) return true;
  do {
    if (close == '}') {
      Space();
      if (!String() || !Take(':')) return false;
    }
    if (!Value(levels - 1)) return false;
  } while (Take(','));
  return Char(close);
}

bool JsonCursor::Scalar() {
  switch (next()) {
    case '"': return String();
    case 't': return Word("true");
    case 'f': return Word("false");
    case 'n': return Word("null");
    default: return Number();
  }
}

bool JsonCursor::Value(int levels) {
  Space();
  if (next() == '{') return Container('}', levels);
  if (next() == '[') return Container(']', levels);
  return Scalar();
}

void AppendJsonText(std::string_view inside, std::string* out) {
  constexpr std::string_view kLetters = "bfnrt", kMeant = "\b\f\n\r\t";
  for (size_t at = 0; at < inside.size(); ++at) {
    if (inside[at] != '\\') {
      out->push_back(inside[at]);
      continue;
    }
    const char c = inside[++at];
    if (c == 'u') {
      at += AppendUnicodeEscape(inside.substr(at + 1), out);
    } else {
      const size_t letter = kLetters.find(c);
      out->push_back(letter == std::string_view::npos ? c : kMeant[letter]);
    }
  }
}

}  // namespace rivulet
