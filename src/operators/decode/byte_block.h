// Sixteen bytes of a text looked at together. Each question about them is answered by a mask with one
// bit a byte, `kStride` bits apart, byte 0 lowest: so `mask & -mask` is the first byte it holds for and
// `mask & (mask - 1)` takes that one away, on every platform alike.
//
// Vector instructions where every CPU of the architecture has them (SSE2 on x86-64, NEON on AArch64);
// elsewhere two 64-bit words, after Lamport, "Multiple byte processing with full-word instructions"
// (1975).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace rivulet::decode {

inline constexpr size_t kBlockBytes = 16;

struct alignas(kBlockBytes) ByteMask {
  char bytes[kBlockBytes] = {};
};

class WordBlock {
 public:
  using Mask = uint32_t;
  static constexpr int kStride = 1;
  static constexpr Mask kAll = 0xffff;

  explicit WordBlock(const char* p) {
    static_assert(std::endian::native == std::endian::little);
    std::memcpy(word_, p, kBlockBytes);
  }
  Mask Equal(char c) const {
    return Gather([c](uint64_t w) {
      w ^= kOnes * static_cast<uint8_t>(c);
      return ~(((w & ~kHighs) + ~kHighs) | w | ~kHighs);
    });
  }
  Mask Digits() const {
    return Gather([](uint64_t w) {
      w ^= kOnes * '0';  // digits become 0 to 9
      return ~(((w & ~kHighs) + kOnes * 0x76) | w) & kHighs;
    });
  }
  // Bytes a string of plain ASCII cannot have: below 0x20, or from 0x80 on.
  Mask NotPrintable() const {
    return Gather([](uint64_t w) { return (~((w & ~kHighs) + kOnes * 0x60) | w) & kHighs; });
  }
  // Whether the block at `p`, as far as `mask` goes, is `text`.
  static bool Same(const char* p, const ByteMask& mask, const ByteMask& text) {
    uint64_t word[2], m[2], t[2];
    std::memcpy(word, p, kBlockBytes);
    std::memcpy(m, mask.bytes, kBlockBytes);
    std::memcpy(t, text.bytes, kBlockBytes);
    return (((word[0] & m[0]) ^ t[0]) | ((word[1] & m[1]) ^ t[1])) == 0;
  }
  // Which of 64 bytes are `c`: a bit each, on every platform.
  static uint64_t Equal64(const char* p, char c) {
    uint64_t out = 0;
    for (size_t k = 0; k < 4; ++k) {
      out |= uint64_t{WordBlock(p + k * kBlockBytes).Equal(c)} << (k * kBlockBytes);
    }
    return out;
  }

 private:
  static constexpr uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;

  static uint64_t Bits(uint64_t highs) { return (highs >> 7) * 0x0102040810204080 >> 56; }

  // `test` answers by the highest bit of each byte.
  template <typename Test>
  Mask Gather(Test test) const {
    return static_cast<Mask>(Bits(test(word_[0])) | Bits(test(word_[1])) << 8);
  }

  uint64_t word_[2];
};

#if defined(__SSE2__)
class VectorBlock {
 public:
  using Mask = uint32_t;
  static constexpr int kStride = 1;
  static constexpr Mask kAll = 0xffff;

  explicit VectorBlock(const char* p) : v_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))) {}
  Mask Equal(char c) const { return Bits(_mm_cmpeq_epi8(v_, _mm_set1_epi8(c))); }
  Mask Digits() const {
    const __m128i from_zero = _mm_sub_epi8(v_, _mm_set1_epi8('0'));
    return Bits(_mm_cmpeq_epi8(_mm_min_epu8(from_zero, _mm_set1_epi8(9)), from_zero));
  }
  Mask NotPrintable() const { return Bits(_mm_cmplt_epi8(v_, _mm_set1_epi8(0x20))); }
  static bool Same(const char* p, const ByteMask& mask, const ByteMask& text) {
    const __m128i m = _mm_load_si128(reinterpret_cast<const __m128i*>(mask.bytes));
    const __m128i t = _mm_load_si128(reinterpret_cast<const __m128i*>(text.bytes));
    return Bits(_mm_cmpeq_epi8(_mm_and_si128(VectorBlock(p).v_, m), t)) == kAll;
  }
  static uint64_t Equal64(const char* p, char c) {
    const auto part = [p, c](size_t k) {
      return uint64_t{VectorBlock(p + k * kBlockBytes).Equal(c)} << (k * kBlockBytes);
    };
    return (part(0) | part(1)) | (part(2) | part(3));
  }

 private:
  static Mask Bits(__m128i v) { return static_cast<Mask>(_mm_movemask_epi8(v)); }
  __m128i v_;
};
#elif defined(__aarch64__)
class VectorBlock {
 public:
  using Mask = uint64_t;
  static constexpr int kStride = 4;
  static constexpr Mask kAll = 0x1111111111111111;

  explicit VectorBlock(const char* p) : v_(vld1q_u8(reinterpret_cast<const uint8_t*>(p))) {}
  Mask Equal(char c) const { return Bits(vceqq_u8(v_, vdupq_n_u8(static_cast<uint8_t>(c)))); }
  Mask Digits() const {
    return Bits(vcleq_u8(vsubq_u8(v_, vdupq_n_u8('0')), vdupq_n_u8(9)));
  }
  Mask NotPrintable() const {
    return Bits(vcltq_s8(vreinterpretq_s8_u8(v_), vdupq_n_s8(0x20)));
  }
  static bool Same(const char* p, const ByteMask& mask, const ByteMask& text) {
    return WordBlock::Same(p, mask, text);
  }
  static uint64_t Equal64(const char* p, char c) {
    constexpr uint8_t kBit[kBlockBytes] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t bit = vld1q_u8(kBit);
    const auto part = [p, c, bit](size_t k) {
      const uint8x16_t v = VectorBlock(p + k * kBlockBytes).v_;
      return vandq_u8(vceqq_u8(v, vdupq_n_u8(static_cast<uint8_t>(c))), bit);
    };
    const uint8x16_t pairs = vpaddq_u8(vpaddq_u8(part(0), part(1)), vpaddq_u8(part(2), part(3)));
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(pairs, pairs)), 0);
  }

 private:
  static Mask Bits(uint8x16_t v) {
    const uint8x8_t nibbles = vshrn_n_u16(vreinterpretq_u16_u8(v), 4);
    return vget_lane_u64(vreinterpret_u64_u8(nibbles), 0) & kAll;
  }
  uint8x16_t v_;
};
#else
using VectorBlock = WordBlock;
#endif

// The byte the lowest bit of `mask` stands for; `mask` is not 0.
template <typename Block>
inline size_t FirstByte(typename Block::Mask mask) {
  return static_cast<size_t>(std::countr_zero(mask)) / Block::kStride;
}

}  // namespace rivulet::decode
