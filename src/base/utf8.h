// UTF-8 as the Unicode Standard has it (table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rivulet {

struct Utf8Step {
  size_t length;  // bytes to move on: the sequence, or its longest well-formed beginning
  bool valid;
};

// What the bytes from `text[at]` (>= 0x80) on are.
Utf8Step StepUtf8(std::string_view text, size_t at);

// Where the first bytes that are no UTF-8 begin; the text's size when all are.
size_t FirstInvalidUtf8(std::string_view text);

// Appends a character; `point` is one's number: up to U+10FFFF, no surrogate.
void AppendUtf8(uint32_t point, std::string* out);

}  // namespace rivulet
