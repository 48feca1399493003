#include "operators/decode/json_scalar.h"

#include <charconv>

#include "base/decimal.h"

namespace rivulet::decode {

Value JsonNumber::ReadLong() const {
  const char* const begin = first - (negative ? 1 : 0);
  int64_t integer = 0;
  if (whole && std::from_chars(begin, end, integer).ec == std::errc()) return Value::Int(integer);
  double v = 0;
  const std::string_view text(begin, static_cast<size_t>(end - begin));
  return ReadDecimal(text, &v) == Decimal::kRead ? Value::Float(v) : Value::Null();
}

}  // namespace rivulet::decode
