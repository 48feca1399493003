#include "operators/expr/lexer.h"

#include <charconv>
#include <cstdio>

#include "base/decimal.h"
#include "base/units.h"

namespace rivulet::expr {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsNameStart(char c) { return IsLetter(c) || c == '_'; }
bool IsNamePart(char c) { return IsNameStart(c) || IsDigit(c) || c == '.'; }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

struct Keyword {
  std::string_view word;
  TokenKind kind;
};
constexpr Keyword kKeywords[] = {
    {"and", TokenKind::kAnd},   {"as", TokenKind::kAs},     {"between", TokenKind::kBetween},
    {"case", TokenKind::kCase}, {"cast", TokenKind::kCast}, {"div", TokenKind::kDiv},
    {"else", TokenKind::kElse}, {"end", TokenKind::kEnd_},  {"false", TokenKind::kFalse},
    {"in", TokenKind::kIn},     {"is", TokenKind::kIs},     {"like", TokenKind::kLike},
    {"not", TokenKind::kNot},   {"null", TokenKind::kNull}, {"or", TokenKind::kOr},
    {"then", TokenKind::kThen}, {"true", TokenKind::kTrue}, {"when", TokenKind::kWhen},
    {"where", TokenKind::kWhere},
};

// Longest first where one is the beginning of another.
struct SymbolSpelling {
  std::string_view spelling;
  TokenKind kind;
};
constexpr SymbolSpelling kSymbols[] = {
    {"||", TokenKind::kConcat},   {"==", TokenKind::kEqual},     {"!=", TokenKind::kNotEqual},
    {"<>", TokenKind::kNotEqual}, {"<=", TokenKind::kLessEqual}, {">=", TokenKind::kGreaterEqual},
    {"<", TokenKind::kLess},      {">", TokenKind::kGreater},    {"=", TokenKind::kEqual},
    {"(", TokenKind::kOpen},      {")", TokenKind::kClose},      {",", TokenKind::kComma},
    {"+", TokenKind::kPlus},      {"-", TokenKind::kMinus},      {"*", TokenKind::kStar},
    {"/", TokenKind::kSlash},     {"%", TokenKind::kPercent},    {"^", TokenKind::kCaret},
};

const Keyword* FindKeyword(std::string_view word) {
  if (word.size() > 8) return nullptr;
  const std::string lower = AsciiLower(word);
  for (const Keyword& k : kKeywords) {
    if (k.word == lower) return &k;
  }
  return nullptr;
}

std::string Visible(char c) {
  if (c > ' ' && c < 0x7f) return std::string("'") + c + "'";
  char buffer[16];
  std::snprintf(buffer, sizeof(buffer), "byte 0x%02x", static_cast<unsigned char>(c));
  return buffer;
}

bool IsWellFormedWord(std::string_view word) {
  return word.back() != '.' && word.find("..") == std::string_view::npos;
}

}  // namespace

std::string AsciiLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

bool IsKeyword(std::string_view word) { return FindKeyword(word) != nullptr; }

bool IsPlainName(std::string_view name) {
  if (name.empty() || !IsNameStart(name[0]) || !IsWellFormedWord(name)) return false;
  for (char c : name) {
    if (!IsNamePart(c)) return false;
  }
  return !IsKeyword(name);
}

Token Lexer::Next() {
  while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  const size_t start = at_;
  if (start == text_.size()) {
    Token end;
    end.offset = start;
    return end;
  }
  const char c = text_[start];
  Token token;
  if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) {
    token = Number(start);
  } else if (c == '\'' || c == '"' || c == '`') {
    token = Quoted(start, c);
  } else if (IsNameStart(c)) {
    token = Word(start);
  } else {
    token = Symbol(start);
  }
  token.offset = token.kind == TokenKind::kError ? token.offset : start;
  token.source = text_.substr(start, at_ - start);
  return token;
}

