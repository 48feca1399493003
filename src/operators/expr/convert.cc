#include "operators/expr/convert.h"

#include <charconv>
#include <cmath>

#include "base/decimal.h"
#include "operators/expr/lexer.h"

namespace rivulet::expr {
namespace {

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

// from_chars takes no plus sign.
std::string_view Unsigned(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-' && text[1] != '+') text.remove_prefix(1);
  return text;
}

template <typename T>
std::optional<T> ReadAll(std::string_view text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return value;
}

}  // namespace

std::string_view TrimSpace(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

void AppendText(const Value& value, std::string* out) {
  char digits[32];
  switch (value.type) {
    case Type::kNull: return;
    case Type::kBool: out->append(value.b ? "true" : "false"); return;
    case Type::kString: out->append(value.s); return;
    case Type::kInt:
      out->append(digits, std::to_chars(digits, digits + sizeof(digits), value.i).ptr);
      return;
    case Type::kFloat:
      if (std::isnan(value.f)) {
        out->append("NaN");
      } else if (std::isinf(value.f)) {
        out->append(value.f < 0 ? "-Infinity" : "Infinity");
      } else {
        out->append(digits, std::to_chars(digits, digits + sizeof(digits), value.f).ptr);
      }
      return;
  }
}

std::optional<int64_t> ParseInt(std::string_view text) {
  return ReadAll<int64_t>(Unsigned(TrimSpace(text)));
}

std::optional<double> ParseFloat(std::string_view text) {
  const std::string_view number = Unsigned(TrimSpace(text));
  double value = 0;
  const Decimal read = ReadDecimal(number, &value);
  if (read == Decimal::kRead) return value;
  // What is left are the words for infinity and NaN. from_chars would also take "nan(anything)".
  if (read == Decimal::kHuge || number.find('(') != std::string_view::npos) return std::nullopt;
  return ReadAll<double>(number);
}

std::optional<bool> ParseBool(std::string_view text) {
  const std::string_view trimmed = TrimSpace(text);
  if (trimmed.size() > 5) return std::nullopt;
  const std::string word = AsciiLower(trimmed);
  if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
  if (word == "false" || word == "no" || word == "off" || word == "0") return false;
  return std::nullopt;
}

std::optional<int64_t> TruncateToInt(double v) {
  const double whole = std::trunc(v);
  if (!(whole >= -0x1p63 && whole < 0x1p63)) return std::nullopt;
  return static_cast<int64_t>(whole);
}

std::string Quote(std::string_view text) {
  return "'" + std::string(text.substr(0, 40)) + (text.size() > 40 ? "...'" : "'");
}

}  // namespace rivulet::expr
