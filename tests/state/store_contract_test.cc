// What every store promises, checked for each of them, and against a plain map.
#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "sim/sim_store.h"
#include "state/store.h"
#include "tests/base/temporary_directory.h"

namespace rivulet {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

Rows ScanRows(const Store& store, std::string_view from, std::string_view to) {
  Rows rows;
  const Status status = store.Scan(from, to, [&](std::string_view key, std::string_view value) {
    rows.emplace_back(key, value);
    return true;
  });
  CHECK(status.ok());
  return rows;
}

struct StoreUnderTest {
  testing::TemporaryDirectory directory;
  std::unique_ptr<Store> store;
};

void ForEachStore(const std::function<void(Store*)>& test) {
  SUBCASE("memory") { test(NewMemoryStore().get()); }
  SUBCASE("simulated") {
    sim::SimStore store(false);
    test(&store);
  }
  SUBCASE("LMDB") {
    StoreUnderTest lmdb;
    LmdbOptions options;
    options.directory = lmdb.directory.path();
    auto opened = OpenLmdbStore(options);
    REQUIRE_MESSAGE(opened.ok(), opened.status().ToString());
    lmdb.store = std::move(opened).value();
    test(lmdb.store.get());
  }
}

TEST_CASE("later operations of a delta win, and ranges are half open") {
  ForEachStore([](Store* store) {
    Delta delta;
    for (const char* key : {"a", "b", "c", "d", "e"}) delta.Put(key, key);
    delta.DeleteRange("b", "d");
    delta.Put("c", "again");
    delta.Delete("e");
    delta.Delete("not there");
    delta.DeleteRange("z", "a");  // upside down: nothing
    REQUIRE(store->Commit(delta).ok());
    CHECK(ScanRows(*store, "a", "z") == Rows{{"a", "a"}, {"c", "again"}, {"d", "d"}});
    CHECK(ScanRows(*store, "a", "d") == Rows{{"a", "a"}, {"c", "again"}});
    CHECK(ScanRows(*store, "b", "c\1") == Rows{{"c", "again"}});
    CHECK(ScanRows(*store, "d", "a").empty());
    CHECK(ScanRows(*store, "", "b") == Rows{{"a", "a"}});
    CHECK(store->Stats().entries == 3);
    std::string value = "untouched";
    CHECK(store->Get("c", &value).value());
    CHECK(value == "again");
    value = "untouched";
    CHECK_FALSE(store->Get("b", &value).value());
    CHECK_FALSE(store->Get("", &value).value());
    CHECK_FALSE(store->Get(kReservedStoreKey, &value).value());
    CHECK_FALSE(store->Get(std::string(1000, 'x'), &value).value());
    CHECK(value == "untouched");
  });
}

TEST_CASE("a scan stops when asked, and never shows the store's own row") {
  ForEachStore([](Store* store) {
    Delta delta;
    delta.Put(std::string_view("\0\0", 2), "lowest");
    delta.Put("a", "1");
    delta.Put(std::string(kMaxStoreKey, '\xff'), "highest");
    REQUIRE(store->Commit(delta).ok());
    int seen = 0;
    const auto visit = [&](std::string_view, std::string_view) { return ++seen < 2; };
    CHECK(store->Scan("", std::string(600, '\xff'), visit).ok());
    CHECK(seen == 2);
    CHECK(ScanRows(*store, "", std::string(600, '\xff')).size() == 3);
    CHECK(ScanRows(*store, std::string(600, '\xff'), std::string(700, '\xff')).empty());
  });
}

TEST_CASE("a damaged delta changes nothing") {
  ForEachStore([](Store* store) {
    Delta good;
    good.Put("a", "1");
    REQUIRE(store->Commit(good).ok());
    Delta bad;
    bad.Put("a", "2");
    bad.DeleteRange("a", "z");
    bad.Put("", "no key");
    CHECK(store->Commit(bad).code() == ErrorCode::kCorrupt);
    CHECK(ScanRows(*store, "a", "z") == Rows{{"a", "1"}});
  });
}

TEST_CASE("an empty delta and large values are fine") {
  ForEachStore([](Store* store) {
    REQUIRE(store->Commit(Delta()).ok());
    const std::string large(300'000, 'v');
    Delta delta;
    delta.Put("large", large);
    delta.Put("empty", "");
    REQUIRE(store->Commit(delta).ok());
    std::string value;
    CHECK(store->Get("large", &value).value());
    CHECK(value == large);
    CHECK(store->Get("empty", &value).value());
    CHECK(value.empty());
  });
}

TEST_CASE("random commits give the same as a plain map") {
  ForEachStore([](Store* store) {
    Random random(7);
    std::map<std::string, std::string> model;
    const auto key = [&] { return "k" + std::to_string(random.Below(400)); };
    for (int commit = 0; commit < 60; ++commit) {
      Delta delta;
      for (uint64_t i = random.Below(80); i > 0; --i) {
        const std::string k = key();
        if (random.Chance(0.7)) {
          const std::string v(random.Below(900), static_cast<char>('a' + random.Below(26)));
          delta.Put(k, v);
          model[k] = v;
        } else if (random.Chance(0.9)) {
          delta.Delete(k);
          model.erase(k);
        } else {
          const std::string to = key();
          delta.DeleteRange(k, to);
          if (k < to) model.erase(model.lower_bound(k), model.lower_bound(to));
        }
      }
      REQUIRE(store->Commit(delta).ok());
      const std::string from = key();
      const std::string to = key();
      Rows expected;
      if (from < to) expected = Rows(model.lower_bound(from), model.lower_bound(to));
      REQUIRE(ScanRows(*store, from, to) == expected);
    }
    CHECK(ScanRows(*store, "k", "l") == Rows(model.begin(), model.end()));
    CHECK(store->Stats().entries == model.size());
  });
}

TEST_CASE("a full memory store takes deletions but no more puts") {
  const auto store = NewMemoryStore(100);
  Delta delta;
  delta.Put("key", std::string(90, 'v'));
  REQUIRE(store->Commit(delta).ok());
  CHECK(store->Commit(delta).code() == ErrorCode::kStoreFull);
  Delta erase;
  erase.DeleteRange("a", "z");
  CHECK(store->Commit(erase).ok());
  CHECK(store->Stats().used_bytes == 0);
  CHECK(store->Commit(delta).ok());
}

}  // namespace
}  // namespace rivulet
