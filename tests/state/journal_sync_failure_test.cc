// Syncs that fail. The disk forgets what they were to write and calls the next one a success; the
// journal must not.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/random.h"
#include "sim/sim_file_system.h"
#include "state/journal_format.h"
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

constexpr uint64_t kLarge = 1 << 20;

JournalOptions Options(JournalSync sync = JournalSync::kInterval, uint64_t segment_bytes = kLarge) {
  JournalOptions options;
  options.directory = "lane";
  options.sync = sync;
  options.segment_bytes = segment_bytes;
  return options;
}

std::string PathOf(uint64_t first_offset) { return "lane/" + SegmentName(Offset{first_offset}); }

std::vector<std::string> Files(SimFileSystem* files) { return files->List("lane").value(); }

bool InDoubt(SimFileSystem* files) {
  const std::vector<std::string> names = Files(files);
  return std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return name.ends_with(kReplacementSuffix);
  });
}

std::vector<Message> Messages(uint64_t from, uint64_t to) {
  std::vector<Message> messages;
  for (uint64_t i = from; i < to; ++i) messages.push_back(MakeMessage(i));
  return messages;
}

// The numbers from `first` on: a process that dies there, or a disk that is gone for good.
std::vector<uint64_t> AllFrom(uint64_t first) {
  std::vector<uint64_t> numbers;
  for (uint64_t n = first; n < first + 100; ++n) numbers.push_back(n);
  return numbers;
}

// Five messages are on the medium and five are not; the next sync fails, and so does what follows from its
// operation `step` on.
std::unique_ptr<Journal> HalfSynced(SimFileSystem* files, uint64_t step) {
  auto journal = OpenJournal(files, Options());
  AppendMessages(journal.get(), 0, 5);
  REQUIRE(journal->Sync().ok());
  AppendMessages(journal.get(), 5, 10);
  std::vector<uint64_t> failing = AllFrom(step);
  failing.push_back(1);
  files->FailOperations(failing);
  return journal;
}

// Pulls the plug and reads what is left.
std::vector<Message> AfterPowerCut(SimFileSystem* files, uint64_t seed) {
  Random random(seed);
  files->PowerCut(&random);
  return ReadAll(OpenJournal(files, Options()).get());
}

TEST_CASE("what a sync failed for is written anew, and is on the medium then") {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SimFileSystem files;
    auto journal = OpenJournal(&files, Options());
    AppendMessages(journal.get(), 0, 5);
    REQUIRE(journal->Sync().ok());
    AppendMessages(journal.get(), 5, 10);
    files.FailOperation(1);
    REQUIRE(journal->Sync().ok());
    CHECK(journal->Stats().failed_syncs == 1);
    CHECK(journal->Stats().synced == Offset{10});
    CHECK_FALSE(InDoubt(&files));
    AppendMessages(journal.get(), 10, 15);
    REQUIRE(ReadAll(journal.get()) == Messages(0, 15));
    REQUIRE(journal->Sync().ok());
    REQUIRE(AfterPowerCut(&files, seed) == Messages(0, 15));
  }
}

TEST_CASE("any step of that fails: nothing is called synced that is not, and the next sync does it") {
  bool failed = false, succeeded = false;
  for (uint64_t step = 2; step <= 12; ++step) {
    for (const ErrorCode code : {ErrorCode::kIo, ErrorCode::kDiskFull}) {
      CAPTURE(step);
      SimFileSystem files;
      auto journal = OpenJournal(&files, Options());
      AppendMessages(journal.get(), 0, 5);
      REQUIRE(journal->Sync().ok());
      AppendMessages(journal.get(), 5, 10);
      files.FailOperations({1, step}, code);
      const Status status = journal->Sync();
      (status.ok() ? succeeded : failed) = true;
      if (!status.ok()) CHECK(status.code() == code);
      CHECK(journal->Stats().synced == Offset{status.ok() ? 10u : 5u});
      files.FailOperations({});
      AppendMessages(journal.get(), 10, 15);
      REQUIRE(ReadAll(journal.get()) == Messages(0, 15));
      REQUIRE(journal->Sync().ok());
      CHECK(journal->Stats().synced == Offset{15});
      REQUIRE(AfterPowerCut(&files, step) == Messages(0, 15));
    }
  }
  CHECK(failed);
  CHECK(succeeded);
}

// Only between the failure itself and the note of it nothing can help: step 2 writes the note.
TEST_CASE("the process dies at any step of that: the next one knows") {
  for (uint64_t step = 3; step <= 12; ++step) {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      CAPTURE(step);
      SimFileSystem files;
      auto journal = HalfSynced(&files, step);
      (void)journal->Sync();
      files.Crash();
      journal = OpenJournal(&files, Options());
      CHECK(journal->Stats().synced == Offset{10});
      CHECK_FALSE(InDoubt(&files));
      REQUIRE(ReadAll(journal.get()) == Messages(0, 10));
      REQUIRE(AfterPowerCut(&files, seed) == Messages(0, 10));
    }
  }
}

