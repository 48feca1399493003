#include "node/live/thread_state.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <iterator>
#include <string>

namespace rivulet {
namespace {

// Calls that wait for nothing but a file system.
constexpr long kFileCalls[] = {
    SYS_fsync, SYS_fdatasync, SYS_msync, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_fallocate,
    SYS_openat, SYS_unlinkat, SYS_renameat, SYS_renameat2, SYS_mkdirat,
#ifdef SYS_sync_file_range
    SYS_sync_file_range,
#endif
#ifdef SYS_ftruncate64
    SYS_ftruncate64,
#endif
#ifdef SYS_ftruncate
    SYS_ftruncate,
#endif
#ifdef SYS_open
    SYS_open, SYS_unlink, SYS_rename, SYS_mkdir,
#endif
};
// Calls whose first argument says what they wait for.
constexpr long kDescriptorCalls[] = {SYS_read, SYS_write, SYS_readv, SYS_writev};

template <size_t N>
bool Has(const long (&calls)[N], long number) {
  return std::find(std::begin(calls), std::end(calls), number) != std::end(calls);
}

bool IsFile(int fd) {
  struct stat is {};
  return ::fstat(fd, &is) == 0 && S_ISREG(is.st_mode);
}

// What fits of the start of a file of procfs; empty when it cannot be read.
std::string_view ReadStart(const std::string& path, char* buffer, size_t size) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const ssize_t n = ::read(fd, buffer, size);
  ::close(fd);
  return {buffer, n > 0 ? static_cast<size_t>(n) : 0};
}

class KernelThreadStates final : public ThreadStates {
 public:
  ThreadState Of(int thread_id) override { return Read(std::to_string(thread_id)); }

  bool AnyWaitsForDisk() override {
    const std::unique_ptr<DIR, int (*)(DIR*)> tasks(::opendir("/proc/self/task"), ::closedir);
    if (tasks == nullptr) return true;
    bool any = false;
    while (const dirent* task = any ? nullptr : ::readdir(tasks.get())) {
      any = task->d_name[0] != '.' && Read(task->d_name) == ThreadState::kWaitsForDisk;
    }
    return any;
  }

 private:
  static ThreadState Read(const std::string& id) {
    const std::string folder = "/proc/self/task/" + id;
    char stat[512], syscall[256];
    return ParseThreadState(ReadStart(folder + "/stat", stat, sizeof(stat)),
                            ReadStart(folder + "/syscall", syscall, sizeof(syscall)), IsFile);
  }
};

}  // namespace

ThreadState ParseThreadState(std::string_view stat, std::string_view syscall,
                             const std::function<bool(int fd)>& is_file) {
  // "12 (name) S ...": the name may hold anything, also blanks and brackets.
  const size_t name_end = stat.rfind(')');
  if (name_end == stat.npos || name_end + 2 >= stat.size()) return ThreadState::kWaitsForDisk;
  const char state = stat[name_end + 2];
  if (state == 'D') return ThreadState::kWaitsForDisk;
  if (state != 'S') return ThreadState::kRuns;
  // "74 0x3 ...", "-1 0x... 0x..." outside of a call, "running".
  long number = -1;
  const char* const end = syscall.data() + syscall.size();
  const auto [rest, error] = std::from_chars(syscall.data(), end, number);
  if (error != std::errc()) return ThreadState::kSleeps;
  if (Has(kFileCalls, number)) return ThreadState::kWaitsForDisk;
  if (!Has(kDescriptorCalls, number) || end - rest < 4) return ThreadState::kSleeps;
  int fd = -1;
  std::from_chars(rest + 3, end, fd, 16);  // behind " 0x"
  return is_file(fd) ? ThreadState::kWaitsForDisk : ThreadState::kSleeps;
}

std::unique_ptr<ThreadStates> NewKernelThreadStates() { return std::make_unique<KernelThreadStates>(); }

}  // namespace rivulet
