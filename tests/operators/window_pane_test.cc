// Panes in memory and as stored bytes.

#include <doctest/doctest.h>

#include <limits>
#include <set>

#include "base/random.h"
#include "operators/window/pane_layout.h"
#include "operators/window/pane_table.h"
#include "tests/operators/window_testing.h"

namespace rivulet {
namespace {

Pane* AddPane(PaneTable* table, const AggregatePlan& plan, const std::string& key) {
  Pane* pane = table->Add(key, Hash64(key));
  plan.Init(pane->block());
  return pane;
}

void Count(const AggregatePlan& plan, Pane* pane, int64_t v) {
  Column column;
  column.Reset(1);
  column.SetInt(0, v);
  const int64_t time = 0;
  const uint32_t row = 0;
  char* block = pane->block();
  for (const AccumulatorSlot& slot : plan.slots()) {
    slot.accumulator->Update({slot.argument < 0 ? nullptr : &column, &time, &row, &block, 1},
                             slot.offset);
  }
}

std::string ShowBlock(const AggregatePlan& plan, const char* block, size_t output) {
  Column column;
  column.Reset(1);
  plan.Finish(block, output, &column, 0);
  const Value v = column.Get(0);
  return v.type == Type::kInt ? std::to_string(v.i)
         : v.type == Type::kString ? std::string(v.s) : std::string(TypeName(v.type));
}

}  // namespace

TEST_CASE("a table keeps every pane through growth, long keys and gaps") {
  const TestPlan plan({"count()", "max(v)"});
  PaneTable table(plan.get());
  Random random(1);
  std::map<std::string, std::pair<Pane*, int64_t>> expected;
  std::vector<std::string> order;
  for (int64_t i = 0; i < 5000; ++i) {
    std::string key = std::to_string(i);
    // Up to the longest key there is: some do not fit the first chunk, others leave gaps at its end.
    if (random.Chance(0.3)) key.append(random.Below(470), static_cast<char>('a' + i % 26));
    Pane* pane = AddPane(&table, *plan, key);
    Count(*plan, pane, i);
    expected[key] = {pane, i};
    order.push_back(key);
  }
  REQUIRE(table.size() == 5000);
  for (const auto& [key, what] : expected) {
    Pane* pane = table.Find(key, Hash64(key));
    REQUIRE(pane == what.first);
    REQUIRE(table.Key(*pane) == key);
    REQUIRE(ShowBlock(*plan, pane->block(), 1) == std::to_string(what.second));
  }
  CHECK(table.Find("no such key", Hash64("no such key")) == nullptr);
  size_t next = 0;
  table.ForEach([&](Pane* pane) { REQUIRE(table.Key(*pane) == order[next++]); });
  CHECK(next == 5000);
  std::vector<Pane*> sorted;
  table.Sorted(&sorted);
  next = 0;
  for (const auto& [key, what] : expected) REQUIRE(table.Key(*sorted[next++]) == key);
  CHECK(table.MemoryBytes() > 5000 * (sizeof(Pane) + plan->block_bytes()));
}

TEST_CASE("an empty table") {
  const TestPlan plan({"count()"});
  PaneTable table(plan.get());
  CHECK(table.Find("a", Hash64("a")) == nullptr);
  table.Retain([](Pane*) { return true; });
  CHECK(table.size() == 0);
  std::vector<Pane*> sorted;
  table.Sorted(&sorted);
  CHECK(sorted.empty());
}

TEST_CASE("keys with one hash are told apart") {
  const TestPlan plan({"count()"});
  PaneTable table(plan.get());
  Pane* a = table.Add("a", 5);
  Pane* b = table.Add("b", 5);
  CHECK(table.Find("a", 5) == a);
  CHECK(table.Find("b", 5) == b);
  CHECK(table.Find("c", 5) == nullptr);
}

TEST_CASE("Retain keeps some panes as they are, text and all") {
  const TestPlan plan({"last(v)"});
  PaneTable table(plan.get());
  for (int i = 0; i < 1000; ++i) {
    Pane* pane = AddPane(&table, *plan, std::to_string(i));
    Column column;
    column.Reset(1);
    column.SetString(0, "text of pane " + std::to_string(i));
    const int64_t time = i;
    const uint32_t row = 0;
    char* block = pane->block();
    plan->slots()[0].accumulator->Update({&column, &time, &row, &block, 1}, 0);
    pane->revision = static_cast<uint32_t>(i);
    pane->flags = Pane::kDirty;
  }
  const size_t before = table.MemoryBytes();
  table.Retain([](Pane* pane) { return pane->revision % 10 == 0; });
  CHECK(table.size() == 100);
  CHECK(table.MemoryBytes() < before / 4);
  for (uint32_t i = 0; i < 1000; ++i) {
    const std::string key = std::to_string(i);
    Pane* pane = table.Find(key, Hash64(key));
    REQUIRE((pane != nullptr) == (i % 10 == 0));
    if (pane == nullptr) continue;
    REQUIRE(pane->revision == i);
    REQUIRE(pane->flags == Pane::kDirty);
    REQUIRE(ShowBlock(*plan, pane->block(), 0) == "text of pane " + key);
  }
  AddPane(&table, *plan, "one more");
  CHECK(table.size() == 101);
}

namespace {

std::string StoredPane(const AggregatePlan& plan, const PaneLayouts& layouts, uint32_t revision) {
  Block block(&plan);
  block.Add({Value::Int(4), Value::Int(6)});
  std::string row;
  layouts.Encode(revision, block.bytes(), &row);
  return row;
}

}  // namespace

TEST_CASE("a pane comes back in the layout it was written in") {
  const TestPlan plan({"count()", "sum(v)", "min(v)", "first(v)"});
  const PaneLayouts layouts(plan.get(), {});
  REQUIRE(layouts.descriptions().size() == 1);
  CHECK(layouts.descriptions()[0] == "rows()\nsum(v)\nmin(v)\nfirst(v)\n");
  const std::string row = StoredPane(*plan, layouts, 7);
  Block block(plan.get());
  uint32_t revision = 0;
  REQUIRE(layouts.Decode(row, &revision, block.bytes()).ok());
  CHECK(revision == 7);
  CHECK(block.Show(1) == "int 10");
  CHECK(block.Show(2) == "int 4");
  std::vector<int64_t> words(plan->block_bytes() / 8 + 1);
  char* bytes = reinterpret_cast<char*>(words.data());
  for (size_t n = 0; n < row.size(); ++n) {
    CHECK(layouts.Decode(row.substr(0, n), &revision, bytes).code() == ErrorCode::kCorrupt);
  }
  CHECK(layouts.Decode(row + "x", &revision, bytes).code() == ErrorCode::kCorrupt);
}

TEST_CASE("a pane of an older layout keeps what both have") {
  const TestPlan before({"last(v)", "sum(v)", "max(v)", "stddev(v)"});
  const PaneLayouts old_layouts(before.get(), {});
  const std::string row = StoredPane(*before, old_layouts, 2);

  const TestPlan after({"count()", "max(v)", "avg(v)"});
  const PaneLayouts layouts(after.get(), old_layouts.descriptions());
  REQUIRE(layouts.descriptions().size() == 2);
  Block block(after.get());
  uint32_t revision = 0;
  REQUIRE(layouts.Decode(row, &revision, block.bytes()).ok());
  CHECK(revision == 2);
  CHECK(block.Show(0) == "int 0");     // was not counted then
  CHECK(block.Show(1) == "int 6");
  CHECK(block.Show(2) == "float 5");   // avg is of the sum
  std::vector<int64_t> words(after->block_bytes() / 8 + 1);
  char* bytes = reinterpret_cast<char*>(words.data());
  for (size_t n = 0; n < row.size(); ++n) {
    CHECK(layouts.Decode(row.substr(0, n), &revision, bytes).code() == ErrorCode::kCorrupt);
  }
  CHECK(layouts.Decode(row + "x", &revision, bytes).code() == ErrorCode::kCorrupt);

  // Back to the first aggregates: rows of all three times are understood.
  const PaneLayouts again(before.get(), layouts.descriptions());
  CHECK(again.descriptions().size() == 3);
  Block first(before.get());
  REQUIRE(again.Decode(row, &revision, first.bytes()).ok());
  CHECK(first.Show(0) == "int 6");
  CHECK(first.Show(1) == "int 10");
  // The current layout last: nothing is appended.
  CHECK(PaneLayouts(before.get(), again.descriptions()).descriptions().size() == 3);
}

TEST_CASE("a layout of a version that knew more is refused, not guessed at") {
  const TestPlan plan({"sum(v)"});
  const PaneLayouts layouts(plan.get(), {"quantiles(v)\nsum(v)\n"});
  std::string row("\x00\x00\x00\x00", 4);
  std::vector<int64_t> words(plan->block_bytes() / 8 + 1);
  uint32_t revision = 0;
  CHECK(layouts.Decode(row, &revision, reinterpret_cast<char*>(words.data())).code() ==
        ErrorCode::kCorrupt);
  // So is a number no layout has.
  row = std::string("\x05\x00\x00\x00", 4);
  CHECK(layouts.Decode(row, &revision, reinterpret_cast<char*>(words.data())).code() ==
        ErrorCode::kCorrupt);
}

}  // namespace rivulet
