// Fields such as `temp-C` whose back quotes were forgotten: the expression is then a difference, mostly of
// two fields that nothing has.
#include <algorithm>

#include "node/plan/planner.h"
#include "operators/expr/lexer.h"

namespace rivulet {
namespace {

std::string Hint(const std::string& name) {
  return "a field of the name '" + name + "' is written `" + name + "`, in back quotes";
}

}  // namespace

// Names with nothing but a minus sign between them: who means a difference leaves blanks.
std::vector<Planner::Hyphenated> Planner::FindHyphenated(const std::string& text) const {
  using expr::TokenKind;
  std::vector<Hyphenated> found;
  expr::Diagnostic ignored;
  expr::Lexer lexer(text, &ignored);
  Hyphenated current{0, "", true};
  size_t parts = 0;
  bool minus = false;  // the last token is a minus sign right behind a name
  const auto finish = [&] {
    if (parts > 1) {
      if (minus) current.name.pop_back();
      found.push_back(current);
    }
    parts = 0;
    minus = false;
  };
  for (expr::Token token = lexer.Next(); token.kind != TokenKind::kEnd && token.kind != TokenKind::kError;
       token = lexer.Next()) {
    const bool adjacent = parts > 0 && token.offset == current.offset + current.name.size();
    const bool name = token.kind == TokenKind::kName;
    if (adjacent && token.kind == TokenKind::kMinus && !minus) {
      current.name += '-';
      minus = true;
      continue;
    }
    if (!name || !adjacent || !minus) {
      finish();
      if (!name) continue;
      current = {token.offset, "", true};
    }
    current.name += token.text;
    current.known = current.known && scope_.Find(token.text) != nullptr;
    minus = false;
    ++parts;
  }
  finish();
  return found;
}

void Planner::NoteHyphenated(const MarkedText& text, const std::vector<Hyphenated>& names) {
  for (const Hyphenated& name : names) {
    if (name.known) continue;
    plan_->warnings.push_back(LocateDiagnostic(
        spec_.file, text,
        {ErrorCode::kUnknownName, name.offset,
         "'" + name.name + "' is a difference of fields that nothing else here names; " + Hint(name.name) +
             ". If a difference is meant, write blanks around the minus sign"}));
  }
}

void Planner::HintAtBackQuotes(const std::vector<Hyphenated>& names, expr::Diagnostic* diagnostic) {
  if (diagnostic->code != ErrorCode::kUnknownName) return;
  for (const Hyphenated& name : names) {
    if (diagnostic->offset < name.offset || diagnostic->offset > name.offset + name.name.size()) continue;
    diagnostic->message += "; " + Hint(name.name);
  }
}

}  // namespace rivulet
