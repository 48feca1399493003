// A disk that fails beneath LMDB, at each of its writes and syncs in turn: what the store answers, and what
// it holds then and when it is opened again. Calls of the C library go through functions of this file.
#include <doctest/doctest.h>
#include <dlfcn.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/coding.h"
#include "state/store.h"
#include "tests/base/temporary_directory.h"

namespace rivulet {
namespace {

// One call of this thread fails, or all from that one on.
struct Fault {
  int64_t calls_before = -1;  // -1: none fails
  int error = 0;
  bool goes_on = false;
  bool half = false;  // a write goes in as far as its middle
  int64_t calls = 0;
};
thread_local Fault fault;

bool Fails() {
  const int64_t call = fault.calls++;
  if (fault.calls_before < 0) return false;
  return fault.goes_on ? call >= fault.calls_before : call == fault.calls_before;
}

template <typename F>
F* Real(const char* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

template <typename Offset>
ssize_t Write(const char* name, int fd, const void* bytes, size_t size, Offset offset) {
  static auto* const real = Real<ssize_t(int, const void*, size_t, Offset)>(name);
  if (!Fails()) return real(fd, bytes, size, offset);
  if (fault.half && size > 1) return real(fd, bytes, size / 2, offset);
  errno = fault.error;
  return -1;
}

}  // namespace

// On 32 bits offsets are of 32 bits in the one, of 64 in the other; which of them a library calls depends on
// how it was built.
extern "C" ssize_t FailingWrite(int fd, const void* bytes, size_t size, long offset) __asm__("pwrite");
extern "C" ssize_t FailingWrite(int fd, const void* bytes, size_t size, long offset) {
  return Write("pwrite", fd, bytes, size, offset);
}
extern "C" ssize_t FailingWrite64(int fd, const void* bytes, size_t size, int64_t offset) __asm__("pwrite64");
extern "C" ssize_t FailingWrite64(int fd, const void* bytes, size_t size, int64_t offset) {
  return Write("pwrite64", fd, bytes, size, offset);
}
extern "C" int fdatasync(int fd) {
  static auto* const real = Real<int(int)>("fdatasync");
  if (!Fails()) return real(fd);
  errno = fault.error;
  return -1;
}

namespace {

using testing::TemporaryDirectory;

size_t OpenDescriptors() {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    count += entry.path().empty() ? 0 : 1;
  }
  return count;
}

using Rows = std::map<std::string, std::string>;

LmdbOptions Options(const TemporaryDirectory& directory, bool sync_each_commit) {
  LmdbOptions options;
  options.directory = directory.path() + "/store";
  options.map_size = 4 << 20;
  options.sync_each_commit = sync_each_commit;
  return options;
}

Rows ReadRows(const Store& store) {
  Rows rows;
  const Status status = store.Scan("\x01", "\xff", [&](std::string_view key, std::string_view value) {
    rows.emplace(key, value);
    return true;
  });
  REQUIRE_MESSAGE(status.ok(), status.ToString());
  return rows;
}

// Changes, adds and removes rows, of one page and of several.
void Change(uint64_t round, Delta* delta, Rows* rows) {
  for (uint64_t i = 0; i < 60; ++i) {
    std::string key = "row";
    PutOrderedU64(&key, (round * 37 + i * 5) % 400);
    if (i % 6 == 5) {
      delta->Delete(key);
      rows->erase(key);
      continue;
    }
    const std::string value(i % 20 == 0 ? 9000 : 100, static_cast<char>('a' + round % 26));
    delta->Put(key, value);
    (*rows)[key] = value;
  }
}

class FailingStore {
 public:
  explicit FailingStore(bool sync_each_commit) : options_(Options(directory_, sync_each_commit)) {
    Reopen();
    for (; round_ < 8; ++round_) {
      Delta delta;
      Change(round_, &delta, &rows_);
      REQUIRE(store_->Commit(delta).ok());
    }
  }

