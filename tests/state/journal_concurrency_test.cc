// One thread appends, one reads, one syncs and trims: as in production.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

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

}  // namespace
}  // namespace rivulet
