// The simulated disks themselves: a simulation that forgives too much proves nothing.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <utility>

#include "base/random.h"
#include "sim/sim_file_system.h"
#include "sim/sim_store.h"

namespace rivulet::sim {
namespace {

TEST_CASE("a power cut keeps what was synced and some of the rest") {
  std::set<size_t> sizes;
  bool garbage = false;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SimFileSystem files;
    REQUIRE(files.CreateDirectories("d").ok());
    auto file = std::move(files.OpenAppend("d/f", 0)).value();
    REQUIRE(files.SyncDirectory("d").ok());
    REQUIRE(file->Append("synced").ok());
    REQUIRE(file->Sync().ok());
    REQUIRE(file->Append("unsynced").ok());
    Random random(seed);
    files.PowerCut(&random);
    const std::string left = files.Contents("d/f");
    REQUIRE(left.starts_with("synced"));
    REQUIRE(left.size() <= 14);
    sizes.insert(left.size());
    garbage = garbage || !std::string("syncedunsynced").starts_with(left);
    CHECK(file->Append("x").code() == ErrorCode::kIo);
  }
  CHECK(sizes.size() == 9);
  CHECK(garbage);
}

TEST_CASE("names are durable once their directory was synced") {
  int kept = 0;
  int renamed = 0;
  int removed = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SimFileSystem files;
    REQUIRE(files.CreateDirectories("d").ok());
    for (const char* name : {"d/durable", "d/old", "d/gone"}) {
      REQUIRE(files.OpenAppend(name, 0).ok());
    }
    REQUIRE(files.SyncDirectory("d").ok());
    REQUIRE(files.OpenAppend("d/new", 0).ok());
    REQUIRE(files.Rename("d/old", "d/young").ok());
    REQUIRE(files.Remove("d/gone").ok());
    Random random(seed);
    files.PowerCut(&random);
    CHECK(files.FileSize("d/durable").ok());
    kept += files.FileSize("d/new").ok() ? 1 : 0;
    renamed += files.FileSize("d/young").ok() ? 1 : 0;
    CHECK(files.FileSize("d/young").ok() != files.FileSize("d/old").ok());
    removed += files.FileSize("d/gone").ok() ? 0 : 1;
  }
  for (const int n : {kept, renamed, removed}) {
    CHECK(n > 20);
    CHECK(n < 80);
  }
}

TEST_CASE("a crash keeps everything; faults hit the operation asked for") {
  SimFileSystem files;
  REQUIRE(files.CreateDirectories("d").ok());
  auto file = std::move(files.OpenAppend("d/f", 0)).value();
  files.FailOperation(2);
  REQUIRE(file->Append("one").ok());
  CHECK(file->Append("twotwo").code() == ErrorCode::kIo);
  CHECK(files.Contents("d/f") == "onetwo");  // half of it
  files.SetFreeBytes(2);
  CHECK(file->Append("three").code() == ErrorCode::kDiskFull);
  CHECK(files.Contents("d/f") == "onetwoth");
  REQUIRE(files.Truncate("d/f", 3).ok());
  CHECK(files.FreeBytes("d").value() == 5);
  files.Crash();
  CHECK(file->Append("x").code() == ErrorCode::kIo);
  CHECK(files.Contents("d/f") == "one");
}

Delta PutOne(const std::string& key) {
  Delta delta;
  delta.Put(key, key);
  return delta;
}

bool Has(const Store& store, const std::string& key) {
  std::string value;
  auto found = store.Get(key, &value);
  return found.ok() && *found;
}

TEST_CASE("a store without a sync each loses at most its last commit") {
  int lost = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SimStore store(false);
    REQUIRE(store.Commit(PutOne("a")).ok());
    REQUIRE(store.Commit(PutOne("b")).ok());
    Random random(seed);
    store.PowerCut(&random);
    CHECK(Has(store, "a"));
    lost += Has(store, "b") ? 0 : 1;
  }
  CHECK(lost > 20);
  CHECK(lost < 80);
  SimStore durable(true);
  REQUIRE(durable.Commit(PutOne("a")).ok());
  Random random(1);
  durable.PowerCut(&random);
  CHECK(Has(durable, "a"));
}

TEST_CASE("dying in a commit applies all of it or nothing, and ends the process") {
  int applied = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SimStore store;
    auto handle = std::move(store.NewHandle()).value();
    CHECK(store.NewHandle().status().code() == ErrorCode::kLocked);
    Random random(seed);
    store.DieInNextCommit(&random);
    Delta delta = PutOne("a");
    delta.Put("b", "b");
    CHECK(handle->Commit(delta).code() == ErrorCode::kIo);
    std::string value;
    CHECK(handle->Get("a", &value).status().code() == ErrorCode::kIo);
    store.Crash();
    auto next = std::move(store.NewHandle()).value();
    CHECK(handle->Get("a", &value).status().code() == ErrorCode::kIo);
    handle.reset();  // a dead process's handle must not free the lock of the living
    CHECK(store.NewHandle().status().code() == ErrorCode::kLocked);
    CHECK(Has(*next, "a") == Has(*next, "b"));
    applied += Has(*next, "a") ? 1 : 0;
    store.FailNextCommit(ErrorCode::kDiskFull);
    CHECK(next->Commit(PutOne("c")).code() == ErrorCode::kDiskFull);
    CHECK_FALSE(Has(*next, "c"));
    CHECK(next->Commit(PutOne("c")).ok());
  }
  CHECK(applied > 20);
  CHECK(applied < 80);
}

}  // namespace
}  // namespace rivulet::sim
