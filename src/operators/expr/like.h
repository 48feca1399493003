// SQL's `like`: % stands for any text, _ for one character (code point), \ takes away the meaning
// of the character behind it. The whole text must match; case matters.
#pragma once

#include <string_view>

namespace rivulet::expr {

// Time at most proportional to the product of the lengths; no memory.
bool Like(std::string_view text, std::string_view pattern);

}  // namespace rivulet::expr
