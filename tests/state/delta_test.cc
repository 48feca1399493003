#include "state/delta.h"

#include <doctest/doctest.h>

#include <string>

#include "base/random.h"

namespace rivulet {
namespace {

ErrorCode CodeOf(const std::string& bytes) {
  DeltaReader reader(bytes);
  DeltaReader::Operation op;
  while (reader.Next(&op)) {
  }
  return reader.status().code();
}

TEST_CASE("a delta gives back its operations in order") {
  Delta first;
  first.Put("a", "1");
  first.Delete("b");
  Delta delta;
  delta.Put("x", "");
  delta.Append(first);
  delta.DeleteRange("c", "d");
  CHECK(delta.operations() == 4);

  DeltaReader reader(delta.bytes());
  DeltaReader::Operation op;
  REQUIRE(reader.Next(&op));
  CHECK(op.kind == DeltaReader::Kind::kPut);
  CHECK(op.key == "x");
  CHECK(op.value.empty());
  REQUIRE(reader.Next(&op));
  CHECK(op.key == "a");
  CHECK(op.value == "1");
  REQUIRE(reader.Next(&op));
  CHECK(op.kind == DeltaReader::Kind::kDelete);
  CHECK(op.key == "b");
  REQUIRE(reader.Next(&op));
  CHECK(op.kind == DeltaReader::Kind::kDeleteRange);
  CHECK(op.key == "c");
  CHECK(op.value == "d");
  CHECK_FALSE(reader.Next(&op));
  CHECK(reader.status().ok());

  delta.Clear();
  CHECK(delta.empty());
  CHECK(delta.operations() == 0);
}

TEST_CASE("keys that no store can hold are damage") {
  Delta delta;
  SUBCASE("empty") { delta.Put("", "v"); }
  SUBCASE("too long") { delta.Put(std::string(kMaxStoreKey + 1, 'k'), "v"); }
  SUBCASE("reserved") { delta.Delete(kReservedStoreKey); }
  SUBCASE("range without an end") { delta.DeleteRange("a", ""); }
  CHECK(CheckDelta(delta).code() == ErrorCode::kCorrupt);
}

TEST_CASE("the longest key is fine") {
  Delta delta;
  delta.Put(std::string(kMaxStoreKey, 'k'), "v");
  CHECK(CheckDelta(delta).ok());
}

TEST_CASE("a delta cut anywhere but between operations is damaged") {
  Delta delta;
  delta.Put("key", "value");
  const size_t first = delta.bytes().size();
  delta.DeleteRange("from", "to");
  for (size_t n = 0; n < delta.bytes().size(); ++n) {
    const ErrorCode expected =
        n == 0 || n == first ? ErrorCode::kOk : ErrorCode::kCorrupt;
    CHECK(CodeOf(delta.bytes().substr(0, n)) == expected);
  }
}

TEST_CASE("random bytes never do harm") {
  Random random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(random.Below(40), '\0');
    for (char& c : bytes) c = static_cast<char>(random.Below(i % 2 == 0 ? 256 : 5));
    const ErrorCode code = CodeOf(bytes);
    CHECK((code == ErrorCode::kOk || code == ErrorCode::kCorrupt));
  }
}

}  // namespace
}  // namespace rivulet
