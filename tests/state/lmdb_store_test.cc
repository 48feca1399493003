// What is LMDB's own: files, locks, sizes, crashes. store_contract_test has what all stores do.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/coding.h"
#include "base/random.h"
#include "state/store.h"
#include "tests/base/temporary_directory.h"

namespace rivulet {
namespace {

using testing::TemporaryDirectory;

LmdbOptions Options(const TemporaryDirectory& directory) {
  LmdbOptions options;
  options.directory = directory.path() + "/store";
  options.map_size = 64 << 20;
  return options;
}

std::unique_ptr<Store> Open(const LmdbOptions& options) {
  auto store = OpenLmdbStore(options);
  REQUIRE_MESSAGE(store.ok(), store.status().ToString());
  return std::move(store).value();
}

std::string Key(uint64_t i) {
  std::string key = "k";
  PutOrderedU64(&key, i);
  return key;
}

uint64_t ResidentFileBytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t size = 0;
  uint64_t resident = 0;
  uint64_t shared = 0;
  statm >> size >> resident >> shared;
  return shared * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

TEST_CASE("commits survive closing and opening, with and without a sync each") {
  const TemporaryDirectory directory;
  LmdbOptions options = Options(directory);
  SUBCASE("sync each") { options.sync_each_commit = true; }
  SUBCASE("no sync of the meta page") { options.sync_each_commit = false; }
  for (uint64_t life = 0; life < 3; ++life) {
    auto store = Open(options);
    CHECK(store->Stats().entries == life);
    Delta delta;
    delta.Put(Key(life), std::to_string(life));
    REQUIRE(store->Commit(delta).ok());
  }
  auto store = Open(options);
  std::string value;
  CHECK(store->Get(Key(2), &value).value());
  CHECK(value == "2");
}

TEST_CASE("a store is open once, and a crash leaves no lock") {
  const TemporaryDirectory directory;
  const LmdbOptions options = Options(directory);
  {
    auto store = Open(options);
    CHECK(OpenLmdbStore(options).status().code() == ErrorCode::kLocked);
  }
  int pipe_ends[2];
  REQUIRE(::pipe(pipe_ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto store = OpenLmdbStore(options);
    const char ready = store.ok() ? 'y' : 'n';
    if (::write(pipe_ends[1], &ready, 1) != 1) ::_exit(1);
    while (true) ::pause();
  }
  char ready = 0;
  REQUIRE(::read(pipe_ends[0], &ready, 1) == 1);
  CHECK(ready == 'y');
  CHECK(OpenLmdbStore(options).status().code() == ErrorCode::kLocked);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(OpenLmdbStore(options).ok());
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
}

TEST_CASE("a full map refuses the commit as a whole and goes on when there is room") {
  const TemporaryDirectory directory;
  LmdbOptions options = Options(directory);
  options.map_size = 1 << 20;
  auto store = Open(options);
  Delta first;
  first.Put("first", "1");
  REQUIRE(store->Commit(first).ok());
  Delta delta;
  for (uint64_t i = 0; i < 2000; ++i) delta.Put(Key(i), std::string(1000, 'v'));
  CHECK(store->Commit(delta).code() == ErrorCode::kStoreFull);
  CHECK(store->Stats().entries == 1);
  std::string value;
  CHECK_FALSE(store->Get(Key(0), &value).value());
  Delta small;
  small.Put("second", "2");
  CHECK(store->Commit(small).ok());
  CHECK(store->Stats().used_bytes < store->Stats().capacity_bytes);
}

TEST_CASE("a map that is full of large and small rows can be emptied in any pieces") {
  const TemporaryDirectory directory;
  LmdbOptions options = Options(directory);
  options.map_size = 1 << 20;
  options.sync_each_commit = false;
  auto store = Open(options);
  const auto row = [](uint64_t i) { return std::string(i % 7 == 0 ? 9000 : 200, 'v'); };
  for (const uint64_t piece : {1, 10, 1000}) {
    uint64_t rows = 0;
    for (bool full = false; !full; rows += full ? 0 : 5) {
      Delta more;
      for (uint64_t i = rows; i < rows + 5; ++i) more.Put(Key(i), row(i));
      const Status status = store->Commit(more);
      full = status.code() == ErrorCode::kStoreFull;
      if (!full) REQUIRE(status.ok());
    }
    CHECK(store->Stats().used_bytes > (1 << 20) / 4 * 3);
    CHECK(store->Stats().used_bytes <= (1 << 20) / 8 * 7);
    // What changes rows without growing has room. Not surely so rows larger than a page: these need pages
    // that lie together.
    Delta same;
    for (uint64_t i = 0; i < 20; ++i) {
      if (i % 7 != 0) same.Put(Key(i), row(i));
    }
    CHECK(store->Commit(same).ok());
    for (uint64_t i = 0; i < rows; i += piece) {
      Delta less;
      less.Put("cursor", std::to_string(i));
      less.DeleteRange(Key(i), Key(i + piece));
      REQUIRE(store->Commit(less).ok());
    }
    CHECK(store->Stats().entries == 1);
  }
}

TEST_CASE("what is not a store is refused") {
  const TemporaryDirectory directory;
  const LmdbOptions options = Options(directory);
  SUBCASE("a file of something else") {
    { auto store = Open(options); }
    std::ofstream(options.directory + "/data.mdb", std::ios::trunc) << std::string(9000, 'x');
    const ErrorCode code = OpenLmdbStore(options).status().code();
    CHECK(code == ErrorCode::kCorrupt);
  }
  SUBCASE("no way to create it") {
    LmdbOptions bad = options;
    std::ofstream(directory.path() + "/file") << "x";
    bad.directory = directory.path() + "/file/store";
    CHECK(OpenLmdbStore(bad).status().code() == ErrorCode::kIo);
  }
}

// Each commit writes its number under every key; the child is killed at a random moment.
TEST_CASE("kill -9 in the middle of commits leaves all of a commit or nothing") {
  const TemporaryDirectory directory;
  const LmdbOptions options = Options(directory);
  constexpr uint64_t kKeys = 300;
  Random random(4);
  uint64_t last = 0;
  for (int round = 0; round < 8; ++round) {
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      auto store = OpenLmdbStore(options);
      if (!store.ok()) ::_exit(1);
      for (uint64_t commit = last + 1;; ++commit) {
        Delta delta;
        for (uint64_t k = 0; k < kKeys; ++k) delta.Put(Key(k * 7), std::to_string(commit));
        if (!(*store)->Commit(delta).ok()) ::_exit(1);
        if (::write(pipe_ends[1], &commit, sizeof(commit)) != sizeof(commit)) ::_exit(1);
      }
    }
    ::close(pipe_ends[1]);
    uint64_t reported = 0;
    for (uint64_t n = 1 + random.Below(5); n > 0; --n) {
      REQUIRE(::read(pipe_ends[0], &reported, sizeof(reported)) == sizeof(reported));
    }
    ::usleep(static_cast<useconds_t>(random.Below(3000)));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    uint64_t later = 0;
    while (::read(pipe_ends[0], &later, sizeof(later)) == sizeof(later)) reported = later;
    ::close(pipe_ends[0]);

    auto store = Open(options);
    CHECK(store->Stats().entries == kKeys);
    std::string value;
    REQUIRE(store->Get(Key(0), &value).value());
    last = std::stoull(value);
    CHECK(last >= reported);
    CHECK(last <= reported + 1);
    uint64_t equal = 0;
    const auto visit = [&](std::string_view, std::string_view v) {
      equal += v == value ? 1 : 0;
      return true;
    };
    REQUIRE(store->Scan("k", "l", visit).ok());
    CHECK(equal == kKeys);
  }
}

TEST_CASE("resident pages stay within the limit whatever is read") {
  const TemporaryDirectory directory;
  LmdbOptions options = Options(directory);
  options.map_size = 256 << 20;
  options.sync_each_commit = false;
  options.resident_limit = 4 << 20;
  auto store = Open(options);
  constexpr uint64_t kEntries = 40'000;
  for (uint64_t i = 0; i < kEntries; i += 4000) {
    Delta delta;
    for (uint64_t k = i; k < i + 4000; ++k) delta.Put(Key(k), std::string(1000, 'v'));
    REQUIRE(store->Commit(delta).ok());
  }
  // 40 MB of values; room for what may be mapped between two looks.
  const uint64_t before = ResidentFileBytes();
  const uint64_t bound = before + options.resident_limit + (6 << 20);
  uint64_t most = 0;
  uint64_t seen = 0;
  const auto visit = [&](std::string_view, std::string_view value) {
    if (++seen % 1000 == 0) most = std::max(most, ResidentFileBytes());
    return value.size() == 1000;
  };
  REQUIRE(store->Scan("k", "l", visit).ok());
  CHECK(seen == kEntries);
  CHECK(most < bound);
  Random random(9);
  std::string value;
  for (int i = 0; i < 20'000; ++i) {
    REQUIRE(store->Get(Key(random.Below(kEntries)), &value).value());
    if (i % 1000 == 0) most = std::max(most, ResidentFileBytes());
  }
  CHECK(most < bound);
}

TEST_CASE("reads on many threads beside commits see whole commits") {
  const TemporaryDirectory directory;
  LmdbOptions options = Options(directory);
  options.sync_each_commit = false;
  auto store = Open(options);
  const auto commit = [&](uint64_t number) {
    Delta delta;
    for (uint64_t k = 0; k < 50; ++k) delta.Put(Key(k), std::to_string(number));
    return store->Commit(delta).ok();
  };
  REQUIRE(commit(0));
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> torn{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&] {
      std::string single;
      while (!stop) {
        std::string first;
        const auto visit = [&](std::string_view, std::string_view v) {
          if (first.empty()) first = v;
          if (first != v) ++torn;
          return true;
        };
        if (!store->Scan("k", "l", visit).ok()) ++torn;
        if (!store->Get(Key(1), &single).ok()) ++torn;
      }
    });
  }
  bool ok = true;
  for (uint64_t n = 1; n <= 200; ++n) ok = ok && commit(n);
  stop = true;
  for (std::thread& t : readers) t.join();
  CHECK(ok);
  CHECK(torn == 0);
}

