// JsonCursor: JSON (RFC 8259) token by token, in place, without building a document or allocating.
//
// For texts of any kind and end: nothing beyond the text is read. Payloads are read by the decoders, whose
// vector code wants padding behind them (operators/decode/). UTF-8 is not looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rivulet {

inline bool IsJsonSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Each step but Space is false when the text has something else there; the cursor has then moved to an
// unspecified place, except behind Take, which stays.
class JsonCursor {
 public:
  // Whether a string may have half of a surrogate pair, which is no character, as an escape.
  enum class Halves : uint8_t { kRefused, kTaken };
  explicit JsonCursor(std::string_view text, Halves halves = Halves::kRefused)
      : at_(text.data()), end_(at_ + text.size()), halves_(halves) {}

  const char* at() const { return at_; }
  bool done() const { return at_ == end_; }
  // The byte it stands at; 0 at the end.
  char next() const { return at_ < end_ ? *at_ : '\0'; }
  // From `begin`, a place before, up to here.
  std::string_view Since(const char* begin) const { return {begin, static_cast<size_t>(at_ - begin)}; }

  void Space() {
    while (at_ < end_ && IsJsonSpace(*at_)) ++at_;
  }
  bool Char(char c) {
    if (next() != c) return false;
    ++at_;
    return true;
  }
  // White space, then `c`.
  bool Take(char c) {
    Space();
    return Char(c);
  }
  // With its quotes. `*escaped`, when not null, says whether there are backslashes in it.
  bool String(bool* escaped = nullptr);
  // `*whole`, when not null, says whether it has neither fraction nor exponent.
  bool Number(bool* whole = nullptr);
  // True, false or null, a number, a string.
  bool Scalar();
  // Any value, and white space in front of it; objects and arrays at most `levels` deep.
  bool Value(int levels);

 private:
  bool Word(std::string_view word);
  bool Digits();
  bool Unit(uint32_t* unit);
  bool Escape();
  bool Container(char close, int levels);

  const char* at_;
  const char* end_;
  Halves halves_;
};

// Appends what stands between the quotes of a well-formed string, without its escapes. Half of a surrogate
// pair becomes U+FFFD.
void AppendJsonText(std::string_view inside, std::string* out);

}  // namespace rivulet
