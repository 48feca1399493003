#include "base/decimal.h"

#include <charconv>
#include <limits>

namespace rivulet {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The power of ten of the first digit that is not 0, give or take one: of a number that no double is near to,
// whether it is too small for one or too large.
int64_t PowerOf(std::string_view text) {
  int64_t power = 0;
  bool found = false, fraction = false;
  size_t at = text.starts_with('-') ? 1 : 0;
  for (; at < text.size() && (text[at] | 0x20) != 'e'; ++at) {
    if (text[at] == '.') {
      fraction = true;
      continue;
    }
    found = found || text[at] != '0';
    if (found && !fraction) ++power;
    if (!found && fraction) --power;
  }
  if (at == text.size()) return power;
  text.remove_prefix(at + 1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  // Further than any text is long.
  int64_t exponent = std::numeric_limits<int64_t>::max() / 2;
  std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (exponent > std::numeric_limits<int64_t>::max() / 2) exponent = std::numeric_limits<int64_t>::max() / 2;
  return power + (negative ? -exponent : exponent);
}

}  // namespace

Decimal ReadDecimal(std::string_view text, double* value) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  // from_chars would also take "nan" and "inf".
  if (digits.empty() || (!IsDigit(digits.front()) && digits.front() != '.')) return Decimal::kNone;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, *value);
  if (read.ptr != end || read.ec == std::errc::invalid_argument) return Decimal::kNone;
  if (read.ec == std::errc()) return Decimal::kRead;
  // Out of range, which to from_chars is also what is too small.
  if (PowerOf(text) > 0) return Decimal::kHuge;
  *value = text.starts_with('-') ? -0.0 : 0.0;
  return Decimal::kRead;
}

}  // namespace rivulet
