// Floats that lie near one another, as bytes: each by the bits in which it differs from the one before.
// Readings repeat, or differ in few bits: whole numbers take two or three bytes, repetitions one.
//
// One float:  zero bytes at the low end (4 bits), bytes that follow (4 bits) | these bytes, low first
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/coding.h"

namespace rivulet {

inline void PutNearFloat(std::string* out, double v, uint64_t* before) {
  const auto bits = std::bit_cast<uint64_t>(v);
  uint64_t difference = bits ^ *before;
  *before = bits;
  const int zeros = difference == 0 ? 0 : std::countr_zero(difference) / 8;
  difference >>= 8 * zeros;
  const int bytes = (static_cast<int>(std::bit_width(difference)) + 7) / 8;
  out->push_back(static_cast<char>(zeros << 4 | bytes));
  for (int i = 0; i < bytes; ++i) out->push_back(static_cast<char>(difference >> (8 * i)));
}

inline bool GetNearFloat(std::string_view* in, double* v, uint64_t* before) {
  uint8_t head = 0;
  if (!GetFixed(in, &head)) return false;
  const unsigned zeros = head >> 4, bytes = head & 15;
  if (zeros + bytes > 8 || zeros > 7 || in->size() < bytes) return false;
  uint64_t difference = 0;
  for (unsigned i = 0; i < bytes; ++i) {
    difference |= uint64_t{static_cast<uint8_t>((*in)[i])} << (8 * i);
  }
  in->remove_prefix(bytes);
  *before ^= difference << (8 * zeros);
  *v = std::bit_cast<double>(*before);
  return true;
}

}  // namespace rivulet
