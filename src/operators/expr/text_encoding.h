// Bytes as text: hexadecimal and base64 (RFC 4648).
#pragma once

#include <string>
#include <string_view>

namespace rivulet::expr {

// Upper case, two digits a byte.
void AppendHex(std::string_view bytes, std::string* out);

// Pairs of digits of either case, "0x" in front and spaces around each pair allowed. Appends the
// bytes; false when the text is anything else, with `out` in no particular state.
bool DecodeHex(std::string_view text, std::string* out);

// The standard alphabet, padded with '='.
void AppendBase64(std::string_view bytes, std::string* out);

// The standard or the URL-safe alphabet; padding may be missing, but not be wrong. Appends the
// bytes; false when the text is anything else, with `out` in no particular state.
bool DecodeBase64(std::string_view text, std::string* out);

}  // namespace rivulet::expr
