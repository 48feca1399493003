#include "state/resident_limiter.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <utility>

namespace rivulet {

ResidentLimiter::~ResidentLimiter() { Detach(); }

void ResidentLimiter::Detach() {
  if (statm_ >= 0) ::close(std::exchange(statm_, -1));
  start_ = nullptr;
  length_ = 0;
}

void ResidentLimiter::Attach(const void* address) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> maps(std::fopen("/proc/self/maps", "re"),
                                                             &std::fclose);
  if (maps == nullptr) return;
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  char line[512];
  while (std::fgets(line, sizeof(line), maps.get()) != nullptr) {
    unsigned long from = 0;
    unsigned long to = 0;
    if (std::sscanf(line, "%lx-%lx", &from, &to) != 2 || wanted < from || wanted >= to) continue;
    start_ = reinterpret_cast<void*>(from);
    length_ = to - from;
    statm_ = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ::madvise(start_, length_, MADV_DONTNEED);
    baseline_.store(ResidentFileBytes(), std::memory_order_relaxed);
    return;
  }
}

uint64_t ResidentLimiter::ResidentFileBytes() const {
  char text[128];
  const ssize_t n = ::pread(statm_, text, sizeof(text) - 1, 0);
  if (n <= 0) return 0;
  text[n] = '\0';
  unsigned long long shared_pages = 0;
  if (std::sscanf(text, "%*s %*s %llu", &shared_pages) != 1) return 0;
  return shared_pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

void ResidentLimiter::Check() {
  count_.store(0, std::memory_order_relaxed);
  if (statm_ < 0) return;
  const uint64_t resident = ResidentFileBytes();
  if (resident <= baseline_.load(std::memory_order_relaxed) + limit_) return;
  ::madvise(start_, length_, MADV_DONTNEED);
  baseline_.store(ResidentFileBytes(), std::memory_order_relaxed);
}

}  // namespace rivulet
