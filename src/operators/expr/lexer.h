// Lexer: expression text to tokens, one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "operators/expr/program.h"

namespace rivulet::expr {

// Longer texts are refused before anything is allocated for them.
inline constexpr size_t kMaxTextBytes = 64 * 1024;

enum class TokenKind : uint8_t {
  kEnd, kError,
  kInt, kFloat, kString, kName, kQuotedName,
  // symbols
  kOpen, kClose, kComma, kPlus, kMinus, kStar, kSlash, kPercent, kCaret, kConcat,
  kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual,
  // keywords, case-insensitive
  kAnd, kOr, kNot, kIn, kBetween, kLike, kIs, kNull, kTrue, kFalse, kDiv,
  kCase, kWhen, kThen, kElse, kEnd_, kCast, kAs, kWhere,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  size_t offset = 0;
  std::string_view source;  // as written; a view into the expression text
  std::string text;         // kString, kQuotedName: without quotes; kName: as written
  int64_t integer = 0;      // kInt
  double number = 0;        // kFloat
};

class Lexer {
 public:
  // `text` and `diagnostic` must outlive the lexer.
  Lexer(std::string_view text, Diagnostic* diagnostic) : text_(text), diagnostic_(diagnostic) {}

  // The next token. kError once something cannot be read; `*diagnostic` then says what. kEnd stays
  // kEnd. An integer literal beyond int64 becomes a float, except that the parser may look at
  // `source` for the one value that only a minus sign makes an int64.
  Token Next();

 private:
  Token Fail(size_t offset, std::string message);
  Token Number(size_t start);
  Token DurationLiteral(size_t start);
  Token Quoted(size_t start, char quote);
  Token Word(size_t start);
  Token Symbol(size_t start);
  char Peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  std::string_view text_;
  Diagnostic* diagnostic_;
  size_t at_ = 0;
};

// True for a word that cannot be a field name without back quotes; any case.
bool IsKeyword(std::string_view word);

std::string AsciiLower(std::string_view text);

}  // namespace rivulet::expr
