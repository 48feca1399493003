// JSON (RFC 8259) inside of expressions: values found in a text without building a document, so that
// nothing is allocated, in time proportional to the text.
//
// Whether the text is well-formed is checked whole, before anything is looked for; its UTF-8 is not. Of a key
// given twice the last counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"

namespace rivulet::expr {

inline constexpr int kMaxJsonNesting = 128;

// True when the text is one JSON value with nothing but white space around it, nested at most
// kMaxJsonNesting deep.
bool IsJson(std::string_view text);

// '$.a[0].b': from the outermost value, step by step.
class JsonPath {
 public:
  struct Step {
    std::string key;     // of an object, when `is_key`
    int64_t index = 0;   // of an array: from 0, or from -1 backwards
    bool is_key = false;
  };

  // `$`, then any number of `.name`, `["name"]`, `['name']`, `[2]`, `[-1]`; at most 64. None with *error
  // filled when the text is not one.
  static std::optional<JsonPath> Parse(std::string_view text, std::string* error);

  // The value it leads to, as it stands in `json` (for which IsJson holds); none when there is none.
  // `scratch` is overwritten.
  std::optional<std::string_view> Find(std::string_view json, std::string* scratch) const;

 private:
  std::vector<Step> steps_;
};

// What a value (as found) is: its first byte says it.
enum class JsonKind : uint8_t { kObject, kArray, kString, kNumber, kBool, kNull };
JsonKind KindOf(std::string_view value);

// A scalar as a value: whole numbers within int64 are ints, others floats; text is unescaped into
// `scratch` when it has to be. Objects and arrays are their text. None: a number beyond the range of a float.
std::optional<Value> JsonToValue(std::string_view value, std::string* scratch);

// Walks the elements of an array, or the values of an object, of well-formed JSON.
class JsonItems {
 public:
  // `container` is an object or array as found.
  explicit JsonItems(std::string_view container);
  // False at the end.
  bool Next();
  std::string_view value() const { return value_; }
  std::string_view raw_key() const { return key_; }  // with its quotes; of an object only

 private:
  std::string_view rest_;
  std::string_view key_, value_;
  bool object_;
};

}  // namespace rivulet::expr
