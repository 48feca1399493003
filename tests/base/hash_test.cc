#include "base/hash.h"

#include <doctest/doctest.h>

namespace rivulet {
namespace {

// These values are part of the stored format: a change here moves keys to other partitions.
TEST_CASE("hashes have the published values of XXH3") {
  CHECK(Hash64("") == 0x2d06800538d394c2ull);
  CHECK(Hash128Hex("") == "99aa06d3014798d86001c324468d497f");
}

TEST_CASE("hashes depend on every byte") {
  CHECK(Hash64("v0001") != Hash64("v0002"));
  CHECK(Hash64(std::string_view("a\0", 2)) != Hash64("a"));
  CHECK(Hash128Hex("a").size() == 32);
  CHECK(Hash128Hex("a") != Hash128Hex("b"));
}

}  // namespace
}  // namespace rivulet
