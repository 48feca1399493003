// ByteArena: bytes that stay where they are until all of them are given up together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rivulet {

// Chunks, so that views stay valid while it grows; each is twice as large as the one before, up to a bound,
// as there can be hundreds of arenas that hold little. After warm-up, filling one allocates nothing. Not
// thread-safe.
class ByteArena {
 public:
  // Copies `bytes` to where they stay until Clear.
  std::string_view Keep(std::string_view bytes) {
    const bool fits =
        used_ > 0 && chunks_[used_ - 1].capacity() - chunks_[used_ - 1].size() >= bytes.size();
    if (!fits) {
      if (used_ == chunks_.size()) chunks_.emplace_back();
      const size_t usual = kLeastChunk << std::min(used_, kDoublings);
      std::string& next = chunks_[used_++];
      next.clear();
      next.reserve(std::max(usual, bytes.size()));
    }
    std::string& chunk = chunks_[used_ - 1];
    const size_t offset = chunk.size();
    chunk.append(bytes);
    return {chunk.data() + offset, bytes.size()};
  }

  // A few chunks are kept for reuse; what a flood, or a single large text, took beyond these is given back.
  void Clear() {
    used_ = 0;
    std::erase_if(chunks_, [](const std::string& c) { return c.capacity() > 2 * kMostChunk; });
    if (chunks_.size() > kKeptChunks) chunks_.resize(kDoublings);
  }

 private:
  static constexpr size_t kLeastChunk = 4 << 10, kDoublings = 6;
  static constexpr size_t kMostChunk = kLeastChunk << kDoublings;
  static constexpr size_t kKeptChunks = kDoublings + 3;

  // Strings of this size live on the heap, so moving the vector's elements moves no bytes.
  std::vector<std::string> chunks_;
  size_t used_ = 0;  // chunks in use
};

}  // namespace rivulet
