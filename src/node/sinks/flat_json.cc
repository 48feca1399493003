#include "node/sinks/flat_json.h"

namespace rivulet {

namespace {

// Levels of a list: lists of objects, such as top_k gives, and one to spare.
constexpr int kListLevels = 3;

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
  AppendJsonText(raw, out);
}

FlatJsonReader::FlatJsonReader(std::string_view json) : cursor_(json, JsonCursor::Halves::kTaken) {
  if (!cursor_.Take('{')) Fail();
}

bool FlatJsonReader::ReadText(JsonText* text) {
  cursor_.Space();
  const char* const quote = cursor_.at();
  if (!cursor_.String(&text->escaped)) return false;
  text->raw = cursor_.Since(quote + 1);
  text->raw.remove_suffix(1);
  return true;
}

bool FlatJsonReader::ReadValue(FlatMember* member) {
  cursor_.Space();
  const char* const begin = cursor_.at();
  bool whole = false, good = false;
  switch (cursor_.next()) {
    case '"': member->kind = FlatMember::Kind::kString; return ReadText(&member->text);
    case '{': return false;
    case '[':
      member->kind = FlatMember::Kind::kList;
      good = cursor_.Value(kListLevels);
      break;
    case 'n':
      member->kind = FlatMember::Kind::kNull;
      good = cursor_.Scalar();
      break;
    case 't':
    case 'f':
      member->kind = FlatMember::Kind::kBool;
      good = cursor_.Scalar();
      break;
    default:
      good = cursor_.Number(&whole);
      member->kind = whole ? FlatMember::Kind::kInteger : FlatMember::Kind::kFraction;
  }
  member->text = {cursor_.Since(begin), false};
  return good;
}

bool FlatJsonReader::End() {
  cursor_.Space();
  if (!cursor_.done()) return Fail();
  state_ = State::kEnd;
  return false;
}

bool FlatJsonReader::Next(FlatMember* member) {
  if (state_ == State::kEnd || state_ == State::kBad) return false;
  if (cursor_.Take('}')) return End();
  if (state_ == State::kMore && !cursor_.Take(',')) return Fail();
  if (!ReadText(&member->name) || !cursor_.Take(':') || !ReadValue(member)) return Fail();
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