TEST_CASE("the plug is pulled at any step of that: what was synced before is there") {
  for (uint64_t step = 2; step <= 12; ++step) {
    for (uint64_t seed = 1; seed <= 40; ++seed) {
      CAPTURE(step);
      CAPTURE(seed);
      SimFileSystem files;
      auto journal = HalfSynced(&files, step);
      const bool done = journal->Sync().ok();
      const std::vector<Message> left = AfterPowerCut(&files, seed);
      REQUIRE(left.size() >= (done ? 10 : 5));
      REQUIRE(left == Messages(0, left.size()));
    }
  }
}

TEST_CASE("sync always: what is accepted is on the medium, whatever fails before") {
  for (uint64_t n = 1; n < 80; ++n) {
    for (const uint64_t again : {n, n + 1, n + 4}) {
      CAPTURE(n);
      SimFileSystem files;
      auto journal = OpenJournal(&files, Options(JournalSync::kAlways, 200));
      files.FailOperations({n, again});
      std::vector<Message> written;
      for (uint64_t i = 0; i < 40; ++i) {
        const Message m = MakeMessage(written.size());
        if (TryAppend(journal.get(), m).ok()) written.push_back(m);
        REQUIRE(journal->Stats().synced == Offset{written.size()});
      }
      REQUIRE(written.size() >= 38);
      REQUIRE(ReadAll(journal.get()) == written);
      REQUIRE(AfterPowerCut(&files, n) == written);
    }
  }
}

TEST_CASE("a segment whose sync failed as it was closed") {
  for (uint64_t n = 1; n < 40; ++n) {
    CAPTURE(n);
    SimFileSystem files;
    auto journal = OpenJournal(&files, Options(JournalSync::kInterval, 200));
    files.FailOperation(n);
    std::vector<Message> written;
    while (written.size() < 30) {
      const Message m = MakeMessage(written.size());
      if (TryAppend(journal.get(), m).ok()) written.push_back(m);
    }
    REQUIRE(journal->Stats().synced <= journal->end());
    REQUIRE(journal->Sync().ok());
    REQUIRE(journal->Stats().synced == Offset{30});
    REQUIRE(AfterPowerCut(&files, n) == written);
  }
}

TEST_CASE("the newest segment holds nothing yet") {
  SimFileSystem files;
  auto journal = OpenJournal(&files, Options(JournalSync::kAlways));
  REQUIRE(journal->AdvanceTo(Offset{7}).ok());
  auto reader = std::move(journal->NewReader(Offset{7})).value();
  std::vector<JournalEntry> entries;
  REQUIRE(reader->Read(10, kLarge, &entries).ok());  // has the file open
  files.FailOperation(2);
  Message m = MakeMessage(7);
  REQUIRE(TryAppend(journal.get(), m).code() == ErrorCode::kIo);
  CHECK(InDoubt(&files));
  REQUIRE(TryAppend(journal.get(), m).ok());
  CHECK_FALSE(InDoubt(&files));
  CHECK(journal->Stats().segments == 2);
  // The reader finds it in the new file.
  REQUIRE(reader->Read(10, kLarge, &entries).ok());
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].payload == m.payload);
  CHECK(journal->Stats().damaged_entries == 0);
  CHECK(AfterPowerCut(&files, 1) == std::vector<Message>{m});
}

TEST_CASE("a reader with the old file open goes on in the new one") {
  SimFileSystem files;
  auto journal = OpenJournal(&files, Options());
  Message large = MakeMessage(0);
  large.payload.assign(300 << 10, 'x');  // more than is read ahead
  std::vector<Message> written;
  for (uint64_t i = 0; i < 4; ++i) {
    large.offset = i;
    written.push_back(large);
    REQUIRE(TryAppend(journal.get(), large).ok());
  }
  auto reader = std::move(journal->NewReader(Offset{0})).value();
  std::vector<JournalEntry> entries;
  REQUIRE(reader->Read(1, kLarge, &entries).ok());
  REQUIRE(entries.size() == 1);
  files.FailOperation(1);
  REQUIRE(journal->Sync().ok());
  files.EvictForgotten();
  for (uint64_t i = 1; i < 4; ++i) {
    REQUIRE(reader->Read(1, kLarge, &entries).ok());
    REQUIRE(entries.size() == 1);
    CHECK(entries[0].offset == Offset{i});
    CHECK(entries[0].payload == large.payload);
  }
  CHECK(journal->Stats().damaged_entries == 0);
}

