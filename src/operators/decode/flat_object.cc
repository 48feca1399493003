#include "operators/decode/flat_object.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "operators/decode/byte_block.h"
#include "operators/decode/json_scalar.h"

namespace rivulet::decode {
namespace {

using Block = VectorBlock;

// Where the values of an object end: found by their commas, before any value is read. Values differ in
// length from record to record: walking from one to the next, each would wait for the one before; from
// here all are read at once, as far as the processor sees ahead.
class Stops {
 public:
  explicit Stops(std::string_view text) : block_(text.data()) {
    size_t size = text.size();
    while (size > 0 && IsJsonSpace(text[size - 1])) --size;
    last_ = text.data() + size - 1;
    if (size > 0) Look();
  }

  // The last byte of the text, white space aside: the closing brace of an object.
  const char* last() const { return last_; }
  // The end of the next value, last() at the latest.
  const char* Next() {
    while (commas_ == 0) {
      if (last_ - block_ < kLook) return last_;
      block_ += kLook;
      Look();
    }
    const char* const stop = block_ + std::countr_zero(commas_);
    commas_ &= commas_ - 1;
    return stop < last_ ? stop : last_;
  }
  // The end of a value that goes on to `p` at least.
  const char* NextFrom(const char* p) {
    const char* stop = Next();
    while (stop < p && stop != last_) stop = Next();
    return stop;
  }

 private:
  static constexpr std::ptrdiff_t kLook = 64;
  void Look() { commas_ = Block::Equal64(block_, ','); }

  const char* block_;
  const char* last_;
  uint64_t commas_ = 0;  // of the block, those not yet passed
};

// The closing quote of a string that begins at `p`, when all before it is printable ASCII without a
// backslash; otherwise null. Up to kBlockBytes behind the quote must be readable.
const char* PlainStringEnd(const char* p, const char* end) {
  for (; p < end; p += kBlockBytes) {
    const Block block(p);
    const Block::Mask special = block.Equal('"') | block.Equal('\\') | block.NotPrintable();
    if (special == 0) continue;
    p += FirstByte<Block>(special);
    return *p == '"' && p < end ? p : nullptr;
  }
  return nullptr;
}

// Whether the text is a decimal without sign and exponent, as most readings are. Judges all bytes at once
// and almost without a branch; `*point` marks its point. False says nothing.
bool IsShortDecimal(const char* p, size_t length, Block::Mask* point) {
  if (length - 1 >= kBlockBytes - 1) return false;  // empty or too long
  const Block::Mask last = Block::Mask{1} << ((length - 1) * Block::kStride);
  const Block::Mask behind = last << Block::kStride;
  const Block block(p);
  const Block::Mask others = ~block.Digits() & (behind - 1) & Block::kAll;
  const Block::Mask inner_points = block.Equal('.') & ((last - 1) & ~Block::Mask{1});
  const Block::Mask wrong = (others & ~inner_points) | (others & (others - 1));
  *point = others;
  if (*p == '0' && length > 1 && p[1] != '.') return false;
  return wrong == 0;
}

// The value of a short decimal with `digits` before its point, rounded once when divided (see
// JsonNumber::ShortFloat).
double ShortDecimalValue(const char* p, size_t length, size_t digits) {
  static constexpr double kPower[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6, 1e7,
                                      1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14};
  const size_t fraction = length - digits - 1;
  if (length <= sizeof(uint64_t)) {
    // Close the gap of the point.
    uint64_t word;
    std::memcpy(&word, p, sizeof(word));
    const uint64_t before = (uint64_t{1} << (8 * digits)) - 1;
    word = (word & before) | ((word >> 8) & ~before);
    return static_cast<double>(ShortDigitsValue(word, length - 1)) / kPower[fraction];
  }
  const auto head = static_cast<double>(DigitsValue(p, digits));
  const auto tail = static_cast<double>(DigitsValue(p + digits + 1, fraction));
  return (head * kPower[fraction] + tail) / kPower[fraction];
}

// Each takes the value from `p` to `stop`. `field` -1: nobody wants it.
bool ReadLongNumber(const char* p, const char* stop, int32_t field, RowWriter* writer) {
  const JsonNumber number = ScanJsonNumber(p);
  if (!number.valid || number.end != stop) return false;
  if (field < 0) return true;
  writer->Number(static_cast<uint32_t>(field), number.Read(), {p, static_cast<size_t>(stop - p)});
  return true;
}

bool ReadNumber(const char* p, const char* stop, int32_t field, RowWriter* writer) {
  const bool negative = *p == '-';
  p += negative;
  const auto length = static_cast<size_t>(stop - p);
  Block::Mask point;
  if (!IsShortDecimal(p, length, &point)) return ReadLongNumber(p - negative, stop, field, writer);
  if (field < 0) return true;
  if (point != 0) {
    const double v = ShortDecimalValue(p, length, FirstByte<Block>(point));
    writer->Float(static_cast<uint32_t>(field), negative ? -v : v, {p - negative, length + negative});
  } else {
    const int64_t v = DigitsValue(p, length);
    writer->Int(static_cast<uint32_t>(field), negative ? -v : v, {p - negative, length + negative});
  }
  return true;
}

bool ReadString(const char* p, const char** stop, int32_t field, Stops* stops,
                RowWriter* writer) {
  const char* const begin = p + 1;
  const char* const quote = PlainStringEnd(begin, stops->last());
  if (quote == nullptr) return false;
  if (quote + 1 > *stop) *stop = stops->NextFrom(quote + 1);  // it has commas within
  if (quote + 1 != *stop) return false;
  if (field >= 0) {
    writer->String(static_cast<uint32_t>(field), {begin, static_cast<size_t>(quote - begin)});
  }
  return true;
}

bool ReadWord(const char* p, const char* stop, int32_t field, RowWriter* writer) {
  const std::string_view word = *p == 't' ? "true" : *p == 'f' ? "false" : "null";
  if (static_cast<size_t>(stop - p) != word.size() || !IsJsonWord(p, word)) return false;
  if (field < 0) return true;
  if (*p == 'n') {
    writer->Null(static_cast<uint32_t>(field));
  } else {
    writer->Bool(static_cast<uint32_t>(field), *p == 't');
  }
  return true;
}

}  // namespace

bool ReadFlatObject(std::string_view text, const FieldNode& root, RowWriter* writer) {
  Stops stops(text);
  const char* p = text.data();
  if (text.size() < 2 || *p++ != '{' || *stops.last() != '}') return false;
  for (const KeyOrder::Key* expected = root.order.first();; ++expected) {
    const char* stop = stops.Next();
    expected = KeyOrder::Predict(p, expected);
    if (expected == nullptr || (expected->special && expected->apart)) return false;
    p += expected->length;
    if (*p == ' ') ++p;
    if (p >= stop) return false;  // also when what matched lies behind the text
    if (*p == '"') {
      if (!ReadString(p, &stop, expected->field, &stops, writer)) return false;
    } else if (*p > '9') {
      if (!ReadWord(p, stop, expected->field, writer)) return false;
    } else if (!ReadNumber(p, stop, expected->field, writer)) {
      return false;
    }
    if (stop == stops.last()) return true;
    p = stop + 1;
    if (*p == ' ') ++p;
  }
}

}  // namespace rivulet::decode
