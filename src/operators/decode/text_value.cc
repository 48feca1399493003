#include "operators/decode/text_value.h"

#include <charconv>

#include "base/decimal.h"

namespace rivulet::decode {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string_view WithoutMinus(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return text;
}

}  // namespace

std::string_view Trim(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool ParseNumber(std::string_view text, Value* value) {
  const char* const end = text.data() + text.size();
  int64_t whole = 0;
  const auto as_int = std::from_chars(text.data(), end, whole);
  if (as_int.ec == std::errc() && as_int.ptr == end) {
    *value = Value::Int(whole);
    return true;
  }
  double number = 0;
  if (ReadDecimal(text, &number) != Decimal::kRead) return false;
  *value = Value::Float(number);
  return true;
}

bool HasLeadingZeros(std::string_view text) {
  const std::string_view digits = WithoutMinus(text);
  return digits.size() > 1 && digits[0] == '0' && IsDigit(digits[1]);
}

void SetFromText(RowWriter* writer, uint32_t field, std::string_view text, bool words) {
  const bool undeclared = writer->AcceptsAll(field);
  const std::string_view trimmed = Trim(text);
  Value number;
  const bool numbers = writer->Accepts(field, Type::kInt) || writer->Accepts(field, Type::kFloat);
  if (numbers && !(undeclared && HasLeadingZeros(trimmed)) && ParseNumber(trimmed, &number)) {
    // "1.5" for a field that is int or string is text.
    if (writer->Accepts(field, number.type) || !writer->Accepts(field, Type::kString)) {
      writer->Number(field, number, trimmed);
      return;
    }
  }
  if ((undeclared ? words : writer->Accepts(field, Type::kBool)) &&
      (trimmed == "true" || trimmed == "false")) {
    writer->Bool(field, trimmed == "true");
    return;
  }
  writer->String(field, text);
}

}  // namespace rivulet::decode
