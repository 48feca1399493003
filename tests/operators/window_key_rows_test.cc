// KeyRows: rows that come back, rows that are damaged, timers, and what leaves memory.

#include <doctest/doctest.h>

#include "base/hash.h"
#include "operators/window/key_rows.h"
#include "tests/operators/window_testing.h"

namespace rivulet {
namespace {

struct Fixture {
  TestPlan plan{{"sum(v)", "max(s)"}};
  PaneLayouts layouts{plan.get(), {}};
  MapState state;

  std::unique_ptr<KeyRows> Open() {
    auto rows = std::make_unique<KeyRows>(plan.get(), &layouts, "s", &state, KeyShare{});
    REQUIRE(rows->Open().ok());
    return rows;
  }
  static KeyWindows* Find(KeyRows* rows, std::string_view key, bool create) {
    return rows->Find(key, Hash64(key), create);
  }
  void Commit(KeyRows* rows) {
    rows->CollectChanges(&state);
    rows->OnCommitted();
  }
  // A key with two windows, committed.
  void Fill(KeyRows* rows, std::string_view key, int64_t start) {
    KeyWindows* windows = Find(rows, key, true);
    WindowPart* part = rows->Insert(windows, 0, start, start + 10);
    part->revision = 3;
    part->fresh = true;
    part->due = start + 5;
    part->records = 7;
    rows->Insert(windows, 1, start + 20, start + 30)->closed = true;
    windows->total = 9;
    rows->MarkDirty(windows);
    rows->SetTimer(windows, start + 5, -1000);
    Commit(rows);
  }
};

}  // namespace

TEST_CASE("key rows: a key's last use is stored when it is noted") {
  Fixture f;
  {
    const auto rows = f.Open();
    for (const char* key : {"a", "b", "c"}) {
      rows->Insert(f.Find(rows.get(), key, true), 0, 5, 5);
      rows->MarkDirty(f.Find(rows.get(), key, false));
    }
    f.Find(rows.get(), "a", false)->Touch(5, -7, 100);
    KeyWindows* b = f.Find(rows.get(), "b", false);
    b->Touch(5, 9, 100);
    b->Touch(6, 7, 100);
    b->clock = 3;
    f.Find(rows.get(), "c", false)->Touch(5, 9, 0);
    f.Commit(rows.get());
  }
  const auto rows = f.Open();
  CHECK(f.Find(rows.get(), "a", false)->OverAt(100) == 105);
  CHECK(f.Find(rows.get(), "a", false)->clock == kNoClock);
  KeyWindows* b = f.Find(rows.get(), "b", false);
  CHECK(b->OverAt(100) == 109);
  CHECK(b->OverAt(0) == kNoTimer);
  CHECK(b->clock == 3);
  // Not noted: it is not over until it is used.
  CHECK(f.Find(rows.get(), "c", false)->OverAt(100) == kNoTimer);
  rows->Reset(b);
  CHECK(b->parts.empty());
  CHECK(b->OverAt(100) == kNoTimer);
}

TEST_CASE("key rows: what was committed comes back as it was") {
  Fixture f;
  f.Fill(f.Open().get(), "a", -100);
  CHECK(f.state.rows.size() == 2);
  const auto rows = f.Open();
  CHECK(rows->EntriesInMemory() == 0);
  KeyWindows* windows = f.Find(rows.get(), "a", false);
  REQUIRE(windows != nullptr);
  REQUIRE(windows->parts.size() == 2);
  CHECK(windows->total == 9);
  CHECK(windows->parts[0].start == -100);
  CHECK(windows->parts[0].end == -90);
  CHECK(windows->parts[0].due == -95);
  CHECK(windows->parts[0].records == 7);
  CHECK(windows->parts[0].revision == 3);
  CHECK(windows->parts[0].fresh);
  CHECK_FALSE(windows->parts[0].closed);
  CHECK(windows->parts[1].due == kNoTimer);
  CHECK(windows->parts[1].closed);
  CHECK(rows->TimerOf(*windows) == -95);
  CHECK(f.Find(rows.get(), "b", false) == nullptr);
}

TEST_CASE("key rows: timers of keys in the store ring") {
  Fixture f;
  {
    const auto rows = f.Open();
    f.Fill(rows.get(), "a", 100);
    f.Fill(rows.get(), "b", 200);
    // The last time there is: its row is the last of all.
    KeyWindows* late = f.Find(rows.get(), "z", true);
    rows->Insert(late, 0, 1, 1);
    rows->MarkDirty(late);
    rows->SetTimer(late, kNoTimer - 1, 0);
    f.Commit(rows.get());
  }
  const auto rows = f.Open();
  const auto at = [](int64_t time) { return FirePoint{time, true, ""}; };
  rows->BringDue(at(0), at(104));
  CHECK(rows->NextDue(at(104)) == nullptr);
  CHECK(rows->LimitTimers(at(0), 500, 1) == FirePoint{105, false, "a"});
  CHECK(rows->LimitTimers({105, false, "a"}, 500, 1) == FirePoint{205, false, "b"});
  CHECK(rows->LimitTimers(at(0), 500, 2) == FirePoint{205, false, "b"});
  CHECK(rows->LimitTimers(at(0), 500, 3) == at(500));
  rows->BringDue(at(0), {105, false, "A"});
  CHECK(rows->NextDue(at(105)) == nullptr);
  rows->BringDue({105, false, "A"}, at(105));
  CHECK(rows->NextDue({105, false, "A"}) == nullptr);
  KeyWindows* windows = rows->NextDue(at(105));
  REQUIRE(windows != nullptr);
  CHECK(windows->key == "a");
  rows->SetTimer(windows, 300, 105);
  rows->BringDue(at(105), at(kNoTimer));
  CHECK(rows->NextDue(at(250))->key == "b");
  rows->Remove(f.Find(rows.get(), "b", false), 0, 2);
  rows->Erase(f.Find(rows.get(), "b", false));
  CHECK(rows->NextDue(at(300))->key == "a");
  rows->Remove(windows, 0, 2);
  rows->Erase(windows);
  CHECK(rows->NextDue(at(kNoTimer - 1))->key == "z");
  f.Commit(rows.get());
  CHECK(f.state.rows.size() == 2);
  CHECK(f.Find(rows.get(), "a", false) == nullptr);
}

TEST_CASE("key rows: memory shrinks to what is dirty, and comes back") {
  Fixture f;
  const auto rows = f.Open();
  for (int i = 0; i < 100; ++i) f.Fill(rows.get(), "k" + std::to_string(i), i);
  CHECK(rows->EntriesInMemory() == 200);
  rows->MarkDirty(f.Find(rows.get(), "k7", false));
  const size_t before = rows->MemoryBytes();
  rows->Evict(0);
  CHECK(rows->EntriesInMemory() == 2);
  CHECK(rows->MemoryBytes() < before / 50);
  CHECK(f.Find(rows.get(), "k8", false)->parts.size() == 2);
  CHECK(rows->status().ok());
}

TEST_CASE("key rows: a damaged row is an error, whichever byte it is") {
  Fixture f;
  f.Fill(f.Open().get(), "a", 100);
  const std::string row = f.state.rows["ska"];
  REQUIRE_FALSE(row.empty());
  for (size_t length = 0; length < row.size(); ++length) {
    f.state.rows["ska"] = row.substr(0, length);
    const auto rows = f.Open();
    CHECK(f.Find(rows.get(), "a", false) == nullptr);
    CHECK(rows->status().code() == ErrorCode::kCorrupt);
  }
  f.state.rows["ska"] = row + "x";
  {
    const auto rows = f.Open();
    CHECK(f.Find(rows.get(), "a", false) == nullptr);
    CHECK(rows->status().code() == ErrorCode::kCorrupt);
  }
  // Other bytes may make another row; they must not do harm.
  for (size_t i = 0; i < row.size(); ++i) {
    for (const int flip : {1, 0x80, 0xff}) {
      std::string changed = row;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      f.state.rows["ska"] = changed;
      const auto rows = f.Open();
      const KeyWindows* windows = f.Find(rows.get(), "a", false);
      CHECK((windows != nullptr || rows->status().code() == ErrorCode::kCorrupt));
    }
  }
}

TEST_CASE("key rows: an error of the store is kept") {
  Fixture f;
  f.Fill(f.Open().get(), "a", 100);
  const auto rows = f.Open();
  f.state.error = Status(ErrorCode::kIo, "gone");
  CHECK(f.Find(rows.get(), "a", false) == nullptr);
  CHECK(rows->status().code() == ErrorCode::kIo);
}

}  // namespace rivulet
