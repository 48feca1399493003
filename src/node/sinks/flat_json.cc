#include "node/sinks/flat_json.h"

#include <algorithm>
#include <cstring>

namespace rivulet {

namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Four hex digits at the start of `text`, or -1.
int32_t HexUnit(std::string_view text) {
  if (text.size() < 4) return -1;
  int32_t unit = 0;
  for (int k = 0; k < 4; ++k) {
    const int digit = HexDigit(text[static_cast<size_t>(k)]);
    if (digit < 0) return -1;
    unit = unit << 4 | digit;
  }
  return unit;
}

void AppendUtf8(std::string* out, uint32_t c) {
  const auto put = [out](uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | c >> 6);
    put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3f));
    put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

// `text` starts after "\u"; appends the character and returns how many bytes of `text` it took.
size_t AppendUnicodeEscape(std::string_view text, std::string* out) {
  constexpr uint32_t kReplacement = 0xfffd;
  const int32_t unit = HexUnit(text);
  if (unit < 0) return 0;
  if (unit < 0xd800 || unit > 0xdfff) {
    AppendUtf8(out, static_cast<uint32_t>(unit));
    return 4;
  }
  if (unit < 0xdc00 && text.substr(4, 2) == "\\u") {
    const int32_t low = HexUnit(text.substr(6));
    if (low >= 0xdc00 && low <= 0xdfff) {
      AppendUtf8(out, static_cast<uint32_t>(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)));
      return 10;
    }
  }
  AppendUtf8(out, kReplacement);
  return 4;
}

char SimpleEscape(char c) {
  switch (c) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case 'b': return '\b';
    case 'f': return '\f';
    default: return c;  // quote, backslash, slash
  }
}

// Levels in a list: lists of objects, such as top_k gives, and one to spare.
constexpr int kListDepth = 2;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

bool JsonText::Equals(std::string_view text) const {
  if (!escaped) return raw == text;
  std::string resolved;
  AppendTo(&resolved);
  return resolved == text;
}

void JsonText::AppendTo(std::string* out) const {
  if (!escaped) {
    out->append(raw);
    return;
  }
  for (size_t k = 0; k < raw.size(); ++k) {
    if (raw[k] != '\\' || k + 1 == raw.size()) {
      out->push_back(raw[k]);
      continue;
    }
    ++k;
    if (raw[k] == 'u') {
      k += AppendUnicodeEscape(raw.substr(k + 1), out);
    } else {
      out->push_back(SimpleEscape(raw[k]));
    }
  }
}

FlatJsonReader::FlatJsonReader(std::string_view json)
    : p_(json.data()), end_(json.data() + json.size()) {
  if (!Take('{')) Fail();
}

void FlatJsonReader::SkipSpace() {
  while (p_ != end_ && (*p_ == ' ' || *p_ == '\t' || *p_ == '\n' || *p_ == '\r')) ++p_;
}

bool FlatJsonReader::Take(char c) {
  SkipSpace();
  if (p_ == end_ || *p_ != c) return false;
  ++p_;
  return true;
}

bool FlatJsonReader::ReadText(JsonText* text) {
  if (!Take('"')) return false;
  const char* start = p_;
  text->escaped = false;
  while (p_ != end_ && *p_ != '"') {
    if (static_cast<unsigned char>(*p_) < 0x20) return false;
    if (*p_++ != '\\') continue;
    text->escaped = true;
    if (p_ == end_) return false;
    const char kind = *p_++;
    if (kind == 'u') {
      if (HexUnit({p_, static_cast<size_t>(end_ - p_)}) < 0) return false;
      p_ += 4;
    } else if (kind == '\0' || std::strchr("\"\\/bfnrt", kind) == nullptr) {
      return false;
    }
  }
  if (p_ == end_) return false;
  text->raw = {start, static_cast<size_t>(p_ - start)};
  ++p_;
  return true;
}

bool FlatJsonReader::ReadNumber(FlatMember* member) {
  const char* start = p_;
  const auto digits = [this] {
    const char* from = p_;
    while (p_ != end_ && IsDigit(*p_)) ++p_;
    return p_ != from;
  };
  member->kind = FlatMember::Kind::kInteger;
  if (*p_ == '-') ++p_;
  const bool zero = p_ != end_ && *p_ == '0';
  const char* whole = p_;
  if (!digits() || (zero && p_ - whole > 1)) return false;
  if (p_ != end_ && *p_ == '.') {
    member->kind = FlatMember::Kind::kFraction;
    ++p_;
    if (!digits()) return false;
  }
  if (p_ != end_ && (*p_ == 'e' || *p_ == 'E')) {
    member->kind = FlatMember::Kind::kFraction;
    ++p_;
    if (p_ != end_ && (*p_ == '+' || *p_ == '-')) ++p_;
    if (!digits()) return false;
  }
  member->text = {{start, static_cast<size_t>(p_ - start)}, false};
  return true;
}

bool FlatJsonReader::ReadValue(FlatMember* member) {
  SkipSpace();
  if (p_ == end_) return false;
  if (*p_ == '"') {
    member->kind = FlatMember::Kind::kString;
    return ReadText(&member->text);
  }
  if (*p_ == '-' || IsDigit(*p_)) return ReadNumber(member);
  if (*p_ == '[') {
    const char* start = p_;
    if (!ReadList(kListDepth)) return false;
    member->kind = FlatMember::Kind::kList;
    member->text = {{start, static_cast<size_t>(p_ - start)}, false};
    return true;
  }
  const std::string_view rest(p_, static_cast<size_t>(end_ - p_));
  for (const std::string_view word : {"null", "true", "false"}) {
    if (!rest.starts_with(word)) continue;
    member->kind = word == "null" ? FlatMember::Kind::kNull : FlatMember::Kind::kBool;
    member->text = {rest.substr(0, word.size()), false};
    p_ += word.size();
    return true;
  }
  return false;
}

bool FlatJsonReader::ReadElement(int depth) {
  SkipSpace();
  FlatMember ignored;
  if (p_ == end_ || (*p_ != '[' && *p_ != '{')) return ReadValue(&ignored);
  return depth > 0 && ReadList(depth - 1);
}

bool FlatJsonReader::ReadList(int depth) {
  const bool object = *p_++ == '{';
  const char close = object ? '}' : ']';
  if (Take(close)) return true;
  do {
    JsonText name;
    if (object && (!ReadText(&name) || !Take(':'))) return false;
    if (!ReadElement(depth)) return false;
  } while (Take(','));
  return Take(close);
}

bool FlatJsonReader::End() {
  SkipSpace();
  if (p_ != end_) return Fail();
  state_ = State::kEnd;
  return false;
}

bool FlatJsonReader::Next(FlatMember* member) {
  if (state_ == State::kEnd || state_ == State::kBad) return false;
  if (Take('}')) return End();
  if (state_ == State::kMore && !Take(',')) return Fail();
  if (!ReadText(&member->name) || !Take(':') || !ReadValue(member)) return Fail();
  state_ = State::kMore;
  return true;
}

bool FindMember(std::string_view json, std::string_view name, FlatMember* member) {
  FlatJsonReader reader(json);
  while (reader.Next(member)) {
    if (member->name.Equals(name)) return true;
  }
  return false;
}

}  // namespace rivulet
