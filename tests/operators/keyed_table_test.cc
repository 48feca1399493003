#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>

#include "base/coding.h"
#include "base/random.h"
#include "operators/keyed/keyed_table.h"
#include "tests/operators/window_testing.h"

namespace rivulet {
namespace {

constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();

std::unique_ptr<KeyedTable> Open(const MapState& state, int64_t keep, KeyShare share = {}) {
  auto table = std::make_unique<KeyedTable>(KeyedTableOptions{"p", keep, false}, &state, share);
  REQUIRE(table->Open().ok());
  return table;
}

std::string Get(KeyedTable* table, const std::string& key, int64_t watermark) {
  return std::string(table->Access(key, Hash64(key), watermark, watermark)->value());
}

void Put(KeyedTable* table, const std::string& key, const std::string& value, int64_t time,
         int64_t watermark) {
  table->Put(table->Access(key, Hash64(key), time, watermark), value, time, watermark);
}

}  // namespace

TEST_CASE("a key is over when W has passed its last use by keep") {
  MapState state;
  const auto table = Open(state, 100);
  Put(table.get(), "a", "one", 50, 0);
  CHECK(Get(table.get(), "a", 149) == "one");
  CHECK(Get(table.get(), "a", 150) == "");
  Put(table.get(), "b", "two", 50, 200);  // W was further than the record
  CHECK(Get(table.get(), "b", 299) == "two");
  Put(table.get(), "b", "2", 10, 200);    // an older record does not shorten it
  CHECK(Get(table.get(), "b", 299) == "2");
  CHECK(Get(table.get(), "b", 300) == "");
}

TEST_CASE("keys that are over leave memory and store") {
  MapState state;
  auto table = Open(state, 80);
  for (int i = 0; i < 500; ++i) Put(table.get(), "k" + std::to_string(i), "v", i, i);
  table->CollectChanges(&state);
  CHECK(state.rows.size() == 1000);
  CHECK(table->DirtyRows() == 0);
  table->Advance(300);
  CHECK(table->EntriesInMemory() < 300);
  table->CollectChanges(&state);
  CHECK(state.rows.size() == table->EntriesInMemory() * 2);
  const size_t left = state.rows.size();

  // In the store only, they go as well.
  table->Evict(0);
  CHECK(table->EntriesInMemory() == 0);
  CHECK(table->MemoryBytes() == 0);
  CHECK(Get(table.get(), "k499", 499) == "v");
  table->Advance(499);
  table->CollectChanges(&state);
  CHECK(state.rows.size() < left);
  table = Open(state, 80);
  table->Advance(kEnd);
  table->CollectChanges(&state);
  CHECK(state.rows.empty());
}

TEST_CASE("a key that is used goes on although its timer rings") {
  MapState state;
  auto table = Open(state, 80);
  for (int64_t t = 0; t < 1000; t += 40) {
    Put(table.get(), "a", std::to_string(t), t, t);
    table->Advance(t);
    table->CollectChanges(&state);
    table->Evict(0);
    CHECK(state.rows.size() == 2);
  }
  CHECK(Get(table.get(), "a", 1039) == "960");
  table->Advance(1039);
  table->CollectChanges(&state);
  CHECK(state.rows.size() == 2);
}

TEST_CASE("times near the ends of int64 neither overflow nor ring for ever") {
  MapState state;
  const auto table = Open(state, int64_t{1} << 50);
  Put(table.get(), "far", "x", int64_t{1} << 61, kEnd - 5);
  Put(table.get(), "old", "y", -(int64_t{1} << 61), std::numeric_limits<int64_t>::min());
  table->Advance(int64_t{1} << 62);
  CHECK(Get(table.get(), "far", kEnd - 5) == "x");
  table->CollectChanges(&state);
  CHECK(state.rows.size() == 2);
  table->Advance(kEnd);
  table->CollectChanges(&state);
  CHECK(state.rows.empty());
}

TEST_CASE("rows that nobody wrote are an error or nothing, never a crash") {
  for (const std::string value : {"", "short", "0123456789abcdeX"}) {
    MapState state;
    state.rows["pva"] = value;
    state.rows["ptshort"] = "";
    state.rows[std::string("pt\x80\0\0\0\0\0\0\1zz", 12)] = "";  // of a key without a row
    const auto table = std::make_unique<KeyedTable>(KeyedTableOptions{"p", 10, false}, &state, KeyShare{});
    (void)table->Open().ok();
    Put(table.get(), "b", "x", 5, 5);
    Get(table.get(), "a", 5);
    table->Evict(0);
    table->Advance(100);
    table->CollectChanges(&state);
    table->Advance(kEnd);
    table->CollectChanges(&state);
  }
}

TEST_CASE("random use: what a table says does not depend on commits, evictions, restarts or workers") {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const auto keep = static_cast<int64_t>(1 + random.Below(100));
    const auto workers = static_cast<uint32_t>(1 + random.Below(3));
    struct Known {
      std::string value;
      int64_t touched;
    };
    std::map<std::string, Known> model;
    MapState state;
    std::vector<std::unique_ptr<KeyedTable>> tables;
    for (uint32_t w = 0; w < workers; ++w) tables.push_back(Open(state, keep, {64, workers, w}));
    int64_t watermark = 0;
    for (int i = 0; i < 400; ++i) {
      watermark += static_cast<int64_t>(random.Below(10));
      const std::string key(1 + random.Below(4), static_cast<char>('a' + random.Below(4)));
      KeyedTable* table = tables[KeyShare::Partition(Hash64(key), 64) % workers].get();
      const auto it = model.find(key);
      const bool known = it != model.end() && watermark < it->second.touched + keep;
      REQUIRE(Get(table, key, watermark) == (known ? it->second.value : ""));
      const auto time = watermark + static_cast<int64_t>(random.Below(60)) - 20;
      Known& now = model[key];
      now.touched = std::max(known ? now.touched : time, std::max(time, watermark));
      now.value = std::string(1 + random.Below(random.Chance(0.1) ? 3000 : 40), 'x');
      Put(table, key, now.value, time, watermark);
      if (random.Chance(0.3)) {
        for (const auto& t : tables) t->Advance(watermark);
      }
      if (!random.Chance(0.2)) continue;
      for (const auto& t : tables) t->CollectChanges(&state);
      if (random.Chance(0.5)) {
        for (const auto& t : tables) t->Evict(random.Chance(0.5) ? 0 : t->MemoryBytes() / 2);
      }
      if (random.Chance(0.3)) {
        for (uint32_t w = 0; w < workers; ++w) tables[w] = Open(state, keep, {64, workers, w});
      }
    }
    for (const auto& t : tables) {
      t->Advance(kEnd);
      CHECK(t->EntriesInMemory() == 0);
    }
    // A key that a restart left in the store goes with one of the sweeps.
    for (const auto& t : tables) t->CollectChanges(&state);
    for (const auto& t : tables) t->CollectChanges(&state);
    CHECK(state.rows.empty());
    for (const auto& t : tables) CHECK(t->status().ok());
  }
}

