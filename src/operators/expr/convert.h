// Between text and values: what `||`, cast and the to_* functions agree on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/value.h"

namespace rivulet::expr {

// 12, 1.5, 1e+30, NaN, Infinity, -Infinity, true: the shortest digits that read back as the same
// number. A float that is whole has no ".0". Null appends nothing.
void AppendText(const Value& value, std::string* out);

// White space around is ignored; nothing else may be left over. None when the text is not such a
// value or is beyond its range.
std::optional<int64_t> ParseInt(std::string_view text);     // decimal digits, sign allowed
std::optional<double> ParseFloat(std::string_view text);    // also inf, infinity, nan; any case
std::optional<bool> ParseBool(std::string_view text);       // true/false, yes/no, on/off, 1/0

// Towards zero. None for NaN and beyond int64.
std::optional<int64_t> TruncateToInt(double v);

// For messages: the text in quotes, cut to 40 bytes.
std::string Quote(std::string_view text);

std::string_view TrimSpace(std::string_view text);

}  // namespace rivulet::expr