  // A commit of which one call fails; false when it has fewer.
  bool FailCall(int64_t call, const Fault& kind) {
    Delta delta;
    Rows after = rows_;
    Change(++round_, &delta, &after);
    fault = kind;
    fault.calls_before = call;
    const Status status = store_->Commit(delta);
    const bool met = fault.calls > call;
    fault = {};
    if (!met) {
      CHECK(status.ok());
      rows_ = after;
      return false;
    }
    CAPTURE(call);
    REQUIRE_FALSE(status.ok());
    CAPTURE(status.ToString());
    const bool no_room = kind.error == ENOSPC && !kind.half;
    CHECK(status.code() == (no_room ? ErrorCode::kDiskFull : ErrorCode::kIo));
    CHECK(ReadRows(*store_) == rows_);
    GoOn(no_room, delta, after);
    return true;
  }

  // What the store has is exact, in this process and in the next.
  void CheckRows() {
    CHECK(ReadRows(*store_) == rows_);
    Reopen();
    CHECK(ReadRows(*store_) == rows_);
  }

 private:
  void Reopen() {
    store_.reset();
    auto opened = OpenLmdbStore(options_);
    REQUIRE_MESSAGE(opened.ok(), opened.status().ToString());
    store_ = std::move(opened).value();
  }

  // As a node does: where there was no room the same commit is made again until there is; after another
  // error the process ends, and the next goes on with what it finds, which is all of the commit or nothing.
  void GoOn(bool no_room, const Delta& delta, const Rows& after) {
    if (no_room) {
      const Status again = store_->Commit(delta);
      CHECK_MESSAGE(again.ok(), again.ToString());
      rows_ = after;
      return CheckRows();
    }
    Reopen();
    const Rows found = ReadRows(*store_);
    CHECK((found == rows_ || found == after));
    rows_ = found;
  }

  const TemporaryDirectory directory_;
  const LmdbOptions options_;
  std::unique_ptr<Store> store_;
  Rows rows_;
  uint64_t round_ = 0;
};

TEST_CASE("a disk that fails at any call of a commit: all of it or nothing, and the store goes on") {
  Fault kind;
  SUBCASE("EIO once") { kind.error = EIO; }
  SUBCASE("EIO from then on") {
    kind.error = EIO;
    kind.goes_on = true;
  }
  SUBCASE("half a write") {
    kind.error = EIO;
    kind.half = true;
  }
  SUBCASE("no room once") { kind.error = ENOSPC; }
  SUBCASE("no room from then on") {
    kind.error = ENOSPC;
    kind.goes_on = true;
  }
  for (const bool sync_each_commit : {true, false}) {
    CAPTURE(sync_each_commit);
    FailingStore store(sync_each_commit);
    const size_t descriptors = OpenDescriptors();
    int64_t calls = 0;
    while (store.FailCall(calls, kind)) ++calls;
    CHECK(calls >= 3);
    store.CheckRows();
    CHECK(OpenDescriptors() == descriptors);
  }
}

// The meta page is LMDB's last write, and there it gives up the environment under the readers.
TEST_CASE("reads go on beside commits that fail") {
  const TemporaryDirectory directory;
  auto opened = OpenLmdbStore(Options(directory, true));
  REQUIRE(opened.ok());
  const std::unique_ptr<Store> store = std::move(opened).value();
  const auto commit = [&](uint64_t round) {
    Delta delta;
    for (char key = 'a'; key <= 'h'; ++key) delta.Put(std::string(1, key), std::to_string(round));
    return store->Commit(delta);
  };
  REQUIRE(commit(0).ok());
  std::atomic<bool> done{false};
  std::atomic<uint64_t> scans{0};
  std::atomic<uint64_t> torn{0};
  std::thread reader([&] {
    while (!done) {
      std::map<std::string, int> values;
      int rows = 0;
      const Status status = store->Scan("\x01", "\xff", [&](std::string_view, std::string_view value) {
        ++values[std::string(value)];
        return ++rows > 0;
      });
      std::string value;
      const bool whole = status.ok() && rows == 8 && values.size() == 1 && store->Get("a", &value).ok();
      torn += whole ? 0 : 1;
      ++scans;
    }
  });
  uint64_t failed = 0;
  for (uint64_t round = 1; round < 200 || scans < 200; ++round) {
    fault = {.calls_before = static_cast<int64_t>(round % 3), .error = ENOSPC};
    const Status status = commit(round);
    fault = {};
    failed += status.code() == ErrorCode::kDiskFull ? 1 : 0;
    if (!status.ok()) REQUIRE(commit(round).ok());
  }
  done = true;
  reader.join();
  CHECK(torn == 0);
  CHECK(failed > 100);
}

}  // namespace
}  // namespace rivulet
