#include "operators/join/join_buffers.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "base/coding.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/value_codec.h"
#include "tests/operators/window_testing.h"

namespace rivulet {
namespace {

constexpr int64_t kWidth = 100;
constexpr int64_t kFired = -1'000'000;

// One value of a left record, two of a right one.
std::unique_ptr<JoinBuffers> Open(const MapState& state, KeyShare share = {},
                                  JoinSide first = JoinSide::kLeft) {
  auto buffers = std::make_unique<JoinBuffers>("p", &state, share, first, kWidth, 1, 2);
  REQUIRE(buffers->Open().ok());
  return buffers;
}

std::string Values(JoinSide side, int64_t number, const std::string& text = "x") {
  std::string bytes;
  PutValue(&bytes, Value::Int(number));
  if (side == JoinSide::kRight) PutValue(&bytes, Value::String(text));
  return bytes;
}

JoinChunk* Add(JoinBuffers* buffers, const std::string& key, JoinSide side, int64_t time,
               const std::string& values, bool matched = false) {
  JoinChunk* chunk = buffers->Add(key, side, time, values, matched);
  const int64_t end = buffers->EndOf(buffers->BucketOf(time));
  buffers->SetTimer(chunk, std::min(end, buffers->TimerOf(*chunk)), kFired);
  return chunk;
}

void Commit(JoinBuffers* buffers, MapState* state) {
  buffers->CollectChanges(state);
  buffers->OnCommitted();
}

// Forgets what expires up to `time`.
void Advance(JoinBuffers* buffers, int64_t from, int64_t time) {
  const FirePoint point{time, true, ""};
  buffers->BringDue({from, true, ""}, point);
  while (JoinChunk* chunk = buffers->NextDue(point)) buffers->Drop(chunk);
}

// All records of a bucket, in order.
std::vector<std::pair<int64_t, std::string>> All(JoinBuffers* buffers, const std::string& key,
                                                 JoinSide side, int64_t bucket) {
  std::vector<std::pair<int64_t, std::string>> found;
  const JoinChunk* head = buffers->FindChunk(key, side, bucket, 0);
  const uint32_t chunks = head == nullptr ? 0 : head->chunks;
  for (uint32_t number = 0; number < chunks; ++number) {
    const JoinChunk* chunk = buffers->FindChunk(key, side, bucket, number);
    REQUIRE(chunk != nullptr);
    for (const JoinChunk::Item& item : chunk->items) found.emplace_back(item.time, chunk->Values(item));
  }
  return found;
}

// The key of a chunk's row behind the table's prefix.
std::string RowKey(const std::string& key, uint8_t rank, int64_t bucket, uint32_t number) {
  std::string row = key;
  row.push_back(static_cast<char>(rank));
  PutOrderedI64(&row, bucket);
  for (int shift = 24; shift >= 0; shift -= 8) row.push_back(static_cast<char>(number >> shift));
  return row;
}

}  // namespace

TEST_CASE("buckets hold whole widths of time, before 1970 as well") {
  MapState state;
  const auto buffers = Open(state);
  CHECK(buffers->BucketOf(0) == 0);
  CHECK(buffers->BucketOf(99) == 0);
  CHECK(buffers->BucketOf(100) == 1);
  CHECK(buffers->BucketOf(-1) == -1);
  CHECK(buffers->BucketOf(-100) == -1);
  CHECK(buffers->BucketOf(-101) == -2);
  CHECK(buffers->EndOf(-1) == 0);
  const JoinChunk* chunk = Add(buffers.get(), "k", JoinSide::kRight, -150, Values(JoinSide::kRight, 1));
  CHECK(chunk->bucket() == -2);
  CHECK(chunk->record_key() == "k");
  CHECK(buffers->SideOf(*chunk) == JoinSide::kRight);
}

TEST_CASE("keys, sides and buckets are apart, and a chunk knows its earliest and latest time") {
  MapState state;
  const auto buffers = Open(state, {}, JoinSide::kRight);
  Add(buffers.get(), "k", JoinSide::kLeft, 150, Values(JoinSide::kLeft, 1));
  Add(buffers.get(), "k", JoinSide::kLeft, 120, Values(JoinSide::kLeft, 2));
  Add(buffers.get(), "k", JoinSide::kLeft, 250, Values(JoinSide::kLeft, 3));
  Add(buffers.get(), "k", JoinSide::kRight, 130, Values(JoinSide::kRight, 4));
  Add(buffers.get(), "kk", JoinSide::kLeft, 140, Values(JoinSide::kLeft, 5));
  const JoinChunk* chunk = buffers->FindChunk("k", JoinSide::kLeft, 1, 0);
  REQUIRE(chunk != nullptr);
  CHECK(chunk->items.size() == 2);
  CHECK(chunk->first == 120);
  CHECK(chunk->last == 150);
  CHECK(chunk->rank() == 1);  // the right side comes first here
  CHECK(buffers->SideOf(*chunk) == JoinSide::kLeft);
  CHECK(All(buffers.get(), "k", JoinSide::kLeft, 2).size() == 1);
  CHECK(All(buffers.get(), "k", JoinSide::kRight, 1).size() == 1);
  CHECK(All(buffers.get(), "kk", JoinSide::kLeft, 1).size() == 1);
  CHECK(buffers->FindChunk("k", JoinSide::kLeft, 3, 0) == nullptr);
  CHECK(buffers->FindChunk("other", JoinSide::kLeft, 1, 0) == nullptr);
}

TEST_CASE("a chunk takes 64 records or 4 KB, and a commit writes those that changed") {
  MapState state;
  const auto buffers = Open(state);
  for (int64_t i = 0; i < 150; ++i) {
    Add(buffers.get(), "k", JoinSide::kLeft, i % 100, Values(JoinSide::kLeft, i));
  }
  CHECK(buffers->EntriesInMemory() == 3);
  CHECK(buffers->FindChunk("k", JoinSide::kLeft, 0, 0)->chunks == 3);
  CHECK(buffers->FindChunk("k", JoinSide::kLeft, 0, 1)->items.size() == 64);
  CHECK(buffers->FindChunk("k", JoinSide::kLeft, 0, 2)->items.size() == 22);
  Commit(buffers.get(), &state);
  CHECK(state.rows.size() == 6);  // each with a timer
  state.puts = 0;
  Add(buffers.get(), "k", JoinSide::kLeft, 50, Values(JoinSide::kLeft, 150));
  Commit(buffers.get(), &state);
  CHECK(state.puts == 1);
  const std::vector<std::pair<int64_t, std::string>> all = All(buffers.get(), "k", JoinSide::kLeft, 0);
  REQUIRE(all.size() == 151);
  for (int64_t i = 0; i < 151; ++i) {
    CHECK(all[static_cast<size_t>(i)].second == Values(JoinSide::kLeft, i));
  }

  const std::string big(3000, 'b');
  for (int64_t i = 0; i < 4; ++i) {
    Add(buffers.get(), "big", JoinSide::kRight, 5, Values(JoinSide::kRight, i, big));
  }
  CHECK(buffers->FindChunk("big", JoinSide::kRight, 0, 0)->items.size() == 2);
  CHECK(buffers->FindChunk("big", JoinSide::kRight, 0, 0)->chunks == 2);
}

TEST_CASE("records expire with their bucket, in memory or in the store only, and leave no rows") {
  MapState state;
  auto buffers = Open(state);
  for (int64_t i = 0; i < 100; ++i) Add(buffers.get(), "k", JoinSide::kLeft, 50, Values(JoinSide::kLeft, i));
  Add(buffers.get(), "k", JoinSide::kLeft, 150, Values(JoinSide::kLeft, 100));
  Add(buffers.get(), "k", JoinSide::kRight, 250, Values(JoinSide::kRight, 101));
  Advance(buffers.get(), kFired, 99);
  CHECK(buffers->EntriesInMemory() == 4);
  Commit(buffers.get(), &state);
  Advance(buffers.get(), 99, 100);
  CHECK(All(buffers.get(), "k", JoinSide::kLeft, 0).empty());
  Commit(buffers.get(), &state);
  CHECK(buffers->EntriesInMemory() == 2);
  CHECK(state.rows.size() == 4);

  buffers->Evict(0);
  CHECK(buffers->EntriesInMemory() == 0);
  Advance(buffers.get(), 100, 200);
  Commit(buffers.get(), &state);
  CHECK(state.rows.size() == 2);
  buffers = Open(state);
  Advance(buffers.get(), 200, 300);
  Commit(buffers.get(), &state);
  CHECK(state.rows.empty());
  CHECK(buffers->EntriesInMemory() == 0);
  buffers->Evict(0);  // with what was kept for reuse
  CHECK(buffers->MemoryBytes() == 0);
  CHECK(buffers->status().ok());
}

TEST_CASE("what left memory comes back as it was: values, times, partners, and room in the chunk") {
  MapState state;
  const auto buffers = Open(state);
  std::string odd;
  PutValue(&odd, Value::Null());
  PutValue(&odd, Value::Float(0.1));
  Add(buffers.get(), "k", JoinSide::kRight, 7, odd, true);
  Add(buffers.get(), "k", JoinSide::kRight, 3, Values(JoinSide::kRight, 2, std::string("a\0b", 3)));
  Commit(buffers.get(), &state);
  buffers->Evict(0);
  REQUIRE(buffers->EntriesInMemory() == 0);
  JoinChunk* chunk = buffers->FindChunk("k", JoinSide::kRight, 0, 0);
  REQUIRE(chunk != nullptr);
  REQUIRE(chunk->items.size() == 2);
  CHECK(chunk->chunks == 1);
  CHECK(chunk->first == 3);
  CHECK(chunk->last == 7);
  CHECK(chunk->items[0].time == 7);
  CHECK(chunk->items[0].matched);
  CHECK(chunk->Values(chunk->items[0]) == odd);
  CHECK_FALSE(chunk->items[1].matched);
  CHECK(chunk->Values(chunk->items[1]) == Values(JoinSide::kRight, 2, std::string("a\0b", 3)));
  CHECK(buffers->TimerOf(*chunk) == 100);
  CHECK(Add(buffers.get(), "k", JoinSide::kRight, 9, odd) == chunk);
  CHECK(chunk->items.size() == 3);
}

TEST_CASE("each worker finds what expires of its own keys only") {
  MapState state;
  const auto whole = Open(state);
  for (int i = 0; i < 40; ++i) {
    Add(whole.get(), "k" + std::to_string(i), JoinSide::kLeft, 5, Values(JoinSide::kLeft, i));
  }
  Commit(whole.get(), &state);
  size_t sum = 0;
  for (uint32_t worker = 0; worker < 3; ++worker) {
    const KeyShare share{64, 3, worker};
    const auto part = Open(state, share);
    const FirePoint point{100, true, ""};
    part->BringDue({kFired, true, ""}, point);
    while (JoinChunk* chunk = part->NextDue(point)) {
      CHECK(share.Owns(Hash64(chunk->record_key())));
      part->Drop(chunk);
      ++sum;
    }
  }
  CHECK(sum == 40);
}

TEST_CASE("a damaged row is an error, never a crash") {
  MapState good;
  {
    const auto buffers = Open(good);
    Add(buffers.get(), "k", JoinSide::kRight, 7, Values(JoinSide::kRight, 1, "text"), true);
    Add(buffers.get(), "k", JoinSide::kRight, 8, Values(JoinSide::kRight, 2, ""));
    Commit(buffers.get(), &good);
  }
  const std::string name = "pk" + RowKey("k", 1, 0, 0);
  REQUIRE(good.rows.contains(name));
  const std::string row = good.rows[name];
  const auto read = [&](const std::string& bytes, const std::string& at = "", uint8_t rank = 1,
                        int64_t bucket = 0) {
    MapState state;
    state.rows[at.empty() ? name : at] = bytes;
    const auto buffers = Open(state);
    buffers->FindChunk("k", rank == 1 ? JoinSide::kRight : JoinSide::kLeft, bucket, 0);
    return buffers->status().code();
  };
  REQUIRE(read(row) == ErrorCode::kOk);
  for (size_t size = 0; size < row.size(); ++size) {
    CAPTURE(size);
    CHECK(read(row.substr(0, size)) == ErrorCode::kCorrupt);
  }
  CHECK(read(row + "x") == ErrorCode::kCorrupt);
  // Records of another bucket, and values of the other side.
  CHECK(read(row, "pk" + RowKey("k", 1, 3, 0), 1, 3) == ErrorCode::kCorrupt);
  CHECK(read(row, "pk" + RowKey("k", 0, 0, 0), 0) == ErrorCode::kCorrupt);
  // Any bytes at all: read or refused.
  Random random(1);
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = row;
    for (uint64_t n = 1 + random.Below(3); n > 0; --n) {
      bytes[random.Below(bytes.size())] = static_cast<char>(random.Below(256));
    }
    const ErrorCode code = read(bytes);
    CHECK((code == ErrorCode::kOk || code == ErrorCode::kCorrupt));
  }
  // Due rows whose key is too short to be a chunk's are nobody's.
  MapState state;
  state.rows["pkshort"] = row;
  state.rows[std::string("pt\x80\0\0\0\0\0\0\1s", 11)] = "";
  const auto buffers = Open(state);
  Advance(buffers.get(), kFired, 1000);
  Commit(buffers.get(), &state);
}

