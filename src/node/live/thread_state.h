// What the kernel says the threads of this process are doing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

namespace rivulet {

enum class ThreadState : uint8_t {
  kRuns,      // or could: it computes, or something stops it from outside
  kSleeps,    // until another thread, a socket or a clock wakes it
  kWaitsForDisk,
};

class ThreadStates {
 public:
  virtual ~ThreadStates() = default;
  // Of a thread by the kernel's id. Where the kernel does not tell it is kWaitsForDisk: what is not known to
  // be stuck is not restarted.
  virtual ThreadState Of(int thread_id) = 0;
  // Whether any thread of the process waits for a disk, also those of libraries.
  virtual bool AnyWaitsForDisk() = 0;
};

// As procfs has them; see proc(5).
std::unique_ptr<ThreadStates> NewKernelThreadStates();

// What it makes of the texts of /proc/self/task/ID/stat and /proc/self/task/ID/syscall (empty where it cannot
// be read). A thread waits for a disk when it sleeps without being interruptible (reading a page of a mapped
// file, writing back, a file system's journal), or in a call on a file: a file system in user space may let
// it wait otherwise. `is_file` says of a descriptor whether it is a file's, and not a pipe's or a socket's.
ThreadState ParseThreadState(std::string_view stat, std::string_view syscall,
                             const std::function<bool(int fd)>& is_file);

}  // namespace rivulet
