#include "state/journal.h"

#include <doctest/doctest.h>

#include "base/coding.h"
#include "base/hash.h"
#include "operators/decode/decoder.h"
#include "sim/sim_file_system.h"
#include "state/journal_format.h"
#include "state/journal_testing.h"
#include "tests/base/temporary_directory.h"

namespace rivulet {
namespace {

using sim::SimFileSystem;
using testing::AppendMessages;
using testing::MakeMessage;
using testing::Message;
using testing::OpenJournal;
using testing::ReadAll;
using testing::ReadFrom;
using testing::TryAppend;

JournalOptions Options(uint64_t segment_bytes = 8 << 20) {
  JournalOptions options;
  options.directory = "lane";
  options.segment_bytes = segment_bytes;
  return options;
}

TEST_CASE("what is appended is read, and read again after opening again") {
  SimFileSystem files;
  std::vector<Message> written;
  {
    auto journal = OpenJournal(&files, Options());
    CHECK(journal->begin() == Offset{0});
    CHECK(journal->end() == Offset{0});
    CHECK(ReadAll(journal.get()).empty());
    written = AppendMessages(journal.get(), 0, 500);
    CHECK(journal->end() == Offset{500});
    CHECK(ReadAll(journal.get()) == written);
    CHECK(ReadFrom(journal.get(), Offset{500}).empty());
  }
  JournalRecovery recovery;
  auto journal = OpenJournal(&files, Options(), &recovery);
  CHECK(recovery.entries == 500);
  CHECK(recovery.segments == 1);
  CHECK(recovery.torn_bytes == 0);
  CHECK(recovery.damaged_entries == 0);
  CHECK(recovery.detail.empty());
  const auto more = AppendMessages(journal.get(), 500, 600);
  written.insert(written.end(), more.begin(), more.end());
  CHECK(ReadAll(journal.get()) == written);
  for (const uint64_t from : {1u, 77u, 499u, 599u}) {
    const std::vector<Message> expected(written.begin() + static_cast<int64_t>(from),
                                        written.end());
    CHECK(ReadFrom(journal.get(), Offset{from}, 7) == expected);
  }
}

TEST_CASE("each append is one write, and small frames stay small") {
  SimFileSystem files;
  auto journal = OpenJournal(&files, Options());
  const std::string payload(125, 'x');
  bool dropped = false;
  int64_t now = 1'700'000'000'000'000;
  REQUIRE(journal->Append("t", payload, EventTime{now}, 1, false, &dropped).ok());
  const uint64_t writes = files.appends();
  const uint64_t bytes = files.bytes_appended();
  for (uint16_t i = 0; i < 1000; ++i) {
    now += 20'000;
    REQUIRE(journal->Append("t", payload, EventTime{now}, 60000, false, &dropped).ok());
  }
  CHECK(files.appends() - writes == 1000);
  CHECK((files.bytes_appended() - bytes) / 1000 - payload.size() <= 13);
  CHECK(journal->Stats().appended_entries == 1001);
}

TEST_CASE("equal topics have equal dense ids, across segments and readers") {
  SimFileSystem files;
  auto journal = OpenJournal(&files, Options(300));
  AppendMessages(journal.get(), 0, 100);
  CHECK(journal->Stats().segments > 3);
  for (int pass = 0; pass < 2; ++pass) {
    auto reader = std::move(journal->NewReader(Offset{static_cast<uint64_t>(pass)})).value();
    std::vector<JournalEntry> entries;
    uint64_t seen = 0;
    while (reader->Read(10, 1000, &entries).ok() && !entries.empty()) {
      for (const JournalEntry& e : entries) {
        CHECK(e.topic_id == e.offset.value % 5);
        CHECK(e.topic == MakeMessage(e.offset.value).topic);
        ++seen;
      }
    }
    CHECK(seen == 100u - static_cast<uint64_t>(pass));
    CHECK(reader->position() == Offset{100});
  }
}

TEST_CASE("more topics than a segment numbers") {
  SimFileSystem files;
  auto journal = OpenJournal(&files, Options(64 << 20));
  const uint64_t count = kMaxSegmentTopics + 100;
  bool dropped = false;
  for (uint64_t i = 0; i < 2 * count; ++i) {
    const std::string topic = "t/" + std::to_string(i % count);
    REQUIRE(journal->Append(topic, "p", EventTime{1}, 0, false, &dropped).ok());
  }
  journal = OpenJournal(&files, Options(64 << 20));
  REQUIRE(journal->Append("t/65600", "p", EventTime{1}, 0, false, &dropped).ok());
  const auto all = ReadAll(journal.get());
  REQUIRE(all.size() == 2 * count + 1);
  for (uint64_t i = 0; i < 2 * count; ++i) {
    REQUIRE(all[i].topic == "t/" + std::to_string(i % count));
  }
  CHECK(all.back().topic == "t/65600");
}

TEST_CASE("large payloads, empty ones, and the slack behind each") {
  SimFileSystem files;
  auto journal = OpenJournal(&files, Options());
  bool dropped = false;
  const std::string large(3'000'000, 'L');
  REQUIRE(journal->Append("a", large, EventTime{5}, 0, false, &dropped).ok());
  REQUIRE(journal->Append("", "", EventTime{-7}, 65535, false, &dropped).ok());
  REQUIRE(journal->Append("a", "small", EventTime::Max(), 1, false, &dropped).ok());
  REQUIRE(journal->Append("a", "small", EventTime::Min(), 1, false, &dropped).ok());
  auto reader = std::move(journal->NewReader(Offset{0})).value();
  std::vector<JournalEntry> entries;
  std::vector<std::string> payloads;
  std::vector<int64_t> times;
  while (reader->Read(100, 1 << 20, &entries).ok() && !entries.empty()) {
    for (const JournalEntry& e : entries) {
      payloads.emplace_back(e.payload);
      times.push_back(e.received.us);
      // Read by a sanitizer: the slack must be inside the buffer.
      volatile char last = e.payload.data()[e.payload.size() + kPayloadPadding - 1];
      (void)last;
    }
  }
  CHECK(payloads == std::vector<std::string>{large, "", "small", "small"});
  CHECK(times == std::vector<int64_t>{5, -7, EventTime::Max().us, EventTime::Min().us});
  CHECK(journal->Append(std::string(70000, 't'), "", EventTime{0}, 0, false, &dropped).code() ==
        ErrorCode::kRecordTooLarge);
}

TEST_CASE("a redelivered message is journaled once") {
  SimFileSystem files;
  auto journal = OpenJournal(&files, Options(200));
  Message m = MakeMessage(1);
  bool dropped = true;
  // DUP on the first delivery we see: the broker's first attempt never reached us.
  REQUIRE(TryAppend(journal.get(), m, true, &dropped).ok());
  CHECK_FALSE(dropped);
  REQUIRE(TryAppend(journal.get(), m, true, &dropped).ok());
  CHECK(dropped);
  // Without DUP it is a new message, however equal.
  REQUIRE(TryAppend(journal.get(), m, false, &dropped).ok());
  CHECK_FALSE(dropped);
  Message other = m;
  SUBCASE("other payload") { other.payload += "!"; }
  SUBCASE("other topic") { other.topic += "!"; }
  SUBCASE("other packet id") { other.packet_id = 9; }
  REQUIRE(TryAppend(journal.get(), other, true, &dropped).ok());
  CHECK_FALSE(dropped);
  CHECK(journal->end() == Offset{3});
  CHECK(journal->Stats().duplicates == 1);
  // QoS 0 has no packet id, so nothing can be recognised.
  m.packet_id = 0;
  for (int i = 0; i < 2; ++i) {
    REQUIRE(TryAppend(journal.get(), m, true, &dropped).ok());
    CHECK_FALSE(dropped);
  }
}

TEST_CASE("redeliveries are recognised after opening again, by the last message of each id") {
  SimFileSystem files;
  std::vector<Message> written;
  {
    auto journal = OpenJournal(&files, Options(400));
    written = AppendMessages(journal.get(), 0, 200);
    // Ids 2..51 once more, with other payloads: only these count from here on.
    for (uint64_t i = 1; i <= 50; ++i) {
      Message again = MakeMessage(i);
      if (again.packet_id == 0) continue;
      again.payload += " again";
      REQUIRE(TryAppend(journal.get(), again).ok());
      written[i] = again;
    }
    CHECK(journal->Stats().segments > 5);
  }
  files.Crash();
  auto journal = OpenJournal(&files, Options(400));
  const Offset end = journal->end();
  for (const Message& m : written) {
    if (m.packet_id == 0) continue;
    bool dropped = false;
    REQUIRE(TryAppend(journal.get(), m, true, &dropped).ok());
    CHECK(dropped);
  }
  CHECK(journal->end() == end);
  bool dropped = true;
  REQUIRE(TryAppend(journal.get(), MakeMessage(1), true, &dropped).ok());
  CHECK_FALSE(dropped);
}

TEST_CASE("segments roll by size and trim from the front") {
  SimFileSystem files;
  JournalOptions options = Options(1000);
  options.retain_bytes = 3000;
  options.retain_age = Duration::Seconds(3600);
  auto journal = OpenJournal(&files, options);
  const auto written = AppendMessages(journal.get(), 0, 1000);
  const EventTime now{written.back().received_us};
  const JournalStats before = journal->Stats();
  CHECK(before.segments > 10);
  CHECK(before.bytes > 10000);
  CHECK(files.List("lane").value().size() == before.segments);

  SUBCASE("nothing that is not consumed") {
    REQUIRE(journal->Trim(Offset{0}, now).ok());
    CHECK(journal->begin() == Offset{0});
  }
  SUBCASE("consumed and over the size: down to it") {
    auto old_reader = std::move(journal->NewReader(Offset{0})).value();
    REQUIRE(journal->Trim(Offset{1000}, now).ok());
    const JournalStats after = journal->Stats();
    CHECK(after.bytes <= 3000);
    CHECK(after.bytes > 1500);
    CHECK(files.List("lane").value().size() == after.segments);
    CHECK(journal->NewReader(Offset{0}).status().code() == ErrorCode::kOffsetTrimmed);
    std::vector<JournalEntry> entries;
    CHECK(old_reader->Read(10, 1000, &entries).code() == ErrorCode::kOffsetTrimmed);
    const std::vector<Message> rest(written.begin() + static_cast<int64_t>(after.begin.value),
                                    written.end());
    CHECK(ReadAll(journal.get()) == rest);
    files.Crash();
    journal = OpenJournal(&files, options);
    CHECK(journal->begin() == after.begin);
    CHECK(ReadAll(journal.get()) == rest);
  }
  SUBCASE("a segment goes only when all of it is consumed") {
    REQUIRE(journal->Trim(Offset{500}, now).ok());
    CHECK(journal->begin() <= Offset{500});
    CHECK(journal->begin() > Offset{400});
  }
  SUBCASE("by age all but the active one, also when the ages come from the files") {
    files.Crash();
    options.retain_bytes = 1 << 30;
    journal = OpenJournal(&files, options);
    REQUIRE(journal->Trim(Offset{1000}, now).ok());
    CHECK(journal->begin() == Offset{0});
    REQUIRE(journal->Trim(Offset{1000}, EventTime{now.us + 3'601'000'000}).ok());
    CHECK(journal->Stats().segments == 1);
    CHECK(journal->end() == Offset{1000});
  }
  SUBCASE("a reader inside a trimmed segment reports it, and loses nothing silently") {
    auto reader = std::move(journal->NewReader(Offset{0})).value();
    std::vector<JournalEntry> entries;
    REQUIRE(reader->Read(1, 1000, &entries).ok());
    REQUIRE(journal->Trim(Offset{1000}, now).ok());
    Status status;
    while ((status = reader->Read(1, 1000, &entries)).ok()) {
      REQUIRE(entries.size() == 1);
    }
    CHECK(status.code() == ErrorCode::kOffsetTrimmed);
    CHECK(reader->position() < journal->begin());
  }
}

TEST_CASE("sync settings") {
  SimFileSystem files;
  JournalOptions options = Options();
  SUBCASE("always: every append is synced when it returns") {
    options.sync = JournalSync::kAlways;
    auto journal = OpenJournal(&files, options);
    AppendMessages(journal.get(), 0, 20);
    CHECK(journal->Stats().synced == Offset{20});
  }
  SUBCASE("interval: when asked") {
    auto journal = OpenJournal(&files, options);
    AppendMessages(journal.get(), 0, 20);
    CHECK(journal->Stats().synced == Offset{0});
    REQUIRE(journal->Sync().ok());
    CHECK(journal->Stats().synced == Offset{20});
    const uint64_t syncs = files.syncs();
    REQUIRE(journal->Sync().ok());
    CHECK(files.syncs() == syncs);
  }
  SUBCASE("never: only when asked, and then all segments") {
    options.sync = JournalSync::kNever;
    options.segment_bytes = 300;
    auto journal = OpenJournal(&files, options);
    const auto written = AppendMessages(journal.get(), 0, 100);
    CHECK(files.syncs() == 0);
    REQUIRE(journal->Sync().ok());
    CHECK(journal->Stats().synced == Offset{100});
    Random random(3);
    files.PowerCut(&random);
    journal = OpenJournal(&files, options);
    CHECK(ReadAll(journal.get()) == written);
  }
}

TEST_CASE("offsets can be advanced past what a power cut took") {
  SimFileSystem files;
  auto journal = OpenJournal(&files, Options());
  auto written = AppendMessages(journal.get(), 0, 10);
  CHECK(journal->NewReader(Offset{11}).status().code() == ErrorCode::kStateMismatch);
  REQUIRE(journal->AdvanceTo(Offset{5}).ok());
  CHECK(journal->end() == Offset{10});
  REQUIRE(journal->AdvanceTo(Offset{15}).ok());
  REQUIRE(journal->AdvanceTo(Offset{20}).ok());
  CHECK(journal->end() == Offset{20});
  const auto more = AppendMessages(journal.get(), 20, 30);
  written.insert(written.end(), more.begin(), more.end());
  CHECK(ReadAll(journal.get()) == written);
  CHECK(ReadFrom(journal.get(), Offset{17}) == more);
  CHECK(journal->Stats().damaged_entries == 0);
  JournalRecovery recovery;
  journal = OpenJournal(&files, Options(), &recovery);
  CHECK(recovery.entries == 20);
  CHECK(recovery.damaged_entries == 0);
  CHECK(ReadAll(journal.get()) == written);
}

TEST_CASE("a journal of another version is refused") {
  SimFileSystem files;
  std::string header = EncodeSegmentHeader({Offset{0}, Offset{0}, {}});
  CHECK(header.size() == kSegmentHeaderSize);
  SegmentHeader decoded;
  CHECK(DecodeSegmentHeader(header, &decoded) == HeaderState::kValid);
  header[8] = 3;
  CHECK(DecodeSegmentHeader(header, &decoded) == HeaderState::kDamaged);
  header.resize(kSegmentHeaderSize - 4);
  PutFixed<uint32_t>(&header, static_cast<uint32_t>(Hash64(header)));
  CHECK(DecodeSegmentHeader(header, &decoded) == HeaderState::kOtherVersion);
  files.SetContents("lane/" + SegmentName(Offset{0}), header);
  JournalRecovery recovery;
  CHECK(Journal::Open(&files, Options(), &recovery).status().code() == ErrorCode::kFormatVersion);
  CHECK(files.Contents("lane/" + SegmentName(Offset{0})) == header);
}

TEST_CASE("segment names") {
  CHECK(SegmentName(Offset{42}) == "00000000000000000042.rvj");
  CHECK(ParseSegmentName("00000000000000000042.rvj") == Offset{42});
  constexpr uint64_t kLast = (uint64_t{1} << 62) - 1;
  CHECK(ParseSegmentName(SegmentName(Offset{kLast})) == Offset{kLast});
  CHECK_FALSE(ParseSegmentName(SegmentName(Offset{kLast + 1})).has_value());
  CHECK_FALSE(ParseSegmentName(SegmentName(Offset{~0ull})).has_value());
  for (const char* name : {"42.rvj", "0000000000000000004x.rvj", "99999999999999999999.rvj",
                           "00000000000000000042.rvj~", "00000000000000000042.tmp", ""}) {
    CHECK_FALSE(ParseSegmentName(name).has_value());
  }
}

TEST_CASE("ticks, and what is said of receive times, are there after opening") {
  SimFileSystem files;
  auto journal = OpenJournal(&files, Options());
  bool dropped = false;
  CHECK(journal->last_time() == EventTime{0});
  REQUIRE(journal->AppendTick(EventTime{500}, true).ok());
  REQUIRE(journal->Append("a", "p", {EventTime{700}, true}, 65535, false, &dropped).ok());
  REQUIRE(journal->AppendTick({EventTime{900}, true}, false).ok());
  REQUIRE(journal->Append("a", "", EventTime{950}, 65535, false, &dropped).ok());
  for (int opened = 0; opened < 2; ++opened) {
    auto reader = journal->NewReader(journal->begin());
    REQUIRE(reader.ok());
    std::vector<JournalEntry> entries;
    REQUIRE((*reader)->Read(10, 1000, &entries).ok());
    std::string text;
    for (const JournalEntry& e : entries) {
      text += std::to_string(e.received.us) + (e.tick() ? " tick" : "") + (e.resumes ? " resumes" : "") +
              (e.assumed ? " assumed" : "") + " " + std::to_string(e.packet_id) + "\n";
    }
    CHECK(text == "500 tick resumes 0\n700 assumed 65535\n900 tick assumed 0\n950 65535\n");
    CHECK(journal->last_time() == EventTime{950});
    journal = OpenJournal(&files, Options());
  }
  // The packet id is known again, without what was said beside it.
  REQUIRE(journal->Append("a", "", EventTime{999}, 65535, true, &dropped).ok());
  CHECK(dropped);
}

TEST_CASE("the last receive time is known, too, when the last segment is empty or has lost its header") {
  SimFileSystem files;
  auto journal = OpenJournal(&files, Options());
  bool dropped = false;
  REQUIRE(journal->Append("a", "p", EventTime{950}, 0, false, &dropped).ok());
  journal.reset();
  const std::string next = "lane/" + SegmentName(Offset{1});
  const std::string header = EncodeSegmentHeader({Offset{1}, Offset{1}, EventTime{950}});
  for (const std::string& begun : {header, header.substr(0, 7), std::string()}) {
    CAPTURE(begun.size());
    files.SetContents(next, begun);
    for (int opened = 0; opened < 2; ++opened) {
      journal = OpenJournal(&files, Options());
      CHECK(journal->end() == Offset{1});
      CHECK(journal->last_time() == EventTime{950});
    }
  }
}

TEST_CASE("foreign files in the directory are left alone") {
  SimFileSystem files;
  files.SetContents("lane/notes.txt", "mine");
  auto journal = OpenJournal(&files, Options());
  const auto written = AppendMessages(journal.get(), 0, 3);
  journal = OpenJournal(&files, Options());
  CHECK(ReadAll(journal.get()) == written);
  CHECK(files.Contents("lane/notes.txt") == "mine");
}

TEST_CASE("on a real disk") {
  const testing::TemporaryDirectory directory;
  const auto files = NewPosixFileSystem();
  JournalOptions options = Options(4000);
  options.directory = directory.path() + "/a/b/lane";
  std::vector<Message> written;
  {
    auto journal = OpenJournal(files.get(), options);
    written = AppendMessages(journal.get(), 0, 500);
    REQUIRE(journal->Sync().ok());
  }
  auto journal = OpenJournal(files.get(), options);
  CHECK(ReadAll(journal.get()) == written);
  const auto more = AppendMessages(journal.get(), 500, 600);
  written.insert(written.end(), more.begin(), more.end());
  CHECK(ReadAll(journal.get()) == written);
  options.retain_bytes = 0;
  journal = OpenJournal(files.get(), options);
  REQUIRE(journal->Trim(Offset{600}, EventTime{0}).ok());
  CHECK(files->List(options.directory).value().size() == 1);
}

}  // namespace
}  // namespace rivulet
