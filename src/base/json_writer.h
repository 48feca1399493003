// Appends JSON text to a string: the form results take. Deterministic: the same value gives the
// same bytes on every platform.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/value.h"

namespace rivulet {

// A JSON string with quotes. Control characters, quote and backslash are escaped; bytes that are
// not valid UTF-8 become U+FFFD, so that the output is always valid JSON.
void AppendJsonString(std::string* out, std::string_view text);

// Shortest digits that read back as the same double (std::to_chars); integral values keep no
// ".0" ("12", not "12.0"); NaN and infinities become null, as JSON has no word for them.
void AppendJsonFloat(std::string* out, double v);

void AppendJsonInt(std::string* out, int64_t v);

void AppendJsonValue(std::string* out, const Value& v);

}  // namespace rivulet
