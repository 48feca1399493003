// What a turn may take follows from what a commit may cost.
#include <doctest/doctest.h>

#include "node/engine/memory_budget.h"

namespace rivulet {

TEST_CASE("turns are short only where each message can cost much") {
  const MemoryBudget budget{64 << 20};  // commits of 4096 pages
  CHECK(budget.TurnMessages(5000, 1, {}) == 5000);
  CHECK(budget.TurnMessages(5000, 1, {16 << 20, 0, 0}) == 5000);
  const StoreStats large{120 << 20, 0, 0};
  CHECK(budget.TurnMessages(5000, 1, large) == 2048);
  CHECK(budget.TurnMessages(1000, 1, large) == 1000);
  CHECK(budget.TurnMessages(5000, 4, large) == 512);
  // Where many read it, each message can be of a new key of each.
  CHECK(budget.TurnMessages(5000, 10, {}) == 3276);
  CHECK(budget.TurnMessages(5000, 200, {}) == 163);
  // However little memory there is, a turn gets somewhere.
  CHECK(budget.TurnMessages(5000, 100, large) == 64);
  CHECK(budget.TurnMessages(3, 100, large) == 3);
  CHECK(MemoryBudget{0}.TurnMessages(5000, 0, large) == 64);
  CHECK(budget.CommitDue({0, 0, 2 * 2 * 2048}, large));
}

TEST_CASE("what all hold together makes a commit due, and more is taken in beside it up to a bound") {
  const MemoryBudget budget{64 << 20};
  const StoreStats stats;
  CHECK_FALSE(budget.CommitDue({20 << 20, 7 << 20, 1000}, stats));
  CHECK(budget.CommitDue({22 << 20, 0, 0}, stats));
  CHECK(budget.CommitDue({0, 9 << 20, 0}, stats));
  CHECK_FALSE(budget.Full({40 << 20, 7 << 20, 0}));
  CHECK(budget.Full({50 << 20, 0, 0}));
  CHECK(budget.Full({0, 9 << 20, 0}));
}

}  // namespace rivulet
