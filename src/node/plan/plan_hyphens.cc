// Fields such as `temp-C` whose back quotes were forgotten: see node/plan/unquoted_name.h.
#include <algorithm>
#include <utility>

#include "node/plan/planner.h"
#include "operators/expr/lexer.h"

namespace rivulet {
namespace {

std::string Hint(const std::string& name) {
  return "a field of the name '" + name + "' is written `" + name + "`, in back quotes";
}

bool IsDigits(std::string_view text) { return text.find_first_not_of("0123456789") == text.npos; }

std::string Join(const std::vector<std::string>& parts, const char* between) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : between) + part;
  return text;
}

// The line that the byte at `offset` is in, without the blanks around it.
std::string LineAt(const std::string& text, size_t offset) {
  const size_t before = text.rfind('\n', offset);
  const size_t begin = text.find_first_not_of(" \t", before == std::string::npos ? 0 : before + 1);
  const size_t end = std::min(text.find('\n', offset), text.size());
  return text.substr(begin, text.find_last_not_of(" \t\r", end - 1) + 1 - begin);
}

}  // namespace

ConfigError UnquotedName::Found(const std::string& pipeline, uint64_t records) const {
  ConfigError found = place;
  const std::string who = records == 1 ? "a record has" : std::to_string(records) + " records have";
  found.message = "pipeline '" + pipeline + "': " + who + " the field '" + name + "', which '" + expression +
                  "' does not read: without back quotes " + written + " means " + difference + ". Write `" +
                  written + "`, or, if the difference is meant, put blanks around the minus sign";
  return found;
}

// Names, and numbers behind the first one, with nothing but a minus sign between them: who means a difference
// leaves blanks, unless it is by a number or by a field of a pattern's element. What an opening bracket
// follows is a call.
std::vector<Planner::Hyphenated> Planner::FindHyphenated(const std::string& text,
                                                         const expr::Scope* also) const {
  using expr::TokenKind;
  std::vector<Hyphenated> found;
  const auto add = [&](Hyphenated name, bool likely) {
    const auto of_element = [this](const std::string& part) { return OfRecords(part) != part; };
    if (std::any_of(name.parts.begin() + 1, name.parts.end(), of_element)) return;
    name.likely = likely;
    name.name = Join(name.parts, "-");
    for (const std::string& part : name.parts) {
      if (IsDigits(part) || IsField(part, likely)) continue;
      if (also == nullptr || also->Find(part) == nullptr) name.unknown.push_back(part);
    }
    found.push_back(std::move(name));
  };
  expr::Diagnostic ignored;
  expr::Lexer lexer(text, &ignored);
  Hyphenated current;
  size_t end = 0;      // of the last token
  bool minus = false;  // it is a minus sign right behind a part
  const auto finish = [&] {
    minus = false;
    Hyphenated name = std::exchange(current, {});
    if (name.parts.size() > 1 && IsDigits(name.parts.back())) add(name, false);
    while (!name.parts.empty() && IsDigits(name.parts.back())) name.parts.pop_back();
    if (name.parts.size() > 1) add(std::move(name), true);
  };
  for (expr::Token token = lexer.Next(); token.kind != TokenKind::kEnd && token.kind != TokenKind::kError;
       token = lexer.Next()) {
    const bool adjacent = !current.parts.empty() && token.offset == end;
    end = token.offset + token.source.size();
    if (adjacent && token.kind == TokenKind::kMinus && !minus) {
      minus = true;
      continue;
    }
    const bool name = token.kind == TokenKind::kName;
    const bool number = token.kind == TokenKind::kInt && IsDigits(token.source);  // no duration
    const bool further = adjacent && minus && (name || number);
    if (!further) {
      if (token.kind == TokenKind::kOpen && !minus && !current.parts.empty()) current.parts.pop_back();
      finish();
      if (!name) continue;
      current.offset = token.offset;
    }
    current.parts.emplace_back(token.source);
    minus = false;
  }
  finish();
  return found;
}