// Values that say when to be looked at: a time, 0 for never, and how long the key is remembered at least.
constexpr int64_t kLongest = 1000;

int64_t WakeOf(std::string_view value) {
  int64_t wake = 0;
  return GetFixed(&value, &wake) && wake != 0 ? wake : kNoTimer;
}

std::string Waking(int64_t wake) {
  std::string value;
  PutFixed(&value, wake);
  return value;
}

std::unique_ptr<KeyedTable> OpenWaking(const MapState& state, KeyShare share = {}) {
  KeyedTableOptions options{"p", kLongest, false};
  options.wake_of = WakeOf;
  auto table = std::make_unique<KeyedTable>(options, &state, share);
  REQUIRE(table->Open().ok());
  return table;
}

TEST_CASE("a key has a row for when it wants to be looked at, and only then") {
  MapState state;
  auto table = OpenWaking(state);
  Put(table.get(), "a", Waking(50), 0, 0);
  Put(table.get(), "b", Waking(0), 0, 0);
  table->CollectChanges(&state);
  CHECK(state.rows.size() == 5);
  CHECK(table->next_wake() == 50);
  Put(table.get(), "a", Waking(60), 1, 0);
  CHECK(table->next_wake() == 60);
  table->CollectChanges(&state);
  CHECK(state.rows.size() == 5);
  CHECK(table->LimitWakes(kEnd, 5) == FirePoint{kEnd, true, ""});
  CHECK(table->LimitWakes(kEnd, 1) == FirePoint{60, false, "a"});
  table->Evict(0);
  CHECK(table->LimitWakes(kEnd, 1) == FirePoint{60, false, "a"});
  CHECK(table->LimitWakes(59, 1) == FirePoint{59, true, ""});
  CHECK(table->NextWake({59, true, ""}) == nullptr);
  table = OpenWaking(state);
  CHECK(table->next_wake() == 60);
  KeyedEntry* entry = table->NextWake({60, false, "a"});
  REQUIRE(entry != nullptr);
  table->Replace(entry, Waking(0));
  CHECK(table->NextWake({60, false, "a"}) == nullptr);
  table->CollectChanges(&state);
  CHECK(state.rows.size() == 4);
  CHECK(Get(table.get(), "a", 1000) == Waking(0));  // being looked at is no use
  CHECK(Get(table.get(), "a", 1001) == "");
}

