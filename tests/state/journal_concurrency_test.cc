// One thread appends, one reads, one syncs and trims: as in production.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/random.h"
#include "sim/sim_file_system.h"
#include "state/journal_testing.h"
#include "tests/base/temporary_directory.h"

namespace rivulet {
namespace {

using testing::MakeMessage;
using testing::Message;
using testing::OpenJournal;
using testing::TryAppend;

TEST_CASE("a reader beside the appender sees every entry once, in order") {
  const testing::TemporaryDirectory directory;
  const auto files = NewPosixFileSystem();
  JournalOptions options;
  options.directory = directory.path() + "/lane";
  options.segment_bytes = 20'000;
  options.retain_bytes = 60'000;
  auto journal = OpenJournal(files.get(), options);
  constexpr uint64_t kMessages = 30'000;

  std::atomic<uint64_t> consumed{0};
  std::atomic<bool> failed{false};
  Status trouble;  // the keeper's
  std::thread appender([&] {
    for (uint64_t i = 0; i < kMessages && !failed; ++i) {
      if (!TryAppend(journal.get(), MakeMessage(i)).ok()) failed = true;
    }
  });
  std::thread keeper([&] {
    while (consumed < kMessages && !failed) {
      Status status = journal->Sync();
      if (status.ok()) status = journal->Trim(Offset{consumed}, EventTime{0});
      if (!status.ok()) {
        failed = true;
        trouble = status;
      }
      const JournalStats stats = journal->Stats();
      if (stats.synced > stats.end) failed = true;
    }
  });
  auto reader = std::move(journal->NewReader(Offset{0})).value();
  std::vector<JournalEntry> entries;
  uint64_t next = 0;
  while (next < kMessages && !failed) {
    const Status status = reader->Read(50, 10'000, &entries);
    INFO(status.ToString());
    CHECK(status.ok());
    if (!status.ok()) failed = true;
    for (const JournalEntry& e : entries) {
      const Message expected = MakeMessage(next);
      if (e.offset.value != next || e.topic != expected.topic || e.payload != expected.payload ||
          e.received.us != expected.received_us) {
        failed = true;
      }
      ++next;
    }
    consumed = next;
  }
  appender.join();
  keeper.join();
  CHECK_MESSAGE(trouble.ok(), trouble.ToString());
  CHECK_FALSE(failed);
  CHECK(next == kMessages);
  CHECK(journal->begin() > Offset{0});
  CHECK(journal->Stats().damaged_entries == 0);
}

// The same with a disk that fails, and a second one that syncs, as before a commit.
TEST_CASE("syncs that fail beside the appender, the reader and each other") {
  sim::SimFileSystem files;
  JournalOptions options;
  options.directory = "lane";
  options.segment_bytes = 2'000;
  options.retain_bytes = 20'000;
  auto journal = OpenJournal(&files, options);
  std::atomic<uint64_t> messages{UINT64_MAX};  // known when enough syncs have failed
  std::atomic<uint64_t> consumed{0};
  std::atomic<bool> failed{false};
  std::thread appender([&] {
    uint64_t i = 0;
    while ((i < 2'000 || journal->Stats().failed_syncs < 20) && i < 500'000 && !failed) {
      if (TryAppend(journal.get(), MakeMessage(i)).ok()) ++i;
      // Not so far ahead that the syncs are few.
      while (journal->Stats().synced.value + 50 < i && !failed) std::this_thread::yield();
    }
    messages = i;
  });
  const auto keep = [&](uint64_t seed) {
    Random random(seed);
    while (consumed < messages && !failed) {
      const uint64_t end = journal->end().value;
      if (journal->Stats().synced.value < end && random.Chance(0.3)) {
        files.FailOperation(1 + random.Below(4));
      }
      // What a sync that is ok promises holds in spite of the other's failures.
      if (journal->Sync().ok() && journal->Stats().synced.value < end) failed = true;
      (void)journal->Trim(Offset{std::min<uint64_t>(consumed, journal->Stats().synced.value)},
                          EventTime{0});
    }
  };
  std::thread first(keep, 1), second(keep, 2);
  auto reader = std::move(journal->NewReader(Offset{0})).value();
  std::vector<JournalEntry> entries;
  uint64_t next = 0;
  while (next < messages && !failed) {
    if (!reader->Read(50, 10'000, &entries).ok()) failed = true;
    for (const JournalEntry& e : entries) {
      if (e.offset.value != next || e.payload != MakeMessage(next).payload) failed = true;
      ++next;
    }
    consumed = next;
  }
  appender.join();
  first.join();
  second.join();
  CHECK_FALSE(failed);
  CHECK(journal->Stats().damaged_entries == 0);
  CHECK(journal->Stats().failed_syncs >= 20);
  files.FailOperations({});
  REQUIRE(journal->Sync().ok());
  const uint64_t begin = journal->begin().value;
  Random random(3);
  files.PowerCut(&random);
  journal = OpenJournal(&files, options);
  const std::vector<Message> left = testing::ReadFrom(journal.get(), Offset{begin});
  REQUIRE(left.size() == messages - begin);
  for (const Message& m : left) REQUIRE(m == MakeMessage(m.offset));
}

}  // namespace
}  // namespace rivulet
