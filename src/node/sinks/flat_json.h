// Reads the members of one flat JSON object: the form results take. Values are strings, numbers,
// booleans, null and lists, whose elements may be objects of plain values or shorter lists; anything else
// (an object as a value, deeper nesting, trailing text, a bad escape) is malformed. Reads in
// place, in one pass, without allocating, and never beyond its input.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json_cursor.h"

namespace rivulet {

// A name or a string value between its quotes, escapes not yet resolved.
struct JsonText {
  std::string_view raw;
  bool escaped = false;  // contains a backslash

  bool Equals(std::string_view text) const;
  // Resolves escapes; half a surrogate pair becomes U+FFFD.
  void AppendTo(std::string* out) const;
};

struct FlatMember {
  enum class Kind : uint8_t { kNull, kBool, kInteger, kFraction, kString, kList };
  JsonText name;
  Kind kind = Kind::kNull;
  JsonText text;  // string: its contents; otherwise as written ("true", "1.5e3", "[1,2]")
};

class FlatJsonReader {
 public:
  // Views into `json` are handed out: it must outlive them.
  explicit FlatJsonReader(std::string_view json);

  // False at the end of the object, or where it is malformed: then ok() is false.
  bool Next(FlatMember* member);
  bool ok() const { return state_ != State::kBad; }

 private:
  enum class State : uint8_t { kFirst, kMore, kEnd, kBad };

  bool Fail() {
    state_ = State::kBad;
    return false;
  }
  bool ReadText(JsonText* text);
  bool ReadValue(FlatMember* member);
  bool End();

  JsonCursor cursor_;
  State state_ = State::kFirst;
};

// The first member called `name`; false when there is none before the end or a malformed place.
bool FindMember(std::string_view json, std::string_view name, FlatMember* member);

}  // namespace rivulet
