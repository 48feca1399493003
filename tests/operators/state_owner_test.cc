// What becomes of a list of owners of state: who is asked, in which order, and what each may keep.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "operators/state/state_owner.h"

using namespace rivulet;

namespace {

std::string calls;
int pauses = 0;

struct Owner final : StateOwner {
  Owner(std::string n, size_t bytes) : name(std::move(n)), held(bytes) {}
  Status Open() override {
    calls += "open " + name + ";";
    return status_;
  }
  void CollectChanges(StateChanges*) override { calls += "collect " + name + ";"; }
  void OnCommitted() override { calls += "committed " + name + ";"; }
  size_t MemoryBytes() const override { return held; }
  void Evict(size_t target) override {
    calls += "evict " + name + " " + std::to_string(target) + ";";
    held = std::min(held, target);
  }
  size_t EntriesInMemory() const override { return held / 10; }
  size_t DirtyRows() const override { return held / 100; }
  const Status& status() const override { return status_; }

  std::string name;
  size_t held;
  Status status_;
};

std::string Called(const auto& call) {
  calls.clear();
  pauses = 0;
  call();
  return calls;
}

}  // namespace

TEST_CASE("owners of state in a list are asked one after the other, and are one") {
  Owner a("a", 300), b("b", 600);
  StateOwners owners;
  owners.Add(&a);
  owners.Add(&b);
  CHECK(Called([&] { REQUIRE(owners.Open().ok()); }) == "open a;open b;");
  CHECK(Called([&] { owners.CollectChanges(nullptr); }) == "collect a;collect b;");
  CHECK(Called([&] { owners.OnCommitted(); }) == "committed a;committed b;");
  CHECK(owners.MemoryBytes() == 900);
  CHECK(owners.EntriesInMemory() == 90);
  CHECK(owners.DirtyRows() == 9);
  CHECK(owners.status().ok());
  b.status_ = Status(ErrorCode::kIo, "b");
  CHECK(owners.status().message() == "b");
  a.status_ = Status(ErrorCode::kCorrupt, "a");
  CHECK(owners.status().message() == "a");
  CHECK(Called([&] { CHECK_FALSE(owners.Open().ok()); }) == "open a;");
  CHECK(StateOwners().status().ok());
}

TEST_CASE("what is left of memory is divided by use, or equally") {
  Owner a("a", 300), b("b", 600);
  StateOwners by_use;
  by_use.Add(&a);
  CHECK(Called([&] { by_use.Evict(1000); }) == "evict a 1000;");  // alone: its own affair
  by_use.Add(&b);
  CHECK(Called([&] { by_use.Evict(900); }).empty());              // all is within
  CHECK(Called([&] { by_use.Evict(450); }) == "evict a 150;evict b 300;");
  CHECK(Called([&] { by_use.Evict(0); }) == "evict a 0;evict b 0;");

  Owner c("c", 300), d("d", 600), e("e", 0);
  StateOwners equal(StateOwners::Division::kEqually, [] { ++pauses; });
  for (Owner* owner : {&c, &d, &e}) equal.Add(owner);
  CHECK(Called([&] { equal.Evict(100); }) == "evict c 33;evict d 33;evict e 33;");
  CHECK(pauses == 3);
  Called([&] { equal.CollectChanges(nullptr); });
  CHECK(pauses == 3);
  StateOwners none;
  none.Evict(1);
}
