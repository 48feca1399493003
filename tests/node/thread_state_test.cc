#include "node/live/thread_state.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace rivulet {
namespace {

std::string Call(long number) { return std::to_string(number) + " 0x7 0x0 0x0\n"; }

ThreadState Parse(const std::string& stat, const std::string& syscall) {
  return ParseThreadState(stat, syscall, [](int fd) { return fd == 0x1f; });
}

TEST_CASE("what the kernel's words mean") {
  const ThreadState runs = ThreadState::kRuns, sleeps = ThreadState::kSleeps,
                    disk = ThreadState::kWaitsForDisk;
  const std::string sleeping = "12 (rivulet) S 1 12 12 0 -1";
  CHECK(Parse("12 (rivulet) R 1 12 12 0 -1", "running\n") == runs);
  CHECK(Parse("12 (rivulet) t 1 12", "running\n") == runs);
  CHECK(Parse("12 (rivulet) D 1 12", Call(SYS_fdatasync)) == disk);
  CHECK(Parse("12 (rivulet) D 1 12", "-1 0x7ffd 0x7f01\n") == disk);  // a page of a mapped file
  CHECK(Parse(sleeping, Call(SYS_futex)) == sleeps);                  // a lock
  CHECK(Parse(sleeping, "") == sleeps);
  // Of a file system in user space.
  CHECK(Parse(sleeping, Call(SYS_fsync)) == disk);
  CHECK(Parse(sleeping, std::to_string(SYS_write) + " 0x1f 0x7f01 0x10 0x0\n") == disk);
  // A pipe.
  CHECK(Parse(sleeping, Call(SYS_read)) == sleeps);
  CHECK(Parse(sleeping, std::to_string(SYS_read)) == sleeps);
  CHECK(Parse(sleeping, std::to_string(SYS_read) + " 0xfffffffffffff") == sleeps);
  CHECK(Parse("12 (a) R (b) D 1 12", "running\n") == disk);  // a name with brackets
  // What is no answer excuses.
  CHECK(Parse("", "") == disk);
  CHECK(Parse("12 (rivulet", "") == disk);
  CHECK(Parse("12 (rivulet)", "") == disk);
  CHECK(NewKernelThreadStates()->Of(1 << 30) == disk);
}

TEST_CASE("threads of this process") {
  std::atomic<int> id{0};
  std::atomic<bool> done{false};
  const auto states = NewKernelThreadStates();
  const auto eventually = [&](ThreadState expected) {
    for (int i = 0; i < 2000; ++i) {
      if (states->Of(id) == expected) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  };
  SUBCASE("one that computes") {
    std::thread thread([&] {
      id = ::gettid();
      while (!done) {
      }
    });
    while (id == 0) std::this_thread::yield();
    CHECK(states->Of(id) == ThreadState::kRuns);
    CHECK_FALSE(states->AnyWaitsForDisk());
    done = true;
    thread.join();
  }
  SUBCASE("one that sleeps without being interruptible, as for a disk") {
    // So does a parent until its child of CLONE_VFORK ends.
    int hold[2];
    REQUIRE(::pipe(hold) == 0);
    std::thread thread([&] {
      id = ::gettid();
      std::vector<char> stack(64 << 10);
      const auto wait = [](void* from) {
        char byte = 0;
        return static_cast<int>(::read(*static_cast<int*>(from), &byte, 1));
      };
      const pid_t child = ::clone(wait, stack.data() + stack.size(), CLONE_VFORK | SIGCHLD, &hold[0]);
      ::waitpid(child, nullptr, 0);
    });
    while (id == 0) std::this_thread::yield();
    CHECK(eventually(ThreadState::kWaitsForDisk));
    CHECK(states->AnyWaitsForDisk());
    REQUIRE(::write(hold[1], "x", 1) == 1);
    thread.join();
    CHECK_FALSE(states->AnyWaitsForDisk());
    ::close(hold[0]);
    ::close(hold[1]);
  }
}

}  // namespace
}  // namespace rivulet
