// Text without types (a CSV cell, a bare payload) to a typed value.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/value.h"
#include "operators/decode/row_writer.h"

namespace rivulet::decode {

// Reads all of `text` as a decimal number: an int when it is whole and fits int64, else a float.
// False for anything else: hexadecimal, a leading '+', nan, inf, beyond the range of a float.
bool ParseNumber(std::string_view text, Value* value);

// Without blanks and tabs around it.
std::string_view Trim(std::string_view text);

// True for a number whose zeros in front would be lost by reading it: "007", "-01".
bool HasLeadingZeros(std::string_view text);

// Sets a field of the row from `text`, by its declared type. Undeclared: a number when it reads as
// one (leading zeros mark an identifier: text), true and false when `words` says so, else text.
// Declared: a bool from true and false, a number (leading zeros allowed), or the text as it is;
// what is none of the declared types is noted as a string of the wrong type.
void SetFromText(RowWriter* writer, uint32_t field, std::string_view text, bool words);

}  // namespace rivulet::decode
