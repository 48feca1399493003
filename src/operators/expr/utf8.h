// Just enough UTF-8 to count and cut text at code points. Bytes that are not valid UTF-8 are never
// refused: each stray byte counts as a character of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rivulet::expr {

// Bytes of the character at `at` (at least 1, never past the end).
inline size_t CharacterSize(std::string_view text, size_t at) {
  const auto lead = static_cast<uint8_t>(text[at]);
  size_t want = 1;
  if (lead >= 0xc2 && lead <= 0xdf) want = 2;
  if (lead >= 0xe0 && lead <= 0xef) want = 3;
  if (lead >= 0xf0 && lead <= 0xf4) want = 4;
  if (at + want > text.size()) return 1;
  for (size_t i = 1; i < want; ++i) {
    if ((static_cast<uint8_t>(text[at + i]) & 0xc0) != 0x80) return 1;
  }
  return want;
}

inline int64_t CountCharacters(std::string_view text) {
  int64_t count = 0;
  for (size_t at = 0; at < text.size(); at += CharacterSize(text, at)) ++count;
  return count;
}

// Where the character number `index` (from 0) begins; the end of the text when there are fewer.
inline size_t OffsetOfCharacter(std::string_view text, int64_t index) {
  size_t at = 0;
  for (; index > 0 && at < text.size(); --index) at += CharacterSize(text, at);
  return at;
}

}  // namespace rivulet::expr
