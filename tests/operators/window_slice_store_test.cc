#include <doctest/doctest.h>

#include "operators/window/slice_store.h"
#include "tests/operators/window_testing.h"

namespace rivulet {
namespace {

// A store over a map, and panes that count.
class Fixture {
 public:
  explicit Fixture(KeyShare share = {})
      : plan({"sum(v)"}), layouts(plan.get(), {}), store(plan.get(), &layouts, "p", &state, share),
        share_(share) {}

  // Adds `v` to the key's pane; true when that made the pane.
  bool Add(int64_t end, const std::string& key, int64_t v) {
    if (!share_.Owns(Hash64(key))) return false;
    bool created = false;
    Pane* pane = store.EditPane(end, store.Touch(end), key, Hash64(key), &created);
    reinterpret_cast<SumState*>(pane->block())->i += v;
    ++reinterpret_cast<SumState*>(pane->block())->n;
    return created;
  }
  // Keys behind `after`, at most `limit` of them.
  std::string Visit(int64_t end, const std::string* after = nullptr, size_t limit = 1000) {
    std::string out;
    store.VisitSorted(end, store.Find(end), after,
                      [&](std::string_view key, uint64_t hash, const Pane& p) {
                        CHECK(hash == Hash64(key));
                        out += std::string(key) + "=" +
                               std::to_string(reinterpret_cast<const SumState*>(p.block())->i) + " ";
                        return --limit > 0;
                      });
    return out;
  }
  void Commit() { store.CollectChanges(&state); }

  MapState state;
  TestPlan plan;
  PaneLayouts layouts;
  SliceStore store;