Token Lexer::Fail(size_t offset, std::string message) {
  *diagnostic_ = {ErrorCode::kExpressionSyntax, offset, std::move(message)};
  Token token;
  token.kind = TokenKind::kError;
  token.offset = offset;
  at_ = text_.size();
  return token;
}

Token Lexer::Number(size_t start) {
  bool integral = true;
  while (IsDigit(Peek())) ++at_;
  if (Peek() == '.' && IsDigit(Peek(1))) {
    integral = false;
    ++at_;
    while (IsDigit(Peek())) ++at_;
  }
  const bool exponent_sign = Peek(1) == '+' || Peek(1) == '-';
  if ((Peek() == 'e' || Peek() == 'E') && IsDigit(Peek(exponent_sign ? 2 : 1))) {
    integral = false;
    at_ += exponent_sign ? 2 : 1;
    while (IsDigit(Peek())) ++at_;
  }
  if (IsNamePart(Peek())) return DurationLiteral(start);
  const char* first = text_.data() + start;
  const char* last = text_.data() + at_;
  Token token;
  token.kind = TokenKind::kInt;
  if (integral && std::from_chars(first, last, token.integer).ec == std::errc()) return token;
  token.kind = TokenKind::kFloat;
  if (ReadDecimal({first, last}, &token.number) != Decimal::kRead) {
    return Fail(start, "number '" + std::string(first, last) +
                           "' is out of range: a float reaches to 1.8e308");
  }
  return token;
}

Token Lexer::DurationLiteral(size_t start) {
  while (IsNamePart(Peek())) ++at_;
  const std::string_view word = text_.substr(start, at_ - start);
  const Result<Duration> duration = ParseDuration(word);
  if (!duration.ok() || duration->us % 1000 != 0) {
    return Fail(start, "'" + std::string(word) +
                           "' is neither a number nor a duration in whole milliseconds such as "
                           "250ms, 5s, 1m, 2h or 1d");
  }
  Token token;
  token.kind = TokenKind::kInt;
  token.integer = duration->us / 1000;
  return token;
}

Token Lexer::Quoted(size_t start, char quote) {
  Token token;
  token.kind = quote == '`' ? TokenKind::kQuotedName : TokenKind::kString;
  for (++at_; at_ < text_.size(); ++at_) {
    if (text_[at_] != quote) {
      token.text.push_back(text_[at_]);
    } else if (Peek(1) == quote) {
      token.text.push_back(quote);
      ++at_;
    } else {
      ++at_;
      if (quote == '`' && token.text.empty()) return Fail(start, "a field name cannot be empty");
      return token;
    }
  }
  return Fail(start, std::string(quote == '`' ? "name" : "text") + " opened with " + quote +
                         " is not closed; a " + quote + " inside is written twice");
}

Token Lexer::Word(size_t start) {
  while (IsNamePart(Peek())) ++at_;
  const std::string_view word = text_.substr(start, at_ - start);
  if (!IsWellFormedWord(word)) {
    return Fail(start, "'" + std::string(word) +
                           "' is not a name: each '.' must be followed by a letter or digit");
  }
  Token token;
  const Keyword* keyword = FindKeyword(word);
  token.kind = keyword != nullptr ? keyword->kind : TokenKind::kName;
  token.text = word;
  return token;
}

Token Lexer::Symbol(size_t start) {
  for (const SymbolSpelling& s : kSymbols) {
    if (text_.substr(start, s.spelling.size()) == s.spelling) {
      at_ += s.spelling.size();
      Token token;
      token.kind = s.kind;
      return token;
    }
  }
  const char c = text_[start];
  std::string hint;
  if (c == '&') hint = "; write 'and'";
  if (c == '|') hint = "; write 'or', or '||' to join text";
  if (c == '!') hint = "; write 'not'";
  if (static_cast<unsigned char>(c) >= 0x80) hint = "; names with other letters need back quotes";
  return Fail(start, "unexpected " + Visible(c) + hint);
}

}  // namespace rivulet::expr
