#include <doctest/doctest.h>

#include <cstring>

#include "base/random.h"
#include "operators/window/merge_tree.h"
#include "tests/operators/window_testing.h"

namespace rivulet {
namespace {

constexpr int64_t kSlice = 10;
constexpr int64_t kOffset = 3;

// Slices with floats whose sums depend on the order of addition.
class Fixture {
 public:
  Fixture()
      : plan({"sum(v)", "max(v)"}),
        layouts(plan.get(), {}),
        store(plan.get(), &layouts, "p", &state, {}) {}

  void Add(int64_t number, const std::string& key, double v) {
    const int64_t end = kOffset + (number + 1) * kSlice;
    bool created = false;
    Pane* pane = store.EditPane(end, store.Touch(end), key, Hash64(key), &created);
    Column column;
    column.Reset(1);
    column.SetFloat(0, v);
    const int64_t time = 0;
    const uint32_t row = 0;
    char* block = pane->block();
    for (const AccumulatorSlot& slot : plan->slots()) {
      slot.accumulator->Update({&column, &time, &row, &block, 1}, slot.offset);
    }
  }
  MergeTree NewTree() { return MergeTree(plan.get(), &store, kSlice, kOffset); }

  // The exact bytes of a window.
  std::string Window(MergeTree* tree, int64_t first, int64_t last) {
    std::string out;
    tree->VisitWindow(first, last, [&](std::string_view key, uint64_t, const char* block) {
      out += std::string(key) + ":";
      plan->Encode(block, &out);
    });
    return out;
  }

  MapState state;
  TestPlan plan;
  PaneLayouts layouts;
  SliceStore store;
};

}  // namespace

TEST_CASE("slice numbers and ends belong together, below zero too") {
  Fixture f;
  const MergeTree tree = f.NewTree();
  for (const int64_t number : {-5, -1, 0, 1, 7}) {
    CHECK(tree.SliceNumber(tree.SliceEnd(number)) == number);
  }
  CHECK(tree.SliceEnd(0) == 13);
  CHECK(tree.SliceEnd(-1) == 3);
}

TEST_CASE("a window has the same bits however and whenever it is put together") {
  Random random(9);
  for (int round = 0; round < 60; ++round) {
    Fixture f;
    const int64_t low = -20, high = 40;
    const auto add = [&](int64_t number) {
      f.Add(number, "k" + std::to_string(random.Below(4)), (random.Unit() - 0.5) * 1e10);
    };
    for (int i = 0; i < 150; ++i) {
      add(low + static_cast<int64_t>(random.Below(static_cast<uint64_t>(high - low))));
    }
    MergeTree kept = f.NewTree();
    for (int query = 0; query < 60; ++query) {
      const auto first = low + static_cast<int64_t>(random.Below(50));
      const auto last = first + static_cast<int64_t>(random.Below(30));
      if (random.Chance(0.2)) {  // a late record
        const int64_t number = low + static_cast<int64_t>(random.Below(60));
        const std::string key = "k" + std::to_string(random.Below(4));
        f.Add(number, key, random.Unit());
        kept.Refresh(number, key, Hash64(key));
      }
      if (random.Chance(0.1)) kept.Shrink(random.Below(20000));
      if (random.Chance(0.1)) {
        f.store.CollectChanges(&f.state);
        f.store.Evict(0);
      }
      MergeTree fresh = f.NewTree();
      const std::string expected = f.Window(&fresh, first, last);
      REQUIRE(f.Window(&kept, first, last) == expected);
      std::string by_key;
      for (int k = 0; k < 4; ++k) {
        const std::string key = "k" + std::to_string(k);
        Block block(f.plan.get());
        if (!kept.MergeKey(first, last, key, Hash64(key), block.bytes())) continue;
        by_key += key + ":";
        f.plan->Encode(block.bytes(), &by_key);
      }
      REQUIRE(by_key == expected);
    }
  }
}

TEST_CASE("a window over nothing is empty and makes no nodes") {
  Fixture f;
  f.Add(0, "a", 1);
  MergeTree tree = f.NewTree();
  CHECK(f.Window(&tree, 1, 1'000'000) == "");
  CHECK(tree.MemoryBytes() == 0);
  Block block(f.plan.get());
  CHECK_FALSE(tree.MergeKey(1, 100, "a", Hash64("a"), block.bytes()));
  CHECK(block.Show() == "null");
}

TEST_CASE("nodes of the past are forgotten, the others stay") {
  Fixture f;
  for (int64_t n = 0; n < 64; ++n) f.Add(n, "a", 1);
  MergeTree tree = f.NewTree();
  const std::string all = f.Window(&tree, 0, 63);
  const size_t before = tree.MemoryBytes();
  CHECK(before > 0);
  tree.Forget(32);
  CHECK(tree.MemoryBytes() < before);
  CHECK(tree.MemoryBytes() > 0);
  CHECK(f.Window(&tree, 0, 63) == all);
  tree.Shrink(0);
  CHECK(tree.MemoryBytes() == 0);
  CHECK(f.Window(&tree, 0, 63) == all);
}

}  // namespace rivulet
