// Functions on the 64 bits of an int (two's complement), and hexadecimal text.

#include <bit>
#include <charconv>

#include "operators/expr/convert.h"
#include "operators/expr/function_registry.h"

namespace rivulet::expr {
namespace {

Value BitAnd(const Value* a, size_t, CallContext*) { return Value::Int(a[0].i & a[1].i); }
Value BitOr(const Value* a, size_t, CallContext*) { return Value::Int(a[0].i | a[1].i); }
Value BitXor(const Value* a, size_t, CallContext*) { return Value::Int(a[0].i ^ a[1].i); }
Value BitNot(const Value* a, size_t, CallContext*) { return Value::Int(~a[0].i); }

bool AcceptShift(int64_t bits, CallContext* c) {
  if (bits >= 0 && bits <= 63) return true;
  c->Fail("cannot shift by " + std::to_string(bits) + " bits, expected 0 to 63");
  return false;
}

// Bits shifted out are lost.
Value ShiftLeft(const Value* a, size_t, CallContext* c) {
  if (!AcceptShift(a[1].i, c)) return Value::Null();
  return Value::Int(static_cast<int64_t>(static_cast<uint64_t>(a[0].i) << a[1].i));
}

// The sign is kept: shift_right(-8, 1) is -4.
Value ShiftRight(const Value* a, size_t, CallContext* c) {
  if (!AcceptShift(a[1].i, c)) return Value::Null();
  return Value::Int(a[0].i >> a[1].i);
}

// How many bits are 1.
Value BitCount(const Value* a, size_t, CallContext*) {
  return Value::Int(std::popcount(static_cast<uint64_t>(a[0].i)));
}

bool AcceptBit(int64_t bit, CallContext* c) {
  if (bit >= 0 && bit <= 63) return true;
  c->Fail("there is no bit " + std::to_string(bit) + ", expected 0 to 63");
  return false;
}

Value BitTest(const Value* a, size_t, CallContext* c) {
  if (!AcceptBit(a[1].i, c)) return Value::Null();
  return Value::Bool((a[0].i >> a[1].i & 1) != 0);
}

// bit_set(a, bit, on)
Value BitSet(const Value* a, size_t, CallContext* c) {
  if (!AcceptBit(a[1].i, c)) return Value::Null();
  const uint64_t bit = uint64_t{1} << a[1].i, bits = static_cast<uint64_t>(a[0].i);
  return Value::Int(static_cast<int64_t>(a[2].b ? bits | bit : bits & ~bit));
}

// 1 to 16 digits of either case, "0x" in front allowed; 16 digits may make a negative int.
Value FromHex(const Value* a, size_t, CallContext* c) {
  std::string_view digits = a[0].s;
  if (digits.substr(0, 2) == "0x" || digits.substr(0, 2) == "0X") digits.remove_prefix(2);
  uint64_t bits = 0;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, bits, 16);
  if (digits.size() > 16 || read.ec != std::errc() || read.ptr != end) {
    return c->Fail(Quote(a[0].s) + " is not a hexadecimal number of up to 16 digits");
  }
  return Value::Int(static_cast<int64_t>(bits));
}

constexpr FunctionDef kTable[] = {
    {"bit_and", 2, 2, {kIntMask, kIntMask}, kIntMask, BitAnd},
    {"bit_or", 2, 2, {kIntMask, kIntMask}, kIntMask, BitOr},
    {"bit_xor", 2, 2, {kIntMask, kIntMask}, kIntMask, BitXor},
    {"bit_not", 1, 1, {kIntMask}, kIntMask, BitNot},
    {"shift_left", 2, 2, {kIntMask, kIntMask}, kIntMask, ShiftLeft},
    {"shift_right", 2, 2, {kIntMask, kIntMask}, kIntMask, ShiftRight},
    {"bit_count", 1, 1, {kIntMask}, kIntMask, BitCount},
    {"bit_test", 2, 2, {kIntMask, kIntMask}, kBoolMask, BitTest},
    {"bit_set", 3, 3, {kIntMask, kIntMask, kBoolMask}, kIntMask, BitSet},
    {"from_hex", 1, 1, {kStringMask}, kIntMask, FromHex},
};

}  // namespace

std::span<const FunctionDef> BitFunctions() { return kTable; }

}  // namespace rivulet::expr
