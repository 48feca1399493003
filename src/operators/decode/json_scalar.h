// The scalar tokens of JSON (RFC 8259), checked to the last byte: vector code that indexes a text
// finds where tokens begin, not whether "tru" or "1.2.3" is one. Unlike base/json_cursor.h it looks at eight
// bytes at once, those behind the text included, and says what a number is worth.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/json_cursor.h"
#include "base/value.h"

namespace rivulet::decode {

// True for what may follow a scalar inside an object or array. Spelled out, as it then becomes one test of
// bits.
inline bool EndsJsonScalar(char c) {
  return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// True when the bytes at `p` are `word` (3 to 5 letters) and the token ends there. Eight bytes must
// be readable.
inline bool IsJsonWord(const char* p, std::string_view word) {
  return std::memcmp(p, word.data(), word.size()) == 0 && EndsJsonScalar(p[word.size()]);
}

// The first byte from `p` on that is no digit. Looks at eight bytes at a time, so that the varying
// lengths of readings cost no mispredicted branch; up to eight bytes behind it must be readable.
inline const char* SkipDigits(const char* p) {
  static_assert(std::endian::native == std::endian::little);
  for (;; p += 8) {
    uint64_t word;
    std::memcpy(&word, p, sizeof(word));
    word ^= 0x3030303030303030;  // digits become 0 to 9
    const uint64_t above_nine =
        (((word & 0x7f7f7f7f7f7f7f7f) + 0x7676767676767676) | word) & 0x8080808080808080;
    if (above_nine != 0) return p + (std::countr_zero(above_nine) >> 3);
  }
}

// The value of the first `count` (1 to 8) bytes of `word` in memory order: digits. Whatever follows
// them is left out.
inline uint64_t ShortDigitsValue(uint64_t word, size_t count) {
  word <<= (8 - count) * 8;  // leading zeros: the mask below clears what a digit has more
  word = (word & 0x0f0f0f0f0f0f0f0f) * 2561 >> 8;
  word = (word & 0x00ff00ff00ff00ff) * 6553601 >> 16;
  return (word & 0x0000ffff0000ffff) * 42949672960001 >> 32;
}

// The value of `count` (1 to 18) digits at `p`; eight bytes must be readable behind them.
inline int64_t DigitsValue(const char* p, size_t count) {
  constexpr uint64_t kPower[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
  uint64_t value = 0;
  uint64_t word;
  for (; count >= 8; count -= 8, p += 8) {
    std::memcpy(&word, p, sizeof(word));
    value = value * 100000000 + ShortDigitsValue(word, 8);
  }
  if (count == 0) return static_cast<int64_t>(value);
  std::memcpy(&word, p, sizeof(word));
  return static_cast<int64_t>(value * kPower[count] + ShortDigitsValue(word, count));
}

// The one reader of numbers in JSON payloads, short way or long.
struct JsonNumber {
  bool valid = false;
  bool whole = false;           // no fraction, no exponent
  bool negative = false;
  bool exponent = false;
  size_t digits = 0;            // before the point
  size_t fraction_digits = 0;   // behind it
  const char* first = nullptr;  // of these digits
  const char* end = nullptr;    // behind the number

  // Of a whole number of at most 18 digits.
  int64_t Whole() const {
    const int64_t v = DigitsValue(first, digits);
    return negative ? -v : v;
  }

  // What it stands for: an int when it is whole and within int64, else the nearest float. Null: beyond the
  // range of a float.
  Value Read() const {
    if (whole && digits <= 18) return Value::Int(Whole());
    double v = 0;
    return ShortFloat(&v) ? Value::Float(v) : ReadLong();
  }

  // The float a decimal stands for, when it is short enough to be found exactly: both the digits and the
  // power of ten are floats without error, so their quotient is rounded once (Clinger 1990). False: use the
  // general way.
  bool ShortFloat(double* v) const {
    static constexpr double kPower[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                        1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    if (exponent || digits + fraction_digits > 15) return false;
    const auto head = static_cast<double>(DigitsValue(first, digits));
    const auto tail = static_cast<double>(DigitsValue(first + digits + 1, fraction_digits));
    const double value = (head * kPower[fraction_digits] + tail) / kPower[fraction_digits];
    *v = negative ? -value : value;
    return true;
  }

 private:
  Value ReadLong() const;
};

// Reads the number at `p`, as far as to tell whether it is one. Bytes up to eight behind it must be
// readable, and some byte that is no digit must follow.
inline JsonNumber ScanJsonNumber(const char* p) {
  JsonNumber out;
  out.negative = *p == '-';
  p += out.negative;
  out.first = p;
  p = SkipDigits(p);
  out.digits = static_cast<size_t>(p - out.first);
  if (out.digits == 0 || (*out.first == '0' && out.digits > 1)) return out;
  out.whole = true;
  if (*p == '.') {
    out.whole = false;
    const char* const fraction = p + 1;
    p = SkipDigits(fraction);
    out.fraction_digits = static_cast<size_t>(p - fraction);
    if (p == fraction) return out;
  }
  if ((*p | 0x20) == 'e') {
    out.whole = false;
    out.exponent = true;
    ++p;
    if (*p == '+' || *p == '-') ++p;
    const char* const exponent = p;
    p = SkipDigits(exponent);
    if (p == exponent) return out;
  }
  out.valid = EndsJsonScalar(*p);
  out.end = p;
  return out;
}

}  // namespace rivulet::decode