 private:
  KeyShare share_;
};

}  // namespace

TEST_CASE("panes leave memory once committed, and come back as they were") {
  Fixture f;
  CHECK(f.Add(10, "a", 1));
  CHECK(f.Add(10, "b", 2));
  CHECK_FALSE(f.Add(10, "a", 4));
  f.store.Evict(0);
  CHECK(f.store.EntriesInMemory() == 2);  // dirty ones stay
  f.Commit();
  CHECK(f.state.rows.size() == 2);
  f.store.Evict(0);
  CHECK(f.store.EntriesInMemory() == 0);
  CHECK(f.Visit(10) == "a=5 b=2 ");
  CHECK(f.store.EntriesInMemory() == 0);  // visiting keeps nothing
  CHECK_FALSE(f.Add(10, "a", 8));       // it existed
  CHECK(f.store.EntriesInMemory() == 1);
  CHECK(f.Add(10, "aa", 16));
  CHECK(f.Visit(10) == "a=13 aa=16 b=2 ");
  f.Commit();
  CHECK(f.Visit(10) == "a=13 aa=16 b=2 ");
  CHECK(f.store.FindPane(10, f.store.Find(10), "c", Hash64("c")) == nullptr);
  CHECK(f.store.status().ok());
}

TEST_CASE("a visit can begin behind a key and end at any, cold and hot panes mixed") {
  Fixture f;
  for (const char* key : {"b", "d", "f", "h"}) f.Add(10, key, 1);
  f.Commit();
  f.store.Evict(0);
  for (const char* key : {"a", "d", "e", "i"}) f.Add(10, key, 2);
  CHECK(f.Visit(10) == "a=2 b=1 d=3 e=2 f=1 h=1 i=2 ");
  std::string after;
  CHECK(f.Visit(10, &after) == "a=2 b=1 d=3 e=2 f=1 h=1 i=2 ");
  after = "a";
  CHECK(f.Visit(10, &after, 2) == "b=1 d=3 ");
  after = "d";
  CHECK(f.Visit(10, &after, 1) == "e=2 ");
  after = "dd";  // no key itself
  CHECK(f.Visit(10, &after, 2) == "e=2 f=1 ");
  after = "i";
  CHECK(f.Visit(10, &after) == "");
  // Between two visits panes may come, go and change places in memory.
  f.Commit();
  f.store.Evict(0);
  CHECK(f.Visit(10, nullptr, 2) == "a=2 b=1 ");
  for (const char* key : {"c", "h", "f", "b"}) f.Add(10, key, 4);
  after = "b";
  CHECK(f.Visit(10, &after) == "c=4 d=3 e=2 f=5 h=5 i=2 ");
}

TEST_CASE("only what changed is written") {
  Fixture f;
  for (int i = 0; i < 100; ++i) f.Add(10, std::to_string(i), i);
  f.Commit();
  CHECK(f.state.puts == 100);
  f.Add(10, "7", 1);
  f.Add(10, "7", 1);
  f.Commit();
  CHECK(f.state.puts == 101);
  f.Commit();
  CHECK(f.state.puts == 101);
}

TEST_CASE("what was used since the last eviction is spared first") {
  Fixture f;
  for (int i = 0; i < 2000; ++i) f.Add(10, "old" + std::to_string(i), i);
  f.Commit();
  const size_t all = f.store.MemoryBytes();
  f.store.Evict(all);  // nothing to do
  CHECK(f.store.EntriesInMemory() == 2000);
  f.store.Evict(0);
  for (int i = 0; i < 10; ++i) f.Add(20, "new" + std::to_string(i), i);
  f.Commit();
  f.store.Evict(f.store.MemoryBytes());
  CHECK(f.store.EntriesInMemory() == 10);
}

TEST_CASE("a dropped slice is gone with its rows; a new one of the same time starts empty") {
  Fixture f;
  f.Add(10, "a", 1);
  f.Add(20, "a", 2);
  f.Commit();
  f.store.Drop(10);
  f.store.Drop(15);  // there is none
  CHECK(f.store.Find(10) == nullptr);
  CHECK(f.state.rows.size() == 2);
  f.Commit();
  CHECK(f.state.rows.size() == 1);
  f.Add(30, "never stored", 1);
  f.store.Drop(30);
  f.Commit();
  CHECK(f.state.rows.size() == 1);
  CHECK(f.Add(10, "a", 4));
  CHECK(f.Visit(10) == "a=4 ");
}

TEST_CASE("a store opened again finds its slices, whatever their times, at one seek each") {
  Fixture f;
  const std::vector<int64_t> ends = {-1000, -1, 0, 255, 256, 1'490'072'400'000'000};
  for (const int64_t end : ends) {
    for (int i = 0; i < 50; ++i) f.Add(end, "k" + std::to_string(i), 1);
  }
  f.Commit();
  f.state.rows["o"] = "before";
  f.state.rows["q"] = "behind";
  SliceStore again(f.plan.get(), &f.layouts, "p", &f.state, {});
  f.state.scans = 0;
  REQUIRE(again.Open().ok());
  CHECK(f.state.scans == static_cast<int>(ends.size()) + 1);
  std::vector<int64_t> found;
  for (const auto& [end, slice] : again.slices()) {
    found.push_back(end);
    CHECK(slice->cold);
    CHECK(slice->table.size() == 0);
  }
  CHECK(found == ends);
  CHECK(again.FindPane(-1, again.Find(-1), "k7", Hash64("k7")) != nullptr);
}

TEST_CASE("instances that share rows see only their keys") {
  Fixture all;
  for (int i = 0; i < 100; ++i) all.Add(10, "k" + std::to_string(i), 1);
  all.Commit();
  size_t seen = 0;
  for (uint32_t worker = 0; worker < 3; ++worker) {
    const KeyShare share{64, 3, worker};
    SliceStore one(all.plan.get(), &all.layouts, "p", &all.state, share);
    REQUIRE(one.Open().ok());
    one.VisitSorted(10, one.Find(10), nullptr,
                    [&](std::string_view key, uint64_t hash, const Pane&) {
                      CHECK(share.Owns(Hash64(key)));
                      CHECK(share.Owns(hash));
                      ++seen;
                      return true;
                    });
  }
  CHECK(seen == 100);
}

TEST_CASE("faults of the store and of rows are kept") {
  Fixture f;
  f.Add(10, "a", 1);
  f.Commit();
  f.store.Evict(0);
  SUBCASE("a damaged row") {
    f.state.rows.begin()->second = "\x01garbage";
    CHECK_FALSE(f.Add(10, "a", 1));
    CHECK(f.store.status().code() == ErrorCode::kCorrupt);
  }
  SUBCASE("a damaged row met in passing") {
    f.state.rows.begin()->second = "";
    CHECK(f.Visit(10) == "");
    CHECK(f.store.status().code() == ErrorCode::kCorrupt);
  }
  SUBCASE("a disk that fails") {
    f.state.error = Status(ErrorCode::kIo, "gone");
    f.store.FindPane(10, f.store.Find(10), "a", Hash64("a"));
    CHECK(f.store.status().code() == ErrorCode::kIo);
    SliceStore again(f.plan.get(), &f.layouts, "p", &f.state, {});
    CHECK(again.Open().code() == ErrorCode::kIo);
  }
}

}  // namespace rivulet
