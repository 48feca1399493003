#include "operators/decode/flat_object.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "operators/decode/json_scalar.h"

namespace rivulet::decode {
namespace {

// The closing quote of a string that begins at `p`, when all before it is printable ASCII without a
// backslash; otherwise null. Looks at eight bytes at a time, so up to eight behind the quote must
// be readable.
const char* PlainStringEnd(const char* p, const char* end) {
  constexpr uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;
  const auto zero_bytes = [](uint64_t w) { return (w - kOnes) & ~w & kHighs; };
  for (; p < end; p += 8) {
    uint64_t word;
    std::memcpy(&word, p, sizeof(word));
    const uint64_t control = (word - kOnes * 0x20) & ~word & kHighs;
    const uint64_t special = zero_bytes(word ^ (kOnes * '"')) | zero_bytes(word ^ (kOnes * '\\')) |
                             control | (word & kHighs);
    if (special == 0) continue;
    p += std::countr_zero(special) >> 3;
    return *p == '"' && p < end ? p : nullptr;
  }
  return nullptr;
}

// The first ',' or '}' from `p` on. Far fewer steps than reading the number before it: the walk
// goes on from
// here, while the processor checks the number on the side.
const char* TokenEnd(const char* p, const char* end) {
  constexpr uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;
  const auto zero_bytes = [](uint64_t w) { return (w - kOnes) & ~w & kHighs; };
  for (; p < end; p += 8) {
    uint64_t word;
    std::memcpy(&word, p, sizeof(word));
    const uint64_t found = zero_bytes(word ^ (kOnes * ',')) | zero_bytes(word ^ (kOnes * '}'));
    if (found != 0) return p + (std::countr_zero(found) >> 3);
  }
  return end;
}

// Whether the token is a decimal of at most eight bytes without exponent, as most readings are. All bytes are
// judged at once and without a branch; false says nothing.
bool IsShortDecimal(const char* p, size_t length) {
  constexpr uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;
  const bool negative = *p == '-';
  p += negative;
  length -= negative;
  if (length - 1 > 7) return false;  // empty or too long
  uint64_t word;
  std::memcpy(&word, p, sizeof(word));
  const uint64_t inside = ~uint64_t{0} >> (64 - 8 * length);
  const uint64_t digit = word ^ (kOnes * '0');
  const uint64_t others = (((digit & ~kHighs) + kOnes * 0x76) | digit) & kHighs & inside;
  const uint64_t point = word ^ (kOnes * '.');
  const uint64_t points = ~(((point & ~kHighs) + ~kHighs) | point | ~kHighs) & inside;
  const uint64_t last = uint64_t{0x80} << (8 * (length - 1));
  const bool leading_zero = *p == '0' && length > 1 && (points & 0x8000) == 0;
  return (others == points) & ((points & (points - 1)) == 0) & ((points & (last | 0x80)) == 0) &
         !leading_zero;
}

// Each takes the value at `*p` and moves behind it. `field` -1: nobody wants it.
bool ReadString(const char** p, const char* end, int32_t field, RowWriter* writer) {
  const char* const begin = *p + 1;
  const char* const quote = PlainStringEnd(begin, end);
  if (quote == nullptr) return false;
  if (field >= 0) {
    writer->String(static_cast<uint32_t>(field), {begin, static_cast<size_t>(quote - begin)});
  }
  *p = quote + 1;
  return true;
}

bool ReadNumber(const char** p, const char* end, int32_t field, RowWriter* writer) {
  const char* const stop = TokenEnd(*p, end);
  if (stop >= end) return false;  // digits could run on behind the text, as far as they like
  const char* const begin = *p;
  *p = stop;
  if (field < 0 && IsShortDecimal(begin, static_cast<size_t>(stop - begin))) return true;
  const JsonNumber number = ScanJsonNumber(begin);
  if (!number.valid || number.end != stop) return false;
  if (field < 0) return true;
  if (number.whole) {
    if (number.digits > 18) return false;
    writer->Int(static_cast<uint32_t>(field), number.Whole());
    return true;
  }
  double v = 0;
  if (!number.ShortFloat(&v)) return false;
  writer->Float(static_cast<uint32_t>(field), v);
  return true;
}

bool ReadWord(const char** p, int32_t field, RowWriter* writer) {
  const char first = **p;
  const std::string_view word = first == 't' ? "true" : first == 'f' ? "false" : "null";
  if (!IsJsonWord(*p, word)) return false;
  *p += word.size();
  if (field < 0) return true;
  if (first == 'n') {
    writer->Null(static_cast<uint32_t>(field));
  } else {
    writer->Bool(static_cast<uint32_t>(field), first == 't');
  }
  return true;
}

bool ReadValue(const char** p, const char* end, int32_t field, RowWriter* writer) {
  switch (**p) {
    case '"': return ReadString(p, end, field, writer);
    case 't':
    case 'f':
    case 'n': return ReadWord(p, field, writer);
    case '{':
    case '[': return false;
    default: return ReadNumber(p, end, field, writer);
  }
}

}  // namespace

bool ReadFlatObject(std::string_view text, const FieldNode& root, RowWriter* writer) {
  const char* p = text.data();
  const char* const end = p + text.size();
  if (text.size() < 2 || *p != '{') return false;
  ++p;
  // Bytes behind the text are readable but belong to others: whatever is taken must end before
  // `end`.
  for (size_t place = 0;;) {
    if (p >= end || *p != '"') return false;
    FieldNode* node = nullptr;
    const size_t length = root.order.PredictLength(p + 1, &place, &node);
    if (length == 0) return false;
    p += length + 1;
    if (*p++ != ':') return false;
    if (*p == ' ') ++p;
    if (p >= end || !ReadValue(&p, end, node == nullptr ? -1 : node->field, writer)) return false;
    if (p >= end) return false;
    if (*p == '}') break;
    if (*p++ != ',') return false;
    if (*p == ' ') ++p;
  }
  ++p;
  while (p < end && IsJsonSpace(*p)) ++p;
  return p == end;
}

}  // namespace rivulet::decode
