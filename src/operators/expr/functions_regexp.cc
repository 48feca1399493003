// Functions on text by regular expressions (RE2's syntax).

#include <algorithm>

#include "operators/expr/convert.h"
#include "operators/expr/function_registry.h"
#include "operators/expr/regex.h"
#include "operators/expr/utf8.h"

namespace rivulet::expr {
namespace {

// One search takes time in proportion to the text; many in one text could take its square. So what
// looks for all matches is bounded in both.
constexpr size_t kMaxScannedText = kMaxTextResult;
constexpr int64_t kMaxMatches = 4096;

struct Pattern : Prepared {
  std::unique_ptr<const Regex> regex;
  size_t group = 0;  // regexp_extract
};

// A replacement, cut into literal text and references to groups.
struct Replacement final : Pattern {
  struct Piece {
    std::string text;
    size_t group = 0;
    bool is_group = false;
  };
  std::vector<Piece> pieces;
};

// Compiles argument 1; null when it is at fault or not known yet.
std::unique_ptr<const Regex> CompilePattern(Preparation* p) {
  if (!p->known(1)) return nullptr;
  std::string error;
  std::unique_ptr<const Regex> regex = Regex::Compile(p->argument(1).s, &error);
  if (regex == nullptr) {
    p->Fail(1, Quote(p->argument(1).s) + " is not a regular expression: " + error);
  }
  return regex;
}

std::unique_ptr<const Prepared> PreparePattern(Preparation* p) {
  auto pattern = std::make_unique<Pattern>();
  pattern->regex = CompilePattern(p);
  if (pattern->regex == nullptr || p->pending(2)) return nullptr;
  if (!p->known(2)) return pattern;
  const int64_t group = p->argument(2).i;
  const int64_t groups = pattern->regex->group_count();
  const int64_t most = std::min<int64_t>(groups, Regex::kMaxGroups - 1);
  if (group < 0 || group > most) {
    return p->Fail(2, "group " + std::to_string(group) + " asked for, the pattern has 0 to " +
                          std::to_string(most));
  }
  pattern->group = static_cast<size_t>(group);
  return pattern;
}

// \0 is the match, \1 to \9 are its groups, \\ is a backslash.
bool CutReplacement(std::string_view text, int groups, Replacement* out, std::string* error) {
  Replacement::Piece literal;
  const auto flush = [&] {
    if (!literal.text.empty()) out->pieces.push_back(std::move(literal));
    literal = {};
  };
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      literal.text.push_back(text[at]);
      continue;
    }
    const char next = ++at < text.size() ? text[at] : '\0';
    if (next == '\\') {
      literal.text.push_back('\\');
    } else if (next >= '0' && next <= '9') {
      flush();
      out->pieces.push_back({"", static_cast<size_t>(next - '0'), true});
      if (next - '0' <= groups) continue;
      *error = "'\\" + std::string(1, next) + "' in the replacement, the pattern has " +
               std::to_string(groups) + " groups";
      return false;
    } else {
      *error = "a backslash in the replacement must come before a digit or a backslash";
      return false;
    }
  }
  flush();
  return true;
}

std::unique_ptr<const Prepared> PrepareReplacement(Preparation* p) {
  auto replacement = std::make_unique<Replacement>();
  replacement->regex = CompilePattern(p);
  if (replacement->regex == nullptr || !p->known(2)) return nullptr;
  std::string error;
  if (CutReplacement(p->argument(2).s, replacement->regex->group_count(), replacement.get(),
                     &error)) {
    return replacement;
  }
  return p->Fail(2, std::move(error));
}

Value RegexpMatches(const Value* a, size_t, CallContext* c) {
  return Value::Bool(c->PreparedAs<Pattern>().regex->Find(a[0].s, 0, {}));
}

