#include "node/live/startup_code.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>

namespace rivulet {

void ReleaseStartupCode() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> maps(std::fopen("/proc/self/maps", "re"),
                                                             std::fclose);
  if (maps == nullptr) return;
  char line[512];
  bool whole = true;  // the last piece read ended a line
  while (std::fgets(line, sizeof(line), maps.get()) != nullptr) {
    const bool begins = whole;
    whole = std::strchr(line, '\n') != nullptr;
    unsigned long from = 0, to = 0, inode = 0;
    char rights[5] = {};
    // "7f00-7f01 r-xp 00000000 fe:00 1234   /usr/lib/libc.so.6"; without a file the inode is 0.
    if (!begins ||
        std::sscanf(line, "%lx-%lx %4s %*x %*x:%*x %lu", &from, &to, rights, &inode) != 4) {
      continue;
    }
    if (std::strcmp(rights, "r-xp") != 0 || inode == 0) continue;
    (void)::madvise(reinterpret_cast<void*>(static_cast<uintptr_t>(from)), to - from, MADV_DONTNEED);
  }
}

}  // namespace rivulet
