// bits(): signals out of the bytes of a bus frame, as DBC files describe them.
//
// Bits are numbered as DBC numbers them: bit 8 * n is the least significant of byte n, bit
// 8 * n + 7 its most significant. A little-endian (Intel, "@1") signal is described by its least
// significant bit and goes up from there. A big-endian (Motorola, "@0") signal is described by its
// MOST significant bit and goes down from there: behind bit 0 of a byte comes bit 7 of the next.

#include <limits>

#include "base/wide_int.h"
#include "operators/expr/convert.h"
#include "operators/expr/function_registry.h"
#include "operators/expr/text_encoding.h"

namespace rivulet::expr {
namespace {

constexpr int64_t kMaxStart = 65535;  // of 8 KB; CAN has 64 bits, CAN FD 512, J1939's transport 14280

enum Argument : size_t { kData, kStart, kLength, kSigned, kFactor, kOffset, kOrder, kEncoding };

struct Signal final : Prepared {
  size_t first_byte = 0, last_byte = 0;
  int shift = 0;  // bits of the bytes below the signal
  int length = 1;
  bool is_signed = false;
  bool big_endian = false;
  bool base64 = false;
  Value factor = Value::Int(1), offset = Value::Int(0);
};

bool CheckRange(Preparation* p, size_t i, std::string_view what, int64_t low, int64_t high) {
  if (!p->known(i)) return true;
  const int64_t v = p->argument(i).i;
  if (v >= low && v <= high) return true;
  p->Fail(i, std::string(what) + " is " + std::to_string(v) + ", expected " + std::to_string(low) +
                 " to " + std::to_string(high));
  return false;
}

// Reads argument `i`, one of two words (each in two spellings), as whether it is the second.
bool ReadWord(Preparation* p, size_t i, const std::string_view (&words)[4], bool* second) {
  if (!p->known(i)) return true;
  const std::string_view word = p->argument(i).s;
  *second = word == words[2] || word == words[3];
  if (*second || word == words[0] || word == words[1]) return true;
  p->Fail(i, Quote(word) + " is not known, expected '" + std::string(words[0]) + "' or '" +
                 std::string(words[2]) + "'");
  return false;
}

// Where the signal lies, once start, length and byte order are known.
void Place(int64_t start, Signal* signal) {
  const auto bit = static_cast<size_t>(start), length = static_cast<size_t>(signal->length);
  if (signal->big_endian) {
    const size_t first = bit / 8 * 8 + 7 - bit % 8;  // counted from the front of the frame
    const size_t last = first + length - 1;
    signal->first_byte = first / 8;
    signal->last_byte = last / 8;
    signal->shift = static_cast<int>(7 - last % 8);
  } else {
    signal->first_byte = bit / 8;
    signal->last_byte = (bit + length - 1) / 8;
    signal->shift = static_cast<int>(bit % 8);
  }
}

std::unique_ptr<const Prepared> PrepareSignal(Preparation* p) {
  static constexpr std::string_view kOrders[] = {"little", "intel", "big", "motorola"};
  static constexpr std::string_view kEncodings[] = {"hex", "hex", "base64", "base64"};
  auto signal = std::make_unique<Signal>();
  if (!CheckRange(p, kStart, "the start bit", 0, kMaxStart) ||
      !CheckRange(p, kLength, "the length", 1, 64) ||
      !ReadWord(p, kOrder, kOrders, &signal->big_endian) ||
      !ReadWord(p, kEncoding, kEncodings, &signal->base64)) {
    return nullptr;
  }
  for (size_t i = kStart; i < p->count(); ++i) {
    if (p->pending(i)) return nullptr;
  }
  signal->length = static_cast<int>(p->argument(kLength).i);
  if (p->known(kSigned)) signal->is_signed = p->argument(kSigned).b;
  if (p->known(kFactor)) signal->factor = p->argument(kFactor);
  if (p->known(kOffset)) signal->offset = p->argument(kOffset);
  Place(p->argument(kStart).i, signal.get());
  return signal;
}

// The bits of the signal, unscaled. A signal has at most 64 bits in at most nine bytes.
uint64_t RawBits(const Signal& signal, std::string_view frame) {
  Int128 bytes = 0;  // 72 bits of it
  for (size_t k = signal.first_byte; k <= signal.last_byte; ++k) {
    const size_t at = signal.big_endian ? k : signal.last_byte - (k - signal.first_byte);
    bytes = (bytes << 8) | static_cast<uint8_t>(frame[at]);
  }
  const uint64_t mask = signal.length == 64 ? ~uint64_t{0} : (uint64_t{1} << signal.length) - 1;
  return static_cast<uint64_t>(bytes >> signal.shift) & mask;
}

// raw * factor + offset: exact in ints as far as 64 bits go, else in floats.
Value Scale(Int128 raw, const Value& factor, const Value& offset) {
  if (factor.type == Type::kInt && offset.type == Type::kInt) {
    // From -2^63 to 2^64 - 1 by 64 bits and a sign: even the sum is no less than -2^127.
    const Int128 scaled = raw * factor.i + offset.i;
    const auto result = static_cast<int64_t>(scaled);
    return result == scaled ? Value::Int(result) : Value::Float(static_cast<double>(scaled));
  }
  return Value::Float(static_cast<double>(raw) * factor.AsFloat() + offset.AsFloat());
}

Value Bits(const Value* a, size_t, CallContext* c) {
  const Signal& signal = c->PreparedAs<Signal>();
  c->text.clear();
  const bool read = signal.base64 ? DecodeBase64(a[kData].s, &c->text)
                                  : DecodeHex(a[kData].s, &c->text);
  if (!read) {
    return c->Fail(Quote(a[kData].s) + " is not a frame in " +
                   (signal.base64 ? "base64" : "hexadecimal, two digits a byte"));
  }
  if (signal.last_byte >= c->text.size()) return Value::Null();
  const uint64_t bits = RawBits(signal, c->text);
  Int128 raw = bits;
  if (signal.is_signed && ((bits >> (signal.length - 1)) & 1) != 0) {
    raw -= static_cast<Int128>(1) << signal.length;
  }
  return Scale(raw, signal.factor, signal.offset);
}

constexpr uint32_t kFromAllButData = PreparedFrom({1, 2, 3, 4, 5, 6, 7});

constexpr FunctionDef kTable[] = {
    {"bits", 3, 8,
     {kStringMask, kIntMask, kIntMask, kBoolMask, kNumberMask, kNumberMask, kStringMask,
      kStringMask},
     kNumberMask, Bits, ResultRule::kFixed, true, CallForm::kScalar, nullptr, PrepareSignal,
     kFromAllButData},
};

}  // namespace

std::span<const FunctionDef> SignalFunctions() { return kTable; }

}  // namespace rivulet::expr
