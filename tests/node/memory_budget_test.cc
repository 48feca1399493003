// What a turn may take follows from what a commit may cost.
#include <doctest/doctest.h>

#include "node/engine/memory_budget.h"

namespace rivulet {

TEST_CASE("turns are short only where each message can cost pages of its own") {
  const MemoryBudget budget{64 << 20};  // commits of 4096 pages
  CHECK(budget.TurnMessages(5000, 1, {}) == 5000);
  CHECK(budget.TurnMessages(5000, 1, {16 << 20, 0, 0}) == 5000);
  const StoreStats large{120 << 20, 0, 0};
  CHECK(budget.TurnMessages(5000, 1, large) == 2048);
  CHECK(budget.TurnMessages(1000, 1, large) == 1000);
  CHECK(budget.TurnMessages(5000, 4, large) == 512);
  // However little memory there is, a turn gets somewhere.
  CHECK(budget.TurnMessages(5000, 100, large) == 256);
  CHECK(budget.TurnMessages(3, 100, large) == 3);
  CHECK(MemoryBudget{0}.TurnMessages(5000, 0, large) == 256);
  CHECK(budget.CommitDue(0, 2 * 2 * 2048, large));
}

}  // namespace rivulet