// A reader that kept its view would pin pages, and the file would grow with each commit.
TEST_CASE("a long commit gives signs that it gets on") {
  const TemporaryDirectory directory;
  LmdbOptions options = Options(directory);
  int signs = 0;
  options.progress = [&signs] { ++signs; };
  auto store = Open(options);
  Delta delta;
  for (uint64_t i = 0; i < 10'000; ++i) delta.Put(Key(i), "value");
  REQUIRE(store->Commit(delta).ok());
  CHECK(signs == 10'000 / 1024);
  signs = 0;
  Delta all;
  all.DeleteRange(Key(0), Key(20'000));
  REQUIRE(store->Commit(all).ok());
  CHECK(signs >= 10'000 / 1024);
}

TEST_CASE("rewriting the same keys does not grow the store") {
  const TemporaryDirectory directory;
  LmdbOptions options = Options(directory);
  options.map_size = 2 << 20;
  options.sync_each_commit = false;
  auto store = Open(options);
  std::string value;
  for (uint64_t n = 0; n < 500; ++n) {
    Delta delta;
    for (uint64_t k = 0; k < 100; ++k) delta.Put(Key(k), std::string(500, 'v') + std::to_string(n));
    REQUIRE(store->Commit(delta).ok());
    REQUIRE(store->Get(Key(5), &value).value());
  }
  CHECK(store->Stats().entries == 100);
}

}  // namespace
}  // namespace rivulet
