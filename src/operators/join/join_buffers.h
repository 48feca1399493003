// JoinBuffers: the records of both sides of a join that can still have partners, by key, side and time.
//
// A side's records of a key lie in buckets of event time, a bucket in chunks of bounded size, one row of
// state each: a record that comes rewrites one chunk at the next commit, however many its key has. The chunks
// of a bucket are numbered; the first says how many there are. They go together, when no record of the
// bucket can have a partner any more.
//
// Key of a row:  key | rank of the side (1 byte) | bucket (8 bytes, ordered) | number (4 bytes, big endian)
// Row:           chunks of the bucket (varint; 0 but in the first) | records (varint)
//                per record: time (8 bytes) | has had a partner (1 byte) | values (see value_codec.h)
// An encoded key is no prefix of another, so rows lie in the order of (key, rank, bucket, number).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "operators/state/key_state_table.h"

namespace rivulet {

enum class JoinSide : uint8_t { kLeft = 0, kRight = 1 };
constexpr JoinSide OtherSide(JoinSide side) {
  return side == JoinSide::kLeft ? JoinSide::kRight : JoinSide::kLeft;
}

struct JoinChunk final : KeyState {
  struct Item {
    int64_t time;
    uint32_t offset, length;    // of its values in `bytes`
    bool matched;
  };
  std::vector<Item> items;      // in the order in which they came
  std::string bytes;
  int64_t first = 0, last = 0;  // earliest and latest time, when there are items
  uint32_t chunks = 0;          // in the first of a bucket: how many there are

  std::string_view Values(const Item& item) const {
    return std::string_view(bytes).substr(item.offset, item.length);
  }
  // Of the row's key.
  static constexpr size_t kSuffix = 1 + 8 + 4;
  std::string_view record_key() const { return std::string_view(key).substr(0, key.size() - kSuffix); }
  uint8_t rank() const { return static_cast<uint8_t>(key[key.size() - kSuffix]); }
  int64_t bucket() const;
};

// One thread.
class JoinBuffers final : public KeyStateTableOf<JoinChunk> {
 public:
  // `first`: the side whose records come first among those that expire at one time. `width`: of buckets, us.
  // Records of the left side have `left_values` values each, those of the right side `right_values`.
  JoinBuffers(const std::string& prefix, const StateView* view, KeyShare share, JoinSide first,
              int64_t width, size_t left_values, size_t right_values);
  ~JoinBuffers() override;

  int64_t BucketOf(int64_t time) const;
  // End of a bucket: times in it are less.
  int64_t EndOf(int64_t bucket) const { return (bucket + 1) * width_; }
  JoinSide SideOf(const JoinChunk& chunk) const { return chunk.rank() == 0 ? first_ : OtherSide(first_); }

  // Null when there is none.
  JoinChunk* FindChunk(std::string_view key, JoinSide side, int64_t bucket, uint32_t number) {
    return At(key, side, bucket, number, false);
  }
  // Puts a record behind all that its bucket has; returns its chunk. The caller sets a timer.
  JoinChunk* Add(std::string_view key, JoinSide side, int64_t time, std::string_view values, bool matched);
  // Forgets all of the chunk's records, and the chunk.
  void Drop(JoinChunk* chunk);

 protected:
  bool Owns(std::string_view row_key, uint64_t hash) const override;
  void Encode(const KeyState& state, std::string* out) override;
  Status Decode(std::string_view row, KeyState* state) override;
  bool Empty(const KeyState& state) const override {
    return static_cast<const JoinChunk&>(state).items.empty();
  }
  size_t Measure(const KeyState& state) const override;
  bool Renew(KeyState* state) override;

 private:
  // So many records, or bytes of values, and a chunk is full.
  static constexpr size_t kChunkItems = 64, kChunkBytes = 4096;

  JoinChunk* At(std::string_view key, JoinSide side, int64_t bucket, uint32_t number, bool create);
  static void Append(JoinChunk* chunk, int64_t time, std::string_view values, bool matched);
  bool DecodeItem(std::string_view* row, size_t values, JoinChunk* chunk) const;

  KeyShare share_;
  JoinSide first_;
  int64_t width_;
  size_t left_values_, right_values_;
  std::string row_key_;   // scratch
};

}  // namespace rivulet
