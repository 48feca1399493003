// KeyIndex against a map: whatever comes and goes, and however hashes fall together.
#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>

#include "base/random.h"
#include "operators/state/key_index.h"

using namespace rivulet;

namespace {

struct State {
  std::string key;
  uint64_t hash;
};

void CheckLike(uint64_t hashes, uint64_t seed) {
  Random random(seed);
  KeyIndex<State> index;
  std::map<std::string, State*> model;
  for (int round = 0; round < 20'000; ++round) {
    const std::string key = "k" + std::to_string(random.Below(300));
    // Those that fall together are neighbours of others, around the end of the index too.
    const uint64_t hash = (uint64_t{key.size() * 7919 + static_cast<uint8_t>(key.back())} % hashes) << 32;
    State* const found = index.Find(key, hash);
    const auto known = model.find(key);
    REQUIRE(found == (known == model.end() ? nullptr : known->second));
    if (found == nullptr) {
      model[key] = index.Insert(std::make_unique<State>(State{key, hash}));
    } else if (random.Chance(0.6)) {
      const std::unique_ptr<State> taken = index.Take(found);
      REQUIRE(taken.get() == found);
      model.erase(known);
    }
    REQUIRE(index.size() == model.size());
    if (!random.Chance(0.001)) continue;
    const char last = static_cast<char>('0' + random.Below(10));
    size_t seen = 0;
    const size_t before = index.size();
    index.DeleteIf([&](State* state) {
      ++seen;
      return state->key.back() == last;
    });
    CHECK(seen == before);
    std::erase_if(model, [&](const auto& entry) { return entry.first.back() == last; });
  }
  for (const auto& [key, state] : model) CHECK(index.Find(key, state->hash) == state);
}

}  // namespace

TEST_CASE("a key index holds what was put in and not taken out") {
  CheckLike(1, 1);          // one home for all
  CheckLike(3, 2);
  CheckLike(1u << 20, 3);
}

TEST_CASE("an index that nothing was put into finds nothing") {
  KeyIndex<State> index;
  CHECK(index.Find("a", 1) == nullptr);
  index.DeleteIf([](State*) { return true; });
  CHECK(index.size() == 0);
}
