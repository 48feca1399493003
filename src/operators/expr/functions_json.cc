// Functions on text that is JSON.

#include "base/json_writer.h"
#include "operators/expr/comparison.h"
#include "operators/expr/convert.h"
#include "operators/expr/function_registry.h"
#include "operators/expr/json_text.h"

namespace rivulet::expr {
namespace {

struct PathArgument final : Prepared {
  std::optional<JsonPath> path;
};

std::unique_ptr<const Prepared> PreparePath(Preparation* p) {
  if (!p->known(1)) return nullptr;
  auto argument = std::make_unique<PathArgument>();
  std::string error;
  argument->path = JsonPath::Parse(p->argument(1).s, &error);
  if (argument->path) return argument;
  return p->Fail(1, Quote(p->argument(1).s) + " is not a path: " + error);
}

// The value at the path, if one is given. None: the result is null, or the row has failed.
std::optional<std::string_view> FindValue(const Value* a, size_t count, CallContext* c) {
  if (!IsJson(a[0].s)) {
    c->Fail(Quote(a[0].s) + " is not well-formed JSON");
    return std::nullopt;
  }
  static const JsonPath kWhole;
  const JsonPath& path = count > 1 ? *c->PreparedAs<PathArgument>().path : kWhole;
  return path.Find(a[0].s, &c->text);
}

Value JsonValue(const Value* a, size_t count, CallContext* c) {
  const std::optional<std::string_view> found = FindValue(a, count, c);
  if (!found) return Value::Null();
  const std::optional<Value> value = JsonToValue(*found, &c->text);
  return value ? *value : c->Fail("the number " + Quote(*found) + " is beyond the range of a float");
}

// Elements of an array, members of an object; null for anything else.
Value JsonLength(const Value* a, size_t count, CallContext* c) {
  const std::optional<std::string_view> found = FindValue(a, count, c);
  if (!found || KindOf(*found) > JsonKind::kArray) return Value::Null();
  int64_t items = 0;
  for (JsonItems walk(*found); walk.Next();) ++items;
  return Value::Int(items);
}

Value JsonType(const Value* a, size_t count, CallContext* c) {
  const std::optional<std::string_view> found = FindValue(a, count, c);
  if (!found) return Value::Null();
  switch (KindOf(*found)) {
    case JsonKind::kObject: return Value::String("object");
    case JsonKind::kArray: return Value::String("array");
    case JsonKind::kString: return Value::String("string");
    case JsonKind::kBool: return Value::String("bool");
    case JsonKind::kNull: return Value::String("null");
    case JsonKind::kNumber: break;
  }
  const std::optional<Value> value = JsonToValue(*found, &c->text);
  return Value::String(value && value->type == Type::kInt ? "int" : "float");
}

Value JsonValid(const Value* a, size_t, CallContext*) { return Value::Bool(IsJson(a[0].s)); }

// json_contains(s, x): whether the array has an element that equals x.
Value JsonContains(const Value* a, size_t, CallContext* c) {
  const std::optional<std::string_view> found = FindValue(a, 1, c);
  if (!found || KindOf(*found) != JsonKind::kArray) return Value::Null();
  for (JsonItems walk(*found); walk.Next();) {
    if (KindOf(walk.value()) <= JsonKind::kArray) continue;
    const std::optional<Value> value = JsonToValue(walk.value(), &c->text);
    if (value && !value->is_null() && Order(*value, a[1]) == Ordering::kEqual) {
      return Value::Bool(true);
    }
  }
  return Value::Bool(false);
}

Value JsonArray(const Value* a, size_t count, CallContext* c) {
  c->text = "[";
  for (size_t i = 0; i < count && c->text.size() <= kMaxTextResult; ++i) {
    if (i > 0) c->text.push_back(',');
    AppendJsonValue(&c->text, a[i]);
  }
  c->text.push_back(']');
  return c->Text();
}

// json_object(key, value, key, value, ..): keys of any type but null become text.
Value JsonObject(const Value* a, size_t count, CallContext* c) {
  if (count % 2 != 0) return c->Fail("needs a value for each key, found a key without one");
  c->text = "{";
  std::string key;
  for (size_t i = 0; i < count && c->text.size() <= kMaxTextResult; i += 2) {
    if (a[i].is_null()) return c->Fail("a key is null");
    if (i > 0) c->text.push_back(',');
    key.clear();
    AppendText(a[i], &key);
    AppendJsonString(&c->text, key);
    c->text.push_back(':');
    AppendJsonValue(&c->text, a[i + 1]);
  }
  c->text.push_back('}');
  return c->Text();
}

constexpr TypeMask kText = kStringMask, kAny = kAnyType;
constexpr ResultRule kFixed = ResultRule::kFixed;
constexpr CallForm kScalar = CallForm::kScalar;
constexpr uint32_t kFrom = PreparedFrom({1});

constexpr FunctionDef kTable[] = {
    {"json_value", 1, 2, {kText, kText}, kAny, JsonValue, kFixed, true, kScalar, nullptr,
     PreparePath, kFrom},
    {"json_length", 1, 2, {kText, kText}, kIntMask, JsonLength, kFixed, true, kScalar, nullptr,
     PreparePath, kFrom},
    {"json_type", 1, 2, {kText, kText}, kText, JsonType, kFixed, true, kScalar, nullptr, PreparePath,
     kFrom},
    {"json_valid", 1, 1, {kText}, kBoolMask, JsonValid},
    {"json_contains", 2, 2, {kText, kAny}, kBoolMask, JsonContains},
    {"json_array", 0, kVariadic, {kAny}, kText, JsonArray, kFixed, false},
    {"json_object", 0, kVariadic, {kAny}, kText, JsonObject, kFixed, false},
};

}  // namespace

std::span<const FunctionDef> JsonFunctions() { return kTable; }

}  // namespace rivulet::expr
