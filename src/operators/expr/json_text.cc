#include "operators/expr/json_text.h"

#include <charconv>

#include "base/decimal.h"

namespace rivulet::expr {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Moves over tokens and values at the front of a text; every step false when it is malformed.
class Walker {
 public:
  explicit Walker(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  const char* at() const { return at_; }
  bool done() const { return at_ == end_; }
  char next() const { return at_ < end_ ? *at_ : '\0'; }
  void Space() {
    while (at_ < end_ && IsSpace(*at_)) ++at_;
  }
  bool Char(char c) {
    if (next() != c) return false;
    ++at_;
    return true;
  }
  bool Value(int depth);
  bool String();

 private:
  bool Word(std::string_view word) {
    if (static_cast<size_t>(end_ - at_) < word.size()) return false;
    if (std::string_view(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  bool Digits() {
    const char* const first = at_;
    while (at_ < end_ && IsDigit(*at_)) ++at_;
    return at_ > first;
  }
  bool Number() {
    Char('-');
    if (!Char('0') && !Digits()) return false;
    if (Char('.') && !Digits()) return false;
    if (next() != 'e' && next() != 'E') return true;
    ++at_;
    if (next() == '+' || next() == '-') ++at_;
    return Digits();
  }
  bool Unit(uint32_t* unit) {
    *unit = 0;
    for (int k = 0; k < 4; ++k) {
      const int digit = at_ < end_ ? HexDigit(*at_) : -1;
      if (digit < 0) return false;
      *unit = *unit << 4 | static_cast<uint32_t>(digit);
      ++at_;
    }
    return true;
  }
  bool Escape();
  bool Container(char close, int depth);

  const char* at_;
  const char* end_;
};

// Behind a backslash. Half of a surrogate pair is no character.
bool Walker::Escape() {
  const char c = next();
  if (c == '\0') return false;
  ++at_;
  if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
  uint32_t unit = 0, low = 0;
  if (!Unit(&unit)) return false;
  if (unit < 0xd800 || unit > 0xdfff) return true;
  return unit < 0xdc00 && Char('\\') && Char('u') && Unit(&low) && low >= 0xdc00 && low <= 0xdfff;
}

bool Walker::String() {
  if (!Char('"')) return false;
  while (at_ < end_) {
    const char c = *at_++;
    if (c == '"') return true;
    if (static_cast<uint8_t>(c) < 0x20 || (c == '\\' && !Escape())) return false;
  }
  return false;
}

bool Walker::Container(char close, int depth) {
  ++at_;
  Space();
  if (Char(close)) return true;
  while (depth < kMaxJsonNesting) {
    Space();
    if (close == '}') {
      if (!String()) return false;
      Space();
      if (!Char(':')) return false;
    }
    if (!Value(depth + 1)) return false;
    Space();
    if (Char(close)) return true;
    if (!Char(',')) return false;
  }
  return false;
}

bool Walker::Value(int depth) {
  Space();
  switch (next()) {
    case '{': return Container('}', depth);
    case '[': return Container(']', depth);
    case '"': return String();
    case 't': return Word("true");
    case 'f': return Word("false");
    case 'n': return Word("null");
    default: return Number();
  }
}

// Of a text that is one value.
std::string_view TrimJson(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

void AppendUtf8(uint32_t c, std::string* out) {
  const auto put = [&](uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0 | c >> 6);
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3f));
  } else {
    put(0xf0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3f));
    put(0x80 | (c >> 6 & 0x3f));
  }
  put(0x80 | (c & 0x3f));
}

uint32_t UnitAt(std::string_view text, size_t at) {
  uint32_t unit = 0;
  for (size_t k = 0; k < 4; ++k) {
    unit = unit << 4 | static_cast<uint32_t>(HexDigit(text[at + k]));
  }
  return unit;
}

// The text of a string token (with its quotes), into `scratch` when it has escapes.
std::string_view Unescape(std::string_view token, std::string* scratch) {
  const std::string_view inside = token.substr(1, token.size() - 2);
  if (inside.find('\\') == std::string_view::npos) return inside;
  constexpr std::string_view kLetters = "bfnrt", kMeant = "\b\f\n\r\t";
  scratch->clear();
  for (size_t at = 0; at < inside.size(); ++at) {
    if (inside[at] != '\\') {
      scratch->push_back(inside[at]);
      continue;
    }
    const char c = inside[++at];
    if (c == 'u') {
      uint32_t unit = UnitAt(inside, at + 1);
      at += 4;
      if (unit >= 0xd800 && unit <= 0xdbff) {
        unit = 0x10000 + ((unit - 0xd800) << 10) + (UnitAt(inside, at + 3) - 0xdc00);
        at += 6;
      }
      AppendUtf8(unit, scratch);
    } else {
      const size_t letter = kLetters.find(c);
      scratch->push_back(letter == std::string_view::npos ? c : kMeant[letter]);
    }
  }
  return *scratch;
}

std::optional<std::string_view> Member(std::string_view object, std::string_view key,
                                       std::string* scratch) {
  std::optional<std::string_view> found;
  for (JsonItems items(object); items.Next();) {
    if (Unescape(items.raw_key(), scratch) == key) found = items.value();
  }
  return found;
}

std::optional<std::string_view> Element(std::string_view array, int64_t index) {
  if (index < 0) {
    for (JsonItems items(array); items.Next();) ++index;
  }
  if (index < 0) return std::nullopt;
  for (JsonItems items(array); items.Next(); --index) {
    if (index == 0) return items.value();
  }
  return std::nullopt;
}

}  // namespace

bool IsJson(std::string_view text) {
  Walker walker(text);
  if (!walker.Value(0)) return false;
  walker.Space();
  return walker.done();
}

JsonKind KindOf(std::string_view value) {
  switch (value.front()) {
    case '{': return JsonKind::kObject;
    case '[': return JsonKind::kArray;
    case '"': return JsonKind::kString;
    case 't':
    case 'f': return JsonKind::kBool;
    case 'n': return JsonKind::kNull;
    default: return JsonKind::kNumber;
  }
}

std::optional<Value> JsonToValue(std::string_view value, std::string* scratch) {
  const char* const end = value.data() + value.size();
  switch (KindOf(value)) {
    case JsonKind::kNull: return Value::Null();
    case JsonKind::kBool: return Value::Bool(value.front() == 't');
    case JsonKind::kString: return Value::String(Unescape(value, scratch));
    case JsonKind::kObject:
    case JsonKind::kArray: return Value::String(value);
    case JsonKind::kNumber: break;
  }
  int64_t whole = 0;
  const auto read = std::from_chars(value.data(), end, whole);
  if (read.ec == std::errc() && read.ptr == end) return Value::Int(whole);
  double number = 0;
  if (ReadDecimal(value, &number) == Decimal::kRead) return Value::Float(number);
  return std::nullopt;
}

JsonItems::JsonItems(std::string_view container)
    : rest_(container.substr(1)), object_(container.front() == '{') {}

bool JsonItems::Next() {
  Walker walker(rest_);
  walker.Space();
  walker.Char(',');
  walker.Space();
  if (walker.next() == '}' || walker.next() == ']' || walker.done()) return false;
  if (object_) {
    const char* const key = walker.at();
    walker.String();
    key_ = {key, static_cast<size_t>(walker.at() - key)};
    walker.Space();
    walker.Char(':');
    walker.Space();
  }
  const char* const value = walker.at();
  walker.Value(0);
  value_ = {value, static_cast<size_t>(walker.at() - value)};
  rest_.remove_prefix(static_cast<size_t>(walker.at() - rest_.data()));
  return true;
}

std::optional<std::string_view> JsonPath::Find(std::string_view json, std::string* scratch) const {
  std::optional<std::string_view> value = TrimJson(json);
  for (const Step& step : steps_) {
    if (KindOf(*value) != (step.is_key ? JsonKind::kObject : JsonKind::kArray)) return std::nullopt;
    value = step.is_key ? Member(*value, step.key, scratch) : Element(*value, step.index);
    if (!value) return std::nullopt;
  }
  return value;
}

}  // namespace rivulet::expr