TEST_CASE("random use: keys are looked at once each and in order, however they are kept") {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const auto workers = static_cast<uint32_t>(1 + random.Below(3));
    std::map<std::string, int64_t> model;  // those that wait
    MapState state;
    std::vector<std::unique_ptr<KeyedTable>> tables;
    for (uint32_t w = 0; w < workers; ++w) tables.push_back(OpenWaking(state, {64, workers, w}));
    int64_t watermark = 0;
    const auto fire = [&](const FirePoint& point) {
      std::vector<std::pair<int64_t, std::string>> expected, met;
      for (const auto& [key, wake] : model) {
        if (point.Covers(wake, key)) expected.emplace_back(wake, key);
      }
      std::sort(expected.begin(), expected.end());
      for (const auto& t : tables) {
        const size_t first = met.size();
        while (KeyedEntry* entry = t->NextWake(point)) {
          met.emplace_back(WakeOf(entry->value()), entry->key());
          t->Replace(entry, Waking(0));
        }
        REQUIRE(std::is_sorted(met.begin() + static_cast<std::ptrdiff_t>(first), met.end()));
      }
      std::sort(met.begin(), met.end());
      REQUIRE(met == expected);
      for (const auto& [wake, key] : met) model.erase(key);
    };
    for (int i = 0; i < 300; ++i) {
      const std::string key(1 + random.Below(30), static_cast<char>('a' + random.Below(4)));
      KeyedTable* table = tables[KeyShare::Partition(Hash64(key), 64) % workers].get();
      const int64_t wake =
          random.Chance(0.3) ? 0 : watermark + 1 + static_cast<int64_t>(random.Below(kLongest - 1));
      Put(table, key, Waking(wake), watermark, watermark);
      model.erase(key);
      if (wake != 0) model[key] = wake;
      if (random.Chance(0.2)) {
        watermark += static_cast<int64_t>(random.Below(200));
        // In two steps, as a large close is done.
        FirePoint part{watermark, true, ""};
        for (const auto& t : tables) part = std::min(part, t->LimitWakes(watermark, 1 + random.Below(4)));
        fire(part);
        fire({watermark, true, ""});
        for (const auto& t : tables) t->Advance(watermark);
      }
      if (!random.Chance(0.2)) continue;
      for (const auto& t : tables) t->CollectChanges(&state);
      for (const auto& t : tables) {
        if (random.Chance(0.5)) t->Evict(random.Chance(0.5) ? 0 : t->MemoryBytes() / 2);
      }
      if (random.Chance(0.3)) {
        for (uint32_t w = 0; w < workers; ++w) tables[w] = OpenWaking(state, {64, workers, w});
      }
    }
    fire({kEnd, true, ""});
    for (const auto& t : tables) t->Advance(kEnd);
    for (int i = 0; i < 2; ++i) {
      for (const auto& t : tables) t->CollectChanges(&state);
    }
    CHECK(state.rows.empty());
    for (const auto& t : tables) CHECK(t->status().ok());
  }
}

}  // namespace rivulet
