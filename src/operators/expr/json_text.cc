#include "operators/expr/json_text.h"

#include <charconv>

#include "base/decimal.h"
#include "base/json_cursor.h"

namespace rivulet::expr {
namespace {

// Of a text that is one value.
std::string_view TrimJson(std::string_view text) {
  while (!text.empty() && IsJsonSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsJsonSpace(text.back())) text.remove_suffix(1);
  return text;
}

// The text of a string token (with its quotes), into `scratch` when it has escapes.
std::string_view Unescape(std::string_view token, std::string* scratch) {
  const std::string_view inside = token.substr(1, token.size() - 2);
  if (inside.find('\\') == std::string_view::npos) return inside;
  scratch->clear();
  AppendJsonText(inside, scratch);
  return *scratch;
}

std::optional<std::string_view> Member(std::string_view object, std::string_view key,
                                       std::string* scratch) {
  std::optional<std::string_view> found;
  for (JsonItems items(object); items.Next();) {
    if (Unescape(items.raw_key(), scratch) == key) found = items.value();
  }
  return found;
}

std::optional<std::string_view> Element(std::string_view array, int64_t index) {
  if (index < 0) {
    for (JsonItems items(array); items.Next();) ++index;
  }
  if (index < 0) return std::nullopt;
  for (JsonItems items(array); items.Next(); --index) {
    if (index == 0) return items.value();
  }
  return std::nullopt;
}

}  // namespace

bool IsJson(std::string_view text) {
  JsonCursor cursor(text);
  if (!cursor.Value(kMaxJsonNesting)) return false;
  cursor.Space();
  return cursor.done();
}

JsonKind KindOf(std::string_view value) {
  switch (value.front()) {
    case '{': return JsonKind::kObject;
    case '[': return JsonKind::kArray;
    case '"': return JsonKind::kString;
    case 't':
    case 'f': return JsonKind::kBool;
    case 'n': return JsonKind::kNull;
    default: return JsonKind::kNumber;
  }
}

std::optional<Value> JsonToValue(std::string_view value, std::string* scratch) {
  const char* const end = value.data() + value.size();
  switch (KindOf(value)) {
    case JsonKind::kNull: return Value::Null();
    case JsonKind::kBool: return Value::Bool(value.front() == 't');
    case JsonKind::kString: return Value::String(Unescape(value, scratch));
    case JsonKind::kObject:
    case JsonKind::kArray: return Value::String(value);
    case JsonKind::kNumber: break;
  }
  int64_t whole = 0;
  const auto read = std::from_chars(value.data(), end, whole);
  if (read.ec == std::errc() && read.ptr == end) return Value::Int(whole);
  double number = 0;
  if (ReadDecimal(value, &number) == Decimal::kRead) return Value::Float(number);
  return std::nullopt;
}

JsonItems::JsonItems(std::string_view container)
    : rest_(container.substr(1)), object_(container.front() == '{') {}

bool JsonItems::Next() {
  JsonCursor cursor(rest_);
  cursor.Take(',');
  cursor.Space();
  if (cursor.next() == '}' || cursor.next() == ']' || cursor.done()) return false;
  if (object_) {
    const char* const key = cursor.at();
    cursor.String();
    key_ = cursor.Since(key);
    cursor.Take(':');
    cursor.Space();
  }
  const char* const value = cursor.at();
  cursor.Value(kMaxJsonNesting);
  value_ = cursor.Since(value);
  rest_.remove_prefix(static_cast<size_t>(cursor.at() - rest_.data()));
  return true;
}

std::optional<std::string_view> JsonPath::Find(std::string_view json, std::string* scratch) const {
  std::optional<std::string_view> value = TrimJson(json);
  for (const Step& step : steps_) {
    if (KindOf(*value) != (step.is_key ? JsonKind::kObject : JsonKind::kArray)) return std::nullopt;
    value = step.is_key ? Member(*value, step.key, scratch) : Element(*value, step.index);
    if (!value) return std::nullopt;
  }
  return value;
}

}  // namespace rivulet::expr
