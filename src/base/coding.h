// How integers and keys become bytes, in memory order (fixed, varint) and in sort order (ordered).
//
// Ordered encodings compare with memcmp as the values compare, so a store that sorts bytes sorts
// values. Readers take a string_view and advance it; they return false, changing nothing that
// matters, when the bytes are too short or malformed: no reader trusts its input.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace rivulet {

// --- fixed width, little endian ---
template <typename T>
inline void PutFixed(std::string* out, T v) {
  static_assert(std::endian::native == std::endian::little, "stored formats are little endian");
  char b[sizeof(T)];
  std::memcpy(b, &v, sizeof(T));
  out->append(b, sizeof(T));
}
template <typename T>
inline bool GetFixed(std::string_view* in, T* v) {
  if (in->size() < sizeof(T)) return false;
  std::memcpy(v, in->data(), sizeof(T));
  in->remove_prefix(sizeof(T));
  return true;
}

// --- varint: 7 bits a byte, low first (LEB128); zigzag for signed ---
inline void PutVarint(std::string* out, uint64_t v) {
  char b[10];
  int n = 0;
  while (v >= 0x80) {
    b[n++] = static_cast<char>(v | 0x80);
    v >>= 7;
  }
  b[n++] = static_cast<char>(v);
  out->append(b, static_cast<size_t>(n));
}
inline bool GetVarint(std::string_view* in, uint64_t* v) {
  uint64_t r = 0;
  for (int shift = 0; shift < 64 && !in->empty(); shift += 7) {
    const auto b = static_cast<uint8_t>(in->front());
    in->remove_prefix(1);
    if (shift == 63 && b > 1) return false;
    r |= static_cast<uint64_t>(b & 0x7f) << shift;
    if (b < 0x80) {
      *v = r;
      return true;
    }
  }
  return false;
}
inline uint64_t ZigZag(int64_t v) {
  return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63);
}
inline int64_t UnZigZag(uint64_t v) {
  return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1);
}
inline void PutSignedVarint(std::string* out, int64_t v) { PutVarint(out, ZigZag(v)); }
inline bool GetSignedVarint(std::string_view* in, int64_t* v) {
  uint64_t u = 0;
  if (!GetVarint(in, &u)) return false;
  *v = UnZigZag(u);
  return true;
}

// --- length-prefixed bytes ---
inline void PutBytes(std::string* out, std::string_view bytes) {
  PutVarint(out, bytes.size());
  out->append(bytes);
}
inline bool GetBytes(std::string_view* in, std::string_view* bytes) {
  uint64_t n = 0;
  if (!GetVarint(in, &n) || n > in->size()) return false;
  *bytes = in->substr(0, n);
  in->remove_prefix(n);
  return true;
}

// --- ordered: big endian, sign bit flipped for signed ---
inline void PutOrderedU16(std::string* out, uint16_t v) {
  out->push_back(static_cast<char>(v >> 8));
  out->push_back(static_cast<char>(v));
}
inline void PutOrderedU64(std::string* out, uint64_t v) {
  v = __builtin_bswap64(v);
  PutFixed(out, v);
}
inline bool GetOrderedU16(std::string_view* in, uint16_t* v) {
  if (in->size() < 2) return false;
  *v = static_cast<uint16_t>(static_cast<uint8_t>((*in)[0]) << 8 | static_cast<uint8_t>((*in)[1]));
  in->remove_prefix(2);
  return true;
}
inline bool GetOrderedU64(std::string_view* in, uint64_t* v) {
  if (!GetFixed(in, v)) return false;
  *v = __builtin_bswap64(*v);
  return true;
}
inline void PutOrderedI64(std::string* out, int64_t v) {
  PutOrderedU64(out, static_cast<uint64_t>(v) ^ (1ull << 63));
}
inline bool GetOrderedI64(std::string_view* in, int64_t* v) {
  uint64_t u = 0;
  if (!GetOrderedU64(in, &u)) return false;
  *v = static_cast<int64_t>(u ^ (1ull << 63));
  return true;
}

}  // namespace rivulet
