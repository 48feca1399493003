// The vector block, the word block and a loop over the bytes give the same answers.
#include "operators/decode/byte_block.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

namespace rivulet::decode {
namespace {

template <typename Block>
std::vector<bool> Bytes(typename Block::Mask mask) {
  REQUIRE((mask & ~Block::kAll) == 0);
  std::vector<bool> out;
  for (size_t k = 0; k < kBlockBytes; ++k) out.push_back(((mask >> (k * Block::kStride)) & 1) != 0);
  return out;
}

template <typename Test>
std::vector<bool> ByLoop(const char* p, Test test) {
  std::vector<bool> out;
  for (size_t k = 0; k < kBlockBytes; ++k) out.push_back(test(static_cast<unsigned char>(p[k])));
  return out;
}

template <typename Block>
void CheckBlock(const char* p, char c) {
  const Block block(p);
  const auto wanted = static_cast<unsigned char>(c);
  CHECK(Bytes<Block>(block.Equal(c)) == ByLoop(p, [wanted](unsigned char b) { return b == wanted; }));
  CHECK(Bytes<Block>(block.Digits()) == ByLoop(p, [](unsigned char b) { return b >= '0' && b <= '9'; }));
  CHECK(Bytes<Block>(block.NotPrintable()) ==
        ByLoop(p, [](unsigned char b) { return b < 0x20 || b >= 0x80; }));
  uint64_t equal = 0;
  for (size_t k = 0; k < 64; ++k) equal |= uint64_t{p[k] == c} << k;
  CHECK(Block::Equal64(p, c) == equal);
}

template <typename Block>
void CheckSame(const char* p, size_t length) {
  ByteMask mask, text;
  std::memset(mask.bytes, 0xff, length);
  std::memcpy(text.bytes, p, length);
  CHECK(Block::Same(p, mask, text));
  for (size_t k = 0; k < length; ++k) {
    ByteMask other = text;
    other.bytes[k] = static_cast<char>(other.bytes[k] ^ 0x80);
    CHECK_FALSE(Block::Same(p, mask, other));
  }
}

}  // namespace

TEST_CASE("byte block: every byte value at every place") {
  char text[64];
  for (int c = 0; c < 256; ++c) {
    for (size_t k = 0; k < kBlockBytes; ++k) {
      std::memset(text, '5', sizeof(text));
      text[k] = static_cast<char>(c);
      CheckBlock<WordBlock>(text, static_cast<char>(c));
      CheckBlock<VectorBlock>(text, static_cast<char>(c));
    }
  }
}

TEST_CASE("byte block: random bytes, at any alignment") {
  std::mt19937_64 random(3);
  const std::string likely = "0123456789.,:\"{} -e\\\x1f\x7f\x80\xff/;";
  std::string text(64 + kBlockBytes, ' ');
  for (int round = 0; round < 2000; ++round) {
    for (char& c : text) c = likely[random() % likely.size()];
    const char* const p = text.data() + random() % kBlockBytes;
    const char c = likely[random() % likely.size()];
    CheckBlock<WordBlock>(p, c);
    CheckBlock<VectorBlock>(p, c);
    CheckSame<WordBlock>(p, random() % (kBlockBytes + 1));
    CheckSame<VectorBlock>(p, random() % (kBlockBytes + 1));
  }
}

}  // namespace rivulet::decode
