#include "operators/join/join_buffers.h"

#include <algorithm>

#include "base/coding.h"
#include "base/hash.h"
#include "base/types.h"
#include "base/value_codec.h"

namespace rivulet {
namespace {

// No event time comes near the ends of int64: the source refuses it.
constexpr int64_t kFarthest = int64_t{1} << 61;

}  // namespace

int64_t JoinChunk::bucket() const {
  std::string_view suffix = std::string_view(key).substr(key.size() - kSuffix + 1);
  int64_t bucket = 0;
  GetOrderedI64(&suffix, &bucket);
  return bucket;
}

JoinBuffers::JoinBuffers(const std::string& prefix, const StateView* view, KeyShare share,
                         JoinSide first, int64_t width, size_t left_values, size_t right_values)
    : KeyStateTableOf<JoinChunk>(prefix, view, share),
      share_(share),
      first_(first),
      width_(width),
      left_values_(left_values),
      right_values_(right_values) {}

JoinBuffers::~JoinBuffers() = default;

int64_t JoinBuffers::BucketOf(int64_t time) const { return (time - FloorMod(time, width_)) / width_; }

// Rows are shared out by the key of their records.
bool JoinBuffers::Owns(std::string_view row_key, uint64_t) const {
  if (row_key.size() < JoinChunk::kSuffix) return false;
  return share_.Owns(Hash64(row_key.substr(0, row_key.size() - JoinChunk::kSuffix)));
}

JoinChunk* JoinBuffers::At(std::string_view key, JoinSide side, int64_t bucket, uint32_t number,
                           bool create) {
  row_key_.assign(key);
  row_key_.push_back(side == first_ ? 0 : 1);
  PutOrderedI64(&row_key_, bucket);
  for (int shift = 24; shift >= 0; shift -= 8) row_key_.push_back(static_cast<char>(number >> shift));
  return Find(row_key_, Hash64(row_key_), create);
}

JoinChunk* JoinBuffers::Add(std::string_view key, JoinSide side, int64_t time, std::string_view values,
                            bool matched) {
  const int64_t bucket = BucketOf(time);
  JoinChunk* head = At(key, side, bucket, 0, true);
  if (head->chunks == 0) head->chunks = 1;
  JoinChunk* chunk = head->chunks == 1 ? head : At(key, side, bucket, head->chunks - 1, true);
  if (chunk->items.size() >= kChunkItems || chunk->bytes.size() >= kChunkBytes) {
    chunk = At(key, side, bucket, head->chunks++, true);
    MarkDirty(head);
  }
  Append(chunk, time, values, matched);
  MarkDirty(chunk);
  Remeasure(chunk);
  return chunk;
}

void JoinBuffers::Append(JoinChunk* chunk, int64_t time, std::string_view values, bool matched) {
  chunk->first = chunk->items.empty() ? time : std::min(chunk->first, time);
  chunk->last = chunk->items.empty() ? time : std::max(chunk->last, time);
  chunk->items.push_back({time, static_cast<uint32_t>(chunk->bytes.size()),
                          static_cast<uint32_t>(values.size()), matched});
  chunk->bytes.append(values);
}

bool JoinBuffers::Renew(KeyState* state) {
  auto& chunk = static_cast<JoinChunk&>(*state);
  chunk.items.clear();
  chunk.bytes.clear();
  chunk.chunks = 0;
  return true;
}

void JoinBuffers::Drop(JoinChunk* chunk) {
  Renew(chunk);
  Remeasure(chunk);
  Erase(chunk);
}

size_t JoinBuffers::Measure(const KeyState& state) const {
  const auto& chunk = static_cast<const JoinChunk&>(state);
  return sizeof(JoinChunk) - sizeof(KeyState) + chunk.items.capacity() * sizeof(JoinChunk::Item) +
         chunk.bytes.capacity();
}

void JoinBuffers::Encode(const KeyState& state, std::string* out) {
  const auto& chunk = static_cast<const JoinChunk&>(state);
  PutVarint(out, chunk.chunks);
  PutVarint(out, chunk.items.size());
  for (const JoinChunk::Item& item : chunk.items) {
    PutFixed(out, item.time);
    out->push_back(item.matched ? 1 : 0);
    out->append(chunk.Values(item));
  }
}

bool JoinBuffers::DecodeItem(std::string_view* row, size_t values, JoinChunk* chunk) const {
  int64_t time = 0;
  uint8_t matched = 0;
  if (!GetFixed(row, &time) || !GetFixed(row, &matched) || matched > 1) return false;
  if (time < -kFarthest || time > kFarthest || BucketOf(time) != chunk->bucket()) return false;
  const std::string_view from = *row;
  for (size_t i = 0; i < values; ++i) {
    Value value;
    if (!GetValue(row, &value)) return false;
  }
  Append(chunk, time, from.substr(0, from.size() - row->size()), matched == 1);
  return true;
}

Status JoinBuffers::Decode(std::string_view row, KeyState* state) {
  const Status corrupt(ErrorCode::kCorrupt, "the stored records of a join cannot be read");
  auto& chunk = static_cast<JoinChunk&>(*state);
  uint64_t chunks = 0, items = 0;
  if (chunk.key.size() < JoinChunk::kSuffix || chunk.rank() > 1 || !GetVarint(&row, &chunks) ||
      chunks > UINT32_MAX || !GetVarint(&row, &items)) {
    return corrupt;
  }
  chunk.chunks = static_cast<uint32_t>(chunks);
  const size_t values = SideOf(chunk) == JoinSide::kLeft ? left_values_ : right_values_;
  for (uint64_t i = 0; i < items; ++i) {
    if (!DecodeItem(&row, values, &chunk)) return corrupt;
  }
  return row.empty() && items > 0 ? Status::Ok() : corrupt;
}

}  // namespace rivulet