std::string Planner::OfRecords(const std::string& name) const {
  const size_t dot = name.find('.');
  return dot != std::string::npos && IsElement(name.substr(0, dot)) ? name.substr(dot + 1) : name;
}

bool Planner::IsField(const std::string& name, bool likely) const {
  const expr::Field* field = scope_.Find(name);
  if (field == nullptr) field = scope_.Find(OfRecords(name));
  if (field == nullptr) return false;
  const auto doubt = doubtful_.find(field->column);
  return doubt == doubtful_.end() || (likely && !doubt->second);
}

void Planner::NoteHyphenated(const MarkedText& text, const std::vector<Hyphenated>& names) {
  for (const Hyphenated& name : names) {
    if (name.unknown.empty()) continue;
    LookOutFor(text, name);
    if (!name.likely) continue;
    plan_->warnings.push_back(LocateDiagnostic(
        spec_.file, text,
        {ErrorCode::kUnknownName, name.offset,
         "'" + name.name + "' is a difference of fields that nothing else here names; " + Hint(name.name) +
             ". If a difference is meant, write blanks around the minus sign"}));
  }
}

void Planner::LookOutFor(const MarkedText& text, const Hyphenated& name) {
  UnquotedName unquoted;
  unquoted.name = OfRecords(name.name);
  unquoted.source = own_source_;
  for (const std::string& part : name.unknown) {
    const expr::Field* field = scope_.Find(OfRecords(part));
    if (field == nullptr) continue;
    doubtful_.emplace(field->column, name.likely);
    unquoted.parts.push_back(field->column);
  }
  const auto& known = plan_->unquoted;
  const bool again = std::any_of(known.begin(), known.end(), [&unquoted](const UnquotedName& k) {
    return k.name == unquoted.name && k.source == unquoted.source;
  });
  if (again) return;
  unquoted.written = name.name;
  unquoted.difference = Join(name.parts, " - ");
  unquoted.expression = LineAt(text.text, name.offset);
  unquoted.place = LocateDiagnostic(spec_.file, text, {ErrorCode::kUnknownName, name.offset, ""});
  plan_->unquoted.push_back(std::move(unquoted));
}

void Planner::FinishUnquoted() {
  std::erase_if(plan_->unquoted, [this](UnquotedName& name) { return !FinishUnquoted(&name); });
}

// Reads the field's presence in each source where it is not read anyway. False when no record can have it.
bool Planner::FinishUnquoted(UnquotedName* name) {
  SourcePlan& first = plan_->source;
  const auto read = std::find_if(read_fields_.begin(), read_fields_.end(),
                                 [name](const CommonField& f) { return f.name == name->name; });
  std::optional<uint32_t> column;
  if (read != read_fields_.end()) column = read->column;
  for (size_t i = 0; i < first.sources() && !column; ++i) {
    if (const DecodedField* field = FindPayload(first.at(i), name->name)) column = field->column;
  }
  bool possible = column.has_value();
  for (size_t i = 0; i < first.sources(); ++i) {
    SourcePlan& source = first.at(i);
    const bool asked = !name->source || *name->source == i;
    if (!asked || !IsOpenSource(spec_of(i), options_)) continue;
    possible = true;
    // What several read every open one has: see FinishSources.
    if (read != read_fields_.end() || FindPayload(source, name->name) != nullptr) continue;
    if (!column) column = first.columns++;
    source.payload_fields.push_back({name->name, kAnyType, false, *column});
    source.payload_fields.back().presence = true;
  }
  name->column = column.value_or(0);
  return possible;
}

void Planner::HintAtBackQuotes(const std::vector<Hyphenated>& names, expr::Diagnostic* diagnostic) const {
  if (diagnostic->code != ErrorCode::kUnknownName) return;
  for (const Hyphenated& name : names) {
    if (diagnostic->offset < name.offset || diagnostic->offset > name.offset + name.name.size()) continue;
    if (!name.likely && scope_.Find(name.name) == nullptr) continue;
    diagnostic->message += "; " + Hint(name.name);
  }
}

}  // namespace rivulet
