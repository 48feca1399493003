// kill -9 of the appending process: what was acknowledged is there, and a redelivery of the rest is
// neither lost nor doubled.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"
#include "state/journal_testing.h"
#include "tests/base/temporary_directory.h"

namespace rivulet {
namespace {

using testing::MakeMessage;
using testing::Message;
using testing::OpenJournal;
using testing::ReadAll;
using testing::TryAppend;

TEST_CASE("kill -9 while appending loses nothing acknowledged and doubles nothing redelivered") {
  const testing::TemporaryDirectory directory;
  const auto files = NewPosixFileSystem();
  JournalOptions options;
  options.directory = directory.path() + "/lane";
  options.segment_bytes = 30'000;
  const auto message = [](uint64_t i) {
    Message m = MakeMessage(i);
    m.packet_id = static_cast<uint16_t>(i % 65535 + 1);
    return m;
  };
  Random random(6);
  uint64_t acknowledged = 0;
  for (int round = 0; round < 8; ++round) {
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      JournalRecovery recovery;
      auto journal = Journal::Open(files.get(), options, &recovery);
      if (!journal.ok()) ::_exit(1);
      for (uint64_t i = acknowledged;; ++i) {
        // The first may be a redelivery: journaled before the kill, but not acknowledged.
        if (!TryAppend(journal->get(), message(i), i == acknowledged).ok()) ::_exit(1);
        if (::write(pipe_ends[1], &i, sizeof(i)) != sizeof(i)) ::_exit(1);
      }
    }
    ::close(pipe_ends[1]);
    uint64_t seen = 0;
    for (uint64_t n = 50 + random.Below(500); n > 0; --n) {
      REQUIRE(::read(pipe_ends[0], &seen, sizeof(seen)) == sizeof(seen));
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    uint64_t later = 0;
    while (::read(pipe_ends[0], &later, sizeof(later)) == sizeof(later)) seen = later;
    ::close(pipe_ends[0]);
    acknowledged = seen + 1;

    const auto read = ReadAll(OpenJournal(files.get(), options).get());
    REQUIRE(read.size() >= acknowledged);
    REQUIRE(read.size() <= acknowledged + 1);
    for (uint64_t i = 0; i < read.size(); ++i) REQUIRE(read[i] == message(i));
  }
}

}  // namespace
}  // namespace rivulet