// Null without a match, and for a group that took no part in it.
Value RegexpExtract(const Value* a, size_t, CallContext* c) {
  const Pattern& pattern = c->PreparedAs<Pattern>();
  std::string_view groups[Regex::kMaxGroups];
  if (!pattern.regex->Find(a[0].s, 0, {groups, pattern.group + 1})) return Value::Null();
  const std::string_view found = groups[pattern.group];
  return found.data() == nullptr ? Value::Null() : Value::String(found);
}

// Calls visit(groups) for each match, from left to right, none overlapping; an empty one directly
// behind another is none. False when the row has failed.
template <typename F>
bool ForMatches(const Regex& regex, std::string_view text, size_t group_count, CallContext* c,
                F visit) {
  if (text.size() > kMaxScannedText) {
    c->Fail("the text has " + std::to_string(text.size()) + " bytes, at most " +
            std::to_string(kMaxScannedText) + " are searched for every match");
    return false;
  }
  if (text.data() == nullptr) text = "";
  std::string_view groups[Regex::kMaxGroups];
  size_t from = 0, last_end = std::string_view::npos;
  for (int64_t matches = 0; from <= text.size();) {
    if (!regex.Find(text, from, {groups, group_count})) break;
    const auto begin = static_cast<size_t>(groups[0].data() - text.data());
    const size_t end = begin + groups[0].size();
    if (begin == end && begin == last_end) {
      from = begin < text.size() ? begin + CharacterSize(text, begin) : begin + 1;
      continue;
    }
    if (++matches > kMaxMatches) {
      c->Fail("the text has more than " + std::to_string(kMaxMatches) + " matches");
      return false;
    }
    visit(groups, begin, end);
    last_end = end;
    from = end;
  }
  return true;
}

Value RegexpReplace(const Value* a, size_t, CallContext* c) {
  const Replacement& replacement = c->PreparedAs<Replacement>();
  const std::string_view text = a[0].s;
  c->text.clear();
  size_t copied = 0;
  const bool done = ForMatches(
      *replacement.regex, text, 10, c,
      [&](const std::string_view* groups, size_t begin, size_t end) {
        if (c->text.size() > kMaxTextResult) return;
        c->text.append(text.substr(copied, begin - copied));
        for (const Replacement::Piece& piece : replacement.pieces) {
          c->text.append(piece.is_group ? groups[piece.group] : std::string_view(piece.text));
        }
        copied = end;
      });
  if (!done) return Value::Null();
  c->text.append(text.substr(copied));
  return c->Text();
}

Value RegexpCount(const Value* a, size_t, CallContext* c) {
  int64_t count = 0;
  const auto visit = [&](const std::string_view*, size_t, size_t) { ++count; };
  if (!ForMatches(*c->PreparedAs<Pattern>().regex, a[0].s, 1, c, visit)) return Value::Null();
  return Value::Int(count);
}

constexpr TypeMask kText = kStringMask;

constexpr ResultRule kFixed = ResultRule::kFixed;
constexpr CallForm kScalar = CallForm::kScalar;
constexpr uint32_t kFrom = PreparedFrom({1, 2});

constexpr FunctionDef kTable[] = {
    {"regexp_matches", 2, 2, {kText, kText}, kBoolMask, RegexpMatches, kFixed, true, kScalar,
     nullptr, PreparePattern, kFrom},
    {"regexp_extract", 2, 3, {kText, kText, kIntMask}, kText, RegexpExtract, kFixed, true, kScalar,
     nullptr, PreparePattern, kFrom},
    {"regexp_replace", 3, 3, {kText, kText, kText}, kText, RegexpReplace, kFixed, true, kScalar,
     nullptr, PrepareReplacement, kFrom},
    {"regexp_count", 2, 2, {kText, kText}, kIntMask, RegexpCount, kFixed, true, kScalar, nullptr,
     PreparePattern, kFrom},
};

}  // namespace

std::span<const FunctionDef> RegexpFunctions() { return kTable; }

}  // namespace rivulet::expr
