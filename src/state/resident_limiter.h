// Keeps the resident part of a large read-only file mapping bounded.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace rivulet {

// A file read through a mapping counts into the process's resident set although the kernel could
// drop those pages at any time; on a machine with a memory limit per process that looks like a
// leak. When the process has more than `limit` bytes of file pages beyond what it had when the
// mapping was last dropped, the whole mapping is dropped.
//
// Dropping (madvise MADV_DONTNEED) is safe at any time and beside any reader, because the mapping
// is shared, read-only and backed by the file: the pages hold no data of their own, and the next
// access maps the same bytes again from the page cache or the disk.
//
// Thread-safe between Attach and Detach.
class ResidentLimiter {
 public:
  explicit ResidentLimiter(uint64_t limit)
      : limit_(limit),
        operations_per_check_(
            static_cast<uint32_t>(std::clamp<uint64_t>(limit / kMappedPerOperation, 8, 256))) {}
  ~ResidentLimiter();
  ResidentLimiter(const ResidentLimiter&) = delete;
  ResidentLimiter& operator=(const ResidentLimiter&) = delete;

  // Finds the mapping that contains `address`. Without one, or where the kernel does not tell,
  // the limiter does nothing: it saves memory, correctness does not depend on it.
  void Attach(const void* address);
  // To be called before the mapping goes: what lies at its address then may be no file's, and must not be
  // dropped.
  void Detach();

  // Counts `operations` towards the next look at the resident size; looking costs about 1 us.
  void Count(uint32_t operations) {
    const uint32_t before = count_.fetch_add(operations, std::memory_order_relaxed);
    if (before + operations >= operations_per_check_) Check();
  }
  void Check();

 private:
  // A read of one key touches a page or two that are not mapped yet, and with each the kernel maps
  // the 64 KB around it as far as they are cached.
  static constexpr uint64_t kMappedPerOperation = 128 << 10;

  // Resident bytes of file mappings of this process, or 0 when unknown.
  uint64_t ResidentFileBytes() const;

  const uint64_t limit_;
  const uint32_t operations_per_check_;
  int statm_ = -1;
  void* start_ = nullptr;
  size_t length_ = 0;
  std::atomic<uint32_t> count_{0};
  std::atomic<uint64_t> baseline_{0};
};

}  // namespace rivulet
