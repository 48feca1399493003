// Store: the seam for durable state. An ordered byte map with atomic commits and consistent reads.
// Production is LMDB; the simulation keeps it in memory and forgets what was not durable.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "state/delta.h"

namespace rivulet {

struct StoreStats {
  uint64_t used_bytes = 0;      // pages in use
  uint64_t capacity_bytes = 0;  // most it may grow to
  uint64_t entries = 0;
};

// Whether a commit may let a store grow to `used` bytes: up to a reserve of an eighth of its capacity, and
// half-way into that if it uses the reserve (Delta::UseReserve). A small store's reserve is larger: each
// commit takes some pages, and gives those that it replaces back to the next but one only.
constexpr bool HasRoomFor(uint64_t used, bool uses_reserve, uint64_t capacity) {
  const uint64_t reserve = std::max(capacity / 8, std::min<uint64_t>(128 << 10, capacity / 2));
  return used <= capacity - (uses_reserve ? reserve / 2 : reserve);
}

// Reads may run on any thread, concurrently with one Commit; each read sees the last commit that
// had finished when it started.
class Store {
 public:
  virtual ~Store() = default;

  // The value of `key` copied into `*value`; false when there is none. Errors: kIo, kCorrupt.
  virtual Result<bool> Get(std::string_view key, std::string* value) const = 0;

  // Calls `visit` for keys in [from, to) in ascending order, all from one consistent view, until it
  // returns false. The views are valid only during the call; `visit` must not call the store.
  using Visitor = std::function<bool(std::string_view key, std::string_view value)>;
  virtual Status Scan(std::string_view from, std::string_view to, const Visitor& visit) const = 0;

  // Applies all operations, or none. When it returns ok the commit is durable as configured.
  // Errors: kStoreFull, kDiskFull, kIo, kCorrupt (damaged delta). One caller at a time.
  // A part of the capacity is a reserve (HasRoomFor), so that commits that make room can be made when it is
  // full: one that leaves less in use than there was always has room, as far as the medium has.
  virtual Status Commit(const Delta& delta) = 0;

  virtual StoreStats Stats() const = 0;
};

struct LmdbOptions {
  std::string directory;                 // created if absent
  uint64_t map_size = 1ull << 30;        // upper bound of the file; below 2 GB on 32-bit machines
  // false: a power cut may take back the last commit (never damage the store): MDB_NOMETASYNC.
  bool sync_each_commit = true;
  // Mapped pages are given back to the kernel when more than this is resident, so that RSS stays
  // bounded whatever is read.
  uint64_t resident_limit = 8ull << 20;
  // Called now and then during a long commit, on its thread, as a sign that it gets on; may be null.
  std::function<void()> progress;
};

// Errors: kLocked when another process has it open, kIo, kCorrupt, kFormatVersion.
Result<std::unique_ptr<Store>> OpenLmdbStore(const LmdbOptions& options);

// Volatile; for replay without --state and for tests.
// Commits that would take more than `capacity_bytes` of keys and values fail with kStoreFull.
std::unique_ptr<Store> NewMemoryStore(
    uint64_t capacity_bytes = std::numeric_limits<uint64_t>::max());

}  // namespace rivulet
