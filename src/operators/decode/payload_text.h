// What of a payload is text.
#pragma once

#include <string_view>

namespace rivulet::decode {

inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Without a UTF-8 byte order mark in front and the NUL bytes that senders of C strings leave at the end.
inline std::string_view WithoutMarks(std::string_view payload) {
  if (payload.starts_with(kByteOrderMark)) payload.remove_prefix(kByteOrderMark.size());
  while (!payload.empty() && payload.back() == '\0') payload.remove_suffix(1);
  return payload;
}

}  // namespace rivulet::decode
