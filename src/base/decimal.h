// Decimal text to the nearest double: the one way in which numbers from outside are read, whatever the
// format they come in, so that equal text is an equal number everywhere.
#pragma once

#include <cstdint>
#include <string_view>

namespace rivulet {

enum class Decimal : uint8_t {
  kRead,
  kNone,  // not a decimal number, or something stands behind it
  kHuge,  // beyond the range of a double
};

// Reads all of `text`: an optional minus, digits with or without a point (one digit at least), an optional
// exponent, of any length. Rounded to the nearest double, ties to even; what is nearer to 0 than to any other
// double is 0, with its sign. No locale, no allocation.
Decimal ReadDecimal(std::string_view text, double* value);

}  // namespace rivulet
