// Entries of the output log: what is written is read, also what versions without places wrote.
#include "state/output_log.h"

#include <doctest/doctest.h>

#include <limits>

#include "base/coding.h"

namespace rivulet {
namespace {

struct Read {
  int64_t start_us;
  OutputPlace place;
  std::string json;
};

std::vector<Read> ReadAll(const OutputLog& log) {
  std::vector<Read> entries;
  const Status status = log.Read(0, 1000, [&](const OutputLog::Entry& e) {
    entries.push_back({e.start_us, e.place, std::string(e.json)});
  });
  REQUIRE(status.ok());
  return entries;
}

}  // namespace

TEST_CASE("output log: places of any time come back, from memory and from the store") {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  const std::unique_ptr<Store> store = NewMemoryStore();
  OutputLog log("o", store.get(), 1 << 20, 0);
  const int64_t times[] = {kMin + 1, -5, 0, 1'700'000'000'000'000, kMax};
  for (const int64_t start : times) {
    for (const int64_t time : times) {
      for (const int64_t watermark : {kMin, time, time - 1, kMax - 1}) {
        const OutputPlace place{time, watermark};
        log.Append(0, start, "key", "{}", &place);
      }
    }
  }
  log.Append(3, 7, "", "{\"late\":1}");
  Delta delta;
  log.CollectChanges(&delta);
  REQUIRE(store->Commit(delta).ok());
  log.OnCommitted();
  OutputLog again("o", store.get(), 1 << 20, log.next());
  for (const OutputLog* one : {&log, &again}) {
    const std::vector<Read> entries = ReadAll(*one);
    REQUIRE(entries.size() == 101);
    size_t i = 0;
    for (const int64_t start : times) {
      for (const int64_t time : times) {
        for (const int64_t watermark : {kMin, time, time - 1, kMax - 1}) {
          CHECK(entries[i].start_us == start);
          CHECK(entries[i].place.time_us == time);
          CHECK(entries[i].place.watermark_us == watermark);
          CHECK(entries[i++].json == "{}");
        }
      }
    }
    CHECK(entries[100].place.time_us == OutputPlace::kUnknown);
    CHECK(entries[100].json == "{\"late\":1}");
  }
}

TEST_CASE("output log: rows of versions without places, and rows that are damaged") {
  const std::unique_ptr<Store> store = NewMemoryStore();
  const auto row = [](uint64_t sequence) {
    std::string key = "o";
    PutOrderedU64(&key, sequence);
    return key;
  };
  std::string old;
  PutVarint(&old, 1);
  PutSignedVarint(&old, 42);
  PutBytes(&old, "key");
  Delta delta;
  delta.Put(row(0), old + "{\"n\":1}");
  REQUIRE(store->Commit(delta).ok());
  const std::vector<Read> entries = ReadAll(OutputLog("o", store.get(), 1 << 20, 1));
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].start_us == 42);
  CHECK(entries[0].place.watermark_us == OutputPlace::kUnknown);
  CHECK(entries[0].json == "{\"n\":1}");

  for (const char* const damage : {"\x01", "\x01\xff", "\x01\x02\x80"}) {
    Delta worse;
    worse.Put(row(0), old + damage);
    REQUIRE(store->Commit(worse).ok());
    const OutputLog log("o", store.get(), 1 << 20, 1);
    CHECK(log.Read(0, 10, [](const OutputLog::Entry&) {}).code() == ErrorCode::kCorrupt);
  }
}

TEST_CASE("output log: how much waits is known, also behind the memory's bound and after a start") {
  const std::unique_ptr<Store> store = NewMemoryStore();
  OutputLog log("o", store.get(), 1000, 0);
  const std::string json = "{\"text\":\"" + std::string(1000, 'x') + "\"}";
  constexpr uint64_t kEntries = 2000;
  for (uint64_t k = 0; k < kEntries; ++k) log.Append(0, 0, "key", json);
  CHECK(log.held_bytes() > kEntries * json.size());
  CHECK(log.held_bytes() < kEntries * (json.size() + 50));
  Delta delta;
  log.CollectChanges(&delta);
  REQUIRE(store->Commit(delta).ok());
  log.OnCommitted();
  CHECK(log.MemoryBytes() < 100'000);
  CHECK(log.held_bytes() > kEntries * json.size());
  OutputLog again("o", store.get(), 1000, kEntries);
  REQUIRE(again.Measure().ok());
  CHECK(again.held_bytes() > kEntries * json.size());
  CHECK(again.held_bytes() < kEntries * (json.size() + 50));
  log.Trim(kEntries / 2);
  CHECK(log.held_bytes() < (kEntries / 2 + 70) * (json.size() + 50));
  log.Trim(kEntries);
  CHECK(log.held_bytes() == 0);
  again.Trim(kEntries);
  CHECK(again.held_bytes() == 0);
}

}  // namespace rivulet
