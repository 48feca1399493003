// Functions on the 64 bits of an int (two's complement), and hexadecimal text.

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

// Upper case, no leading zeros; negative numbers have 16 digits.
Value Hex(const Value* a, size_t, CallContext* c) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  c->text.clear();
  const auto bits = static_cast<uint64_t>(a[0].i);
  int shift = 60;
  while (shift > 0 && (bits >> shift) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) c->text.push_back(kDigits[(bits >> shift) & 15]);
  return Value::String(c->text);
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
    {"hex", 1, 1, {kIntMask}, kStringMask, Hex},
    {"from_hex", 1, 1, {kStringMask}, kIntMask, FromHex},
};

}  // namespace

std::span<const FunctionDef> BitFunctions() { return kTable; }

}  // namespace rivulet::expr
