#include "operators/expr/like.h"

#include "operators/expr/utf8.h"

namespace rivulet::expr {

// Greedy with one point to return to: when the rest does not fit, the last % takes one character
// more. Earlier % need never be reconsidered.
bool Like(std::string_view text, std::string_view pattern) {
  constexpr size_t kNone = static_cast<size_t>(-1);
  size_t t = 0, p = 0;
  size_t percent = kNone, percent_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      percent = ++p;
      percent_text = t;
      continue;
    }
    if (p < pattern.size() && pattern[p] == '_') {
      t += CharacterSize(text, t);
      ++p;
      continue;
    }
    const size_t literal = p + 1 < pattern.size() && pattern[p] == '\\' ? p + 1 : p;
    if (literal < pattern.size() && pattern[literal] == text[t]) {
      ++t;
      p = literal + 1;
      continue;
    }
    if (percent == kNone) return false;
    percent_text += CharacterSize(text, percent_text);
    t = percent_text;
    p = percent;
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  return p == pattern.size();
}

}  // namespace rivulet::expr
