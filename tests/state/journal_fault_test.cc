// Disks that fill up or fail: an append that reports an error has not happened, and when the disk
// is well again so is the journal.
#include <doctest/doctest.h>

#include "base/random.h"
#include "sim/sim_file_system.h"
#include "state/journal_testing.h"

namespace rivulet {
namespace {

using sim::SimFileSystem;
using testing::AppendMessages;
using testing::MakeMessage;
using testing::Message;
using testing::OpenJournal;
using testing::ReadAll;
using testing::TryAppend;

JournalOptions Options(JournalSync sync, uint64_t segment_bytes) {
  JournalOptions options;
  options.directory = "lane";
  options.sync = sync;
  options.segment_bytes = segment_bytes;
  return options;
}

TEST_CASE("each operation of the disk fails once") {
  for (int setting = 0; setting < 3; ++setting) {
    const auto sync = static_cast<JournalSync>(setting);
    for (uint64_t n = 1; n < 120; ++n) {
      CAPTURE(n);
      SimFileSystem files;
      auto journal = OpenJournal(&files, Options(sync, 200));
      files.FailOperation(n);
      std::vector<Message> written;
      int failures = 0;
      for (uint64_t i = 0; i < 60; ++i) {
        const Message m = MakeMessage(written.size());
        const Status status = TryAppend(journal.get(), m);
        if (status.ok()) {
          written.push_back(m);
        } else {
          ++failures;
          REQUIRE(status.code() == ErrorCode::kIo);
        }
        if (i % 10 == 9 && !journal->Sync().ok()) ++failures;
        if (i % 7 == 0) REQUIRE(ReadAll(journal.get()) == written);
      }
      REQUIRE(failures <= 2);
      REQUIRE(ReadAll(journal.get()) == written);
      files.Crash();
      JournalRecovery recovery;
      journal = OpenJournal(&files, Options(sync, 200), &recovery);
      REQUIRE(ReadAll(journal.get()) == written);
      REQUIRE(recovery.torn_bytes == 0);
      REQUIRE(recovery.damaged_entries == 0);
      if (sync == JournalSync::kNever) continue;
      // What opening called synced is: also what a sync failed for before.
      Random random(n);
      files.PowerCut(&random);
      journal = OpenJournal(&files, Options(sync, 200));
      REQUIRE(ReadAll(journal.get()) == written);
    }
  }
}

TEST_CASE("opening on a disk that fails reports it, and works the next time") {
  SimFileSystem files;
  const JournalOptions options = Options(JournalSync::kInterval, 200);
  std::vector<Message> written;
  {
    auto journal = OpenJournal(&files, options);
    written = AppendMessages(journal.get(), 0, 30);
  }
  int failed = 0;
  for (uint64_t n = 1; n <= 6; ++n) {
    // Four in a row: a sync that fails alone is made good elsewhere.
    files.FailOperations({n, n + 1, n + 2, n + 3});
    JournalRecovery recovery;
    if (!Journal::Open(&files, options, &recovery).ok()) ++failed;
    files.Crash();
    auto journal = OpenJournal(&files, options);
    REQUIRE(ReadAll(journal.get()) == written);
  }
  CHECK(failed == 6);
}

TEST_CASE("a full disk: kDiskFull, nothing torn, and on it goes when there is room") {
  for (uint64_t room = 0; room < 700; room += 13) {
    CAPTURE(room);
    SimFileSystem files;
    const JournalOptions options = Options(JournalSync::kInterval, 250);
    auto journal = OpenJournal(&files, options);
    files.SetFreeBytes(room);
    std::vector<Message> written;
    Status status;
    while (true) {
      const Message m = MakeMessage(written.size());
      status = TryAppend(journal.get(), m);
      if (!status.ok()) break;
      written.push_back(m);
    }
    REQUIRE(status.code() == ErrorCode::kDiskFull);
    // It stays full for a while.
    for (int i = 0; i < 3; ++i) {
      Message large = MakeMessage(written.size());
      large.payload.resize(2000, 'x');
      REQUIRE(TryAppend(journal.get(), large).code() == ErrorCode::kDiskFull);
    }
    REQUIRE(journal->end() == Offset{written.size()});
    REQUIRE(ReadAll(journal.get()) == written);
    files.SetFreeBytes(1 << 20);
    const auto more = AppendMessages(journal.get(), written.size(), written.size() + 20);
    written.insert(written.end(), more.begin(), more.end());
    REQUIRE(ReadAll(journal.get()) == written);
    files.Crash();
    JournalRecovery recovery;
    journal = OpenJournal(&files, options, &recovery);
    REQUIRE(ReadAll(journal.get()) == written);
    REQUIRE(recovery.torn_bytes == 0);
  }
}

TEST_CASE("a message that could not be journaled is not taken for a redelivery") {
  SimFileSystem files;
  auto journal = OpenJournal(&files, Options(JournalSync::kInterval, 1 << 20));
  const Message m = MakeMessage(1);
  files.FailOperation(1);
  REQUIRE(TryAppend(journal.get(), m).code() == ErrorCode::kIo);
  bool dropped = true;
  REQUIRE(TryAppend(journal.get(), m, true, &dropped).ok());
  CHECK_FALSE(dropped);
  CHECK(journal->end() == Offset{1});
}

}  // namespace
}  // namespace rivulet