TEST_CASE("what cannot be read back is not called synced; opening anew goes on without it") {
  SimFileSystem files;
  auto journal = OpenJournal(&files, Options());
  AppendMessages(journal.get(), 0, 5);
  REQUIRE(journal->Sync().ok());
  AppendMessages(journal.get(), 5, 10);
  files.FailOperations({1, 2, 3, 4, 5, 6});
  REQUIRE(journal->Sync().code() == ErrorCode::kIo);
  files.FailOperations({});
  files.EvictForgotten();
  AppendMessages(journal.get(), 10, 12);
  for (int i = 0; i < 3; ++i) CHECK(journal->Sync().code() == ErrorCode::kCorrupt);
  CHECK(journal->Stats().synced == Offset{5});
  files.Crash();
  JournalRecovery recovery;
  journal = OpenJournal(&files, Options(), &recovery);
  CHECK(recovery.torn_bytes + recovery.damaged_entries > 0);
  std::vector<Message> left = ReadAll(journal.get());
  CHECK(std::equal(left.begin(), left.begin() + 5, Messages(0, 5).begin()));
  for (const Message& m : left) CHECK((m.offset < 5 || m.offset >= 10));
  const uint64_t end = journal->end().value;
  const std::vector<Message> more = AppendMessages(journal.get(), end, end + 5);
  left.insert(left.end(), more.begin(), more.end());
  REQUIRE(journal->Sync().ok());
  CHECK(AfterPowerCut(&files, 3) == left);
}

TEST_CASE("no room to write it anew: kDiskFull, the room is given back, and on it goes") {
  for (uint64_t room = 0; room < 400; room += 37) {
    CAPTURE(room);
    SimFileSystem files;
    auto journal = OpenJournal(&files, Options());
    AppendMessages(journal.get(), 0, 20);
    files.SetFreeBytes(room);
    files.FailOperation(1);
    CHECK(journal->Sync().code() == ErrorCode::kDiskFull);
    CHECK(files.Contents(ReplacementOf(PathOf(0))).empty());
    CHECK(journal->Stats().synced == Offset{0});
    CHECK(ReadAll(journal.get()) == Messages(0, 20));
    files.SetFreeBytes(kLarge);
    CHECK(journal->Sync().ok());
    CHECK(AfterPowerCut(&files, room) == Messages(0, 20));
  }
}

TEST_CASE("the file that says so: any contents, and without its segment") {
  SimFileSystem files;
  {
    auto journal = OpenJournal(&files, Options());
    AppendMessages(journal.get(), 0, 10);
    REQUIRE(journal->Sync().ok());
  }
  files.SetContents(ReplacementOf(PathOf(0)), std::string(100000, 'x'));
  files.SetContents(ReplacementOf(PathOf(999)), "x");
  files.SetContents("lane/other.new", "x");
  const auto journal = OpenJournal(&files, Options());
  CHECK(ReadAll(journal.get()) == Messages(0, 10));
  CHECK(Files(&files) == std::vector<std::string>{SegmentName(Offset{0}), SegmentName(Offset{10}),
                                                  "other.new"});
}

TEST_CASE("a segment in doubt is not trimmed before it is written anew") {
  SimFileSystem files;
  JournalOptions options = Options(JournalSync::kInterval, 200);
  options.retain_bytes = 0;
  auto journal = OpenJournal(&files, options);
  AppendMessages(journal.get(), 0, 5);
  files.FailOperations(AllFrom(1));
  REQUIRE_FALSE(journal->Sync().ok());
  files.FailOperations({});
  AppendMessages(journal.get(), 5, 30);
  REQUIRE(journal->Trim(Offset{30}, {}).ok());
  CHECK(journal->begin() == Offset{0});
  REQUIRE(journal->Sync().ok());
  REQUIRE(journal->Trim(Offset{30}, {}).ok());
  CHECK(journal->begin() > Offset{0});
  CHECK_FALSE(InDoubt(&files));
}

// Whatever fails whenever, what was called synced outlives power cuts, and crashes take nothing.
TEST_CASE("lives with failing disks, crashes and power cuts") {
  uint64_t failures = 0;
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    SimFileSystem files;
    const JournalOptions options = Options(
        random.Chance(0.3) ? JournalSync::kAlways : JournalSync::kInterval, 100 + random.Below(600));
    std::vector<Message> written;
    for (int life = 0; life < 5; ++life) {
      auto journal = OpenJournal(&files, options);
      REQUIRE(ReadAll(journal.get()) == written);
      REQUIRE(journal->Stats().synced == journal->end());
      for (uint64_t i = random.Below(60); i > 0; --i) {
        if (random.Chance(0.1)) files.FailOperation(1 + random.Below(8));
        Message m = MakeMessage(journal->end().value);
        m.payload += " " + std::to_string(life);
        if (TryAppend(journal.get(), m).ok()) written.push_back(m);
        if (random.Chance(0.2)) (void)journal->Sync();
      }
      failures += journal->Stats().failed_syncs;
      const uint64_t synced = journal->Stats().synced.value;
      if (random.Chance(0.5)) {
        files.Crash();
        continue;
      }
      files.PowerCut(&random);
      auto after = OpenJournal(&files, options);
      const std::vector<Message> left = ReadAll(after.get());
      // Entries can be missing in the middle: of a segment that is in doubt, with later ones behind.
      auto it = written.begin();
      for (const Message& m : left) {
        it = std::find(it, written.end(), m);
        REQUIRE(it != written.end());
      }
      for (const Message& m : written) {
        if (m.offset < synced) REQUIRE(std::find(left.begin(), left.end(), m) != left.end());
      }
      written = left;
      files.Crash();
    }
  }
  CHECK(failures > 100);
}

}  // namespace
}  // namespace rivulet