TEST_CASE("random use: the buffers' records do not depend on commits, evictions or restarts") {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    MapState state;
    auto buffers = Open(state);
    using Bucket = std::pair<std::pair<std::string, JoinSide>, int64_t>;
    std::map<Bucket, std::vector<std::pair<int64_t, std::string>>> model;
    int64_t fired = 0;
    for (int64_t i = 0; i < 400; ++i) {
      const std::string key(1, static_cast<char>('a' + random.Below(2)));
      const JoinSide side = random.Chance(0.5) ? JoinSide::kLeft : JoinSide::kRight;
      const int64_t time = fired + static_cast<int64_t>(random.Below(250));
      const int64_t bucket = buffers->BucketOf(time);
      const std::string values =
          Values(side, i, std::string(random.Chance(0.1) ? 2000 : random.Below(20), 'v'));
      Add(buffers.get(), key, side, time, values);
      auto& records = model[{{key, side}, bucket}];
      records.emplace_back(time, values);
      REQUIRE(All(buffers.get(), key, side, bucket) == records);
      if (random.Chance(0.05)) {
        const int64_t to = fired + static_cast<int64_t>(random.Below(150));
        Advance(buffers.get(), fired, to);
        fired = to;
        std::erase_if(model, [&](const auto& m) { return buffers->EndOf(m.first.second) <= fired; });
      }
      if (!random.Chance(0.1)) continue;
      Commit(buffers.get(), &state);
      if (random.Chance(0.5)) buffers->Evict(random.Chance(0.5) ? 0 : buffers->MemoryBytes() / 2);
      if (random.Chance(0.3)) buffers = Open(state);
    }
    for (const auto& [bucket, records] : model) {
      CHECK(All(buffers.get(), bucket.first.first, bucket.first.second, bucket.second) == records);
    }
    Advance(buffers.get(), fired, fired + 1000);
    Commit(buffers.get(), &state);
    CHECK(state.rows.empty());
    CHECK(buffers->status().ok());
  }
}

}  // namespace rivulet
