// Whole numbers of 128 bits, for products and sums of 64-bit ones that must not overflow. GCC has
// them on 64-bit platforms only; on 32-bit ARM WideInt takes their place, which computes the same.
#pragma once

#include <bit>
#include <cmath>
#include <compare>
#include <concepts>
#include <cstdint>

namespace rivulet {

// The high 64 bits of the product: floor(a * b / 2^64).
constexpr uint64_t MultiplyHigh(uint64_t a, uint64_t b) {
#if defined(__SIZEOF_INT128__)
  return static_cast<uint64_t>((static_cast<unsigned __int128>(a) * b) >> 64);
#else
  const uint64_t a0 = static_cast<uint32_t>(a), a1 = a >> 32;
  const uint64_t b0 = static_cast<uint32_t>(b), b1 = b >> 32;
  const uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
  const uint64_t carry = a0 * b1 + static_cast<uint32_t>(middle);
  return a1 * b1 + (middle >> 32) + (carry >> 32);
#endif
}

// Two's complement in two halves; overflow wraps, division goes towards 0, as for __int128 with
// -fwrapv.
class WideInt {
 public:
  constexpr WideInt() = default;
  template <std::integral T>
  constexpr WideInt(T v)  // NOLINT: as whole numbers widen everywhere
      : low_(static_cast<uint64_t>(v)), high_(v < T{0} ? ~uint64_t{0} : 0) {}

  template <std::integral T>
  explicit constexpr operator T() const {
    return static_cast<T>(low_);
  }
  // To the nearest, halves to even.
  explicit operator double() const {
    if (IsNegative()) return -Magnitude().UnsignedToDouble();
    return UnsignedToDouble();
  }

  constexpr WideInt operator-() const { return Of(~high_ + (low_ == 0), ~low_ + 1); }
  friend constexpr WideInt operator+(const WideInt& a, const WideInt& b) {
    const uint64_t low = a.low_ + b.low_;
    return Of(a.high_ + b.high_ + (low < a.low_), low);
  }
  friend constexpr WideInt operator-(const WideInt& a, const WideInt& b) { return a + -b; }
  friend constexpr WideInt operator*(const WideInt& a, const WideInt& b) {
    return Of(MultiplyHigh(a.low_, b.low_) + a.high_ * b.low_ + a.low_ * b.high_, a.low_ * b.low_);
  }
  friend constexpr WideInt operator/(const WideInt& a, const WideInt& b) {
    WideInt rest;
    const WideInt q = Divide(a.Magnitude(), b.Magnitude(), &rest);
    return a.IsNegative() != b.IsNegative() ? -q : q;
  }
  friend constexpr WideInt operator%(const WideInt& a, const WideInt& b) {
    WideInt rest;
    Divide(a.Magnitude(), b.Magnitude(), &rest);
    return a.IsNegative() ? -rest : rest;
  }
  friend constexpr WideInt operator|(const WideInt& a, const WideInt& b) {
    return Of(a.high_ | b.high_, a.low_ | b.low_);
  }
  // By 0 to 127 bits; to the right the sign comes in.
  friend constexpr WideInt operator<<(const WideInt& a, int n) {
    if (n >= 64) return Of(a.low_ << (n - 64), 0);
    return n == 0 ? a : Of(a.high_ << n | a.low_ >> (64 - n), a.low_ << n);
  }
  friend constexpr WideInt operator>>(const WideInt& a, int n) {
    const auto high = static_cast<int64_t>(a.high_);
    if (n >= 64) return Of(static_cast<uint64_t>(high >> 63), static_cast<uint64_t>(high >> (n - 64)));
    return n == 0 ? a : Of(static_cast<uint64_t>(high >> n), a.high_ << (64 - n) | a.low_ >> n);
  }
  constexpr WideInt& operator+=(const WideInt& b) { return *this = *this + b; }
  constexpr WideInt& operator-=(const WideInt& b) { return *this = *this - b; }
  constexpr WideInt& operator*=(const WideInt& b) { return *this = *this * b; }
  constexpr WideInt& operator/=(const WideInt& b) { return *this = *this / b; }

  friend constexpr bool operator==(const WideInt&, const WideInt&) = default;
  friend constexpr std::strong_ordering operator<=>(const WideInt& a, const WideInt& b) {
    if (a.high_ != b.high_) return static_cast<int64_t>(a.high_) <=> static_cast<int64_t>(b.high_);
    return a.low_ <=> b.low_;
  }

 private:
  static constexpr WideInt Of(uint64_t high, uint64_t low) {
    WideInt v;
    v.high_ = high;
    v.low_ = low;
    return v;
  }
  // As unsigned numbers, bit by bit: divisions of this width are rare.
  static constexpr WideInt Divide(const WideInt& a, const WideInt& b, WideInt* rest) {
    WideInt quotient;
    for (int bit = 127; bit >= 0; --bit) {
      *rest = *rest << 1;
      rest->low_ |= (bit >= 64 ? a.high_ : a.low_) >> (bit % 64) & 1;
      if (rest->UnsignedLess(b)) continue;
      *rest -= b;
      quotient = quotient | WideInt(1) << bit;
    }
    return quotient;
  }

  constexpr bool IsNegative() const { return (high_ >> 63) != 0; }
  // To be read as unsigned: the least number has one, too.
  constexpr WideInt Magnitude() const { return IsNegative() ? -*this : *this; }
  constexpr bool UnsignedLess(const WideInt& b) const {
    return high_ != b.high_ ? high_ < b.high_ : low_ < b.low_;
  }
  double UnsignedToDouble() const {
    if (high_ == 0) return static_cast<double>(low_);
    // The highest 64 bits, the lowest of them set when any is beyond them: one rounding, the right
    // one.
    const int room = std::countl_zero(high_);
    const WideInt top = *this << room;
    return std::ldexp(static_cast<double>(top.high_ | (top.low_ != 0)), 64 - room);
  }

  uint64_t low_ = 0, high_ = 0;
};

#if defined(__SIZEOF_INT128__)
using Int128 = __int128;
#else
using Int128 = WideInt;
#endif

}  // namespace rivulet
