#include "operators/lookup/lookup_table.h"

#include <doctest/doctest.h>

#include "base/hash.h"
#include "base/random.h"
#include "operators/key/key_codec.h"
#include "operators/lookup/lookup_join.h"
#include "operators/lookup/table_row.h"

namespace rivulet {
namespace {

constexpr int64_t kAlways = LookupTable::kAlways;

// A table whose keys are short texts.
class Fixture {
 public:
  bool Put(const std::string& key, int64_t since, uint64_t offset, const std::string& row) {
    return table.Put(key, Hash64(key), since, offset, row);
  }
  void Remove(const std::string& key, uint64_t offset) { table.Remove(key, Hash64(key), offset); }
  std::string Find(const std::string& key, int64_t time, uint64_t offset) {
    return std::string(table.Find(key, Hash64(key), time, offset).value_or("none"));
  }
  void Settle(uint64_t end) {
    changed.clear();
    table.Settle(end, &changed);
  }

  LookupTable table;
  std::vector<std::string> changed;
};

}  // namespace

TEST_CASE("a record sees what was known at its own offset") {
  Fixture f;
  CHECK(f.Put("a", kAlways, 5, "one"));
  CHECK_FALSE(f.Put("a", kAlways, 8, "two"));
  f.Remove("a", 10);
  CHECK(f.Put("a", kAlways, 12, "three"));
  CHECK(f.Find("a", 0, 4) == "none");
  CHECK(f.Find("a", 0, 5) == "one");
  CHECK(f.Find("a", 0, 7) == "one");
  CHECK(f.Find("a", 0, 8) == "two");
  CHECK(f.Find("a", 0, 10) == "none");
  CHECK(f.Find("a", 0, 12) == "three");
  CHECK(f.Find("b", 0, 12) == "none");
  CHECK(f.table.keys() == 1);
  f.Settle(13);
  CHECK(f.changed == std::vector<std::string>{"a"});
  CHECK(f.table.versions() == 1);
  CHECK(f.Find("a", 0, 13) == "three");
}

TEST_CASE("what lies behind a cut is taken back") {
  Fixture f;
  f.Put("a", kAlways, 1, "old");
  f.Put("b", kAlways, 1, "b");
  f.Settle(2);
  f.Put("a", kAlways, 5, "new");
  f.Remove("b", 6);
  f.Put("c", kAlways, 6, "c");
  CHECK(f.table.keys() == 2);
  f.Settle(5);
  CHECK(f.table.keys() == 2);
  CHECK(f.Find("a", 0, 100) == "old");
  CHECK(f.Find("b", 0, 100) == "b");
  CHECK(f.Find("c", 0, 100) == "none");
}

TEST_CASE("the version that holds at a time; the later one at the boundary") {
  Fixture f;
  f.Put("a", 20, 0, "b");
  f.Put("a", 10, 0, "a");
  f.Put("a", 30, 3, "c");
  CHECK(f.Find("a", 9, 9) == "none");
  CHECK(f.Find("a", 10, 9) == "a");
  CHECK(f.Find("a", 19, 9) == "a");
  CHECK(f.Find("a", 20, 9) == "b");
  CHECK(f.Find("a", 30, 2) == "b");
  CHECK(f.Find("a", 30, 3) == "c");
  CHECK_FALSE(f.Put("a", 20, 4, "b2"));
  CHECK(f.Find("a", 25, 3) == "b");
  CHECK(f.Find("a", 25, 4) == "b2");
  f.Settle(5);
  std::vector<std::string> forgotten;
  f.table.Forget(19, &forgotten);
  CHECK(forgotten.empty());
  f.table.Forget(20, &forgotten);
  CHECK(forgotten.size() == 1);
  CHECK(f.table.versions() == 2);
  CHECK(f.Find("a", 19, 9) == "none");
  CHECK(f.Find("a", 20, 9) == "b2");
}

TEST_CASE("a key keeps the newest versions") {
  Fixture f;
  for (int64_t i = 0; i < 1000; ++i) f.Put("a", i, 1, std::to_string(i));
  f.Put("a", -1, 2, "too old");
  f.Put("a", 1000, 2, "1000");
  CHECK(f.Find("a", 0, 1) == "0");
  CHECK(f.Find("a", 0, 2) == "none");
  CHECK(f.Find("a", 1, 2) == "1");
  f.Settle(3);
  CHECK(f.table.versions() == LookupTable::kMaxVersions);
}

TEST_CASE("many keys come and go") {
  Fixture f;
  Random random(7);
  std::vector<bool> there(500, false);
  size_t keys = 0;
  for (uint64_t offset = 0; offset < 20'000; ++offset) {
    const size_t i = random.Below(there.size());
    const std::string key = "key " + std::to_string(i);
    if (there[i] && random.Chance(0.5)) {
      f.Remove(key, offset);
      --keys;
      there[i] = false;
    } else {
      f.Put(key, kAlways, offset, key);
      keys += there[i] ? 0 : 1;
      there[i] = true;
    }
    if (random.Chance(0.1)) f.Settle(offset + 1);
    REQUIRE(f.table.keys() == keys);
    const size_t other = random.Below(there.size());
    const std::string text = "key " + std::to_string(other);
    REQUIRE(f.Find(text, 0, offset) == (there[other] ? text : "none"));
  }
  f.Settle(20'000);
  CHECK(f.table.versions() == keys);
  CHECK(f.table.MemoryBytes() < 200'000);
}

TEST_CASE("text in columns without types is the number it reads as") {
  CHECK(UntypedValue("17").type == Type::kInt);
  CHECK(UntypedValue("1.5").type == Type::kFloat);
  CHECK(UntypedValue("017").type == Type::kString);
  CHECK(UntypedValue("").type == Type::kString);
  CHECK(UntypedValue("v7").type == Type::kString);
}

TEST_CASE("stored rows are looked at before they are believed") {
  std::string key;
  AppendKeyValue(&key, Value::String("v7"));
  AppendKeyValue(&key, Value::Int(3));
  CHECK(DescribeKey(key) == "v7, 3");
  CHECK(IsTableRow("", 0));
  CHECK_FALSE(IsTableRow("", 1));
  CHECK_FALSE(IsTableRow(std::string("\0\0", 2), 1));
  CHECK_FALSE(IsTableRow("\x04\x09short", 1));
  CHECK_FALSE(IsTableRow("\x63", 1));
}

}  // namespace rivulet
