// Every way to damage a journal's files: opening and reading must neither crash nor invent.
#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

#include "base/random.h"
#include "sim/sim_file_system.h"
#include "state/damaged_offsets.h"
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

JournalOptions Options(uint64_t segment_bytes = 8 << 20) {
  JournalOptions options;
  options.directory = "lane";
  options.segment_bytes = segment_bytes;
  return options;
}

std::string PathOf(uint64_t first_offset) { return "lane/" + SegmentName(Offset{first_offset}); }

// Whether `read` is made of entries of `written`, in order.
bool IsSubsequence(const std::vector<Message>& read, const std::vector<Message>& written) {
  auto it = written.begin();
  for (const Message& m : read) {
    it = std::find(it, written.end(), m);
    if (it == written.end()) return false;
    ++it;
  }
  return true;
}

// Opens what a damaged journal left, reads it, writes on, and opens once more.
struct Outcome {
  JournalRecovery recovery;
  std::vector<Message> read;
};
Outcome Survive(SimFileSystem* files, const std::vector<Message>& written) {
  Outcome outcome;
  std::vector<Message> after;
  {
    auto journal = OpenJournal(files, Options(), &outcome.recovery);
    outcome.read = ReadAll(journal.get());
    REQUIRE(IsSubsequence(outcome.read, written));
    const Offset end = journal->end();
    if (!outcome.read.empty()) REQUIRE(end.value > outcome.read.back().offset);
    after = outcome.read;
    for (uint64_t i = 0; i < 5; ++i) {
      Message m = MakeMessage(end.value + i);
      m.payload += " after";
      REQUIRE(TryAppend(journal.get(), m).ok());
      after.push_back(m);
    }
    REQUIRE(ReadAll(journal.get()) == after);
  }
  auto journal = OpenJournal(files, Options());
  REQUIRE(ReadAll(journal.get()) == after);
  return outcome;
}

// A small journal's files: name and contents.
using Image = std::vector<std::pair<std::string, std::string>>;
Image MakeImage(uint64_t segment_bytes, uint64_t messages, std::vector<Message>* written) {
  SimFileSystem files;
  auto journal = OpenJournal(&files, Options(segment_bytes));
  *written = AppendMessages(journal.get(), 0, messages);
  Image image;
  const std::vector<std::string> names = files.List("lane").value();
  for (const std::string& name : names) {
    image.emplace_back("lane/" + name, files.Contents("lane/" + name));
  }
  return image;
}

void Restore(SimFileSystem* files, const Image& image) {
  for (const auto& [path, bytes] : image) files->SetContents(path, bytes);
}

// The medium changes under an open journal; readers opened from now on see it.
void ChangeInTheMiddle(SimFileSystem* files) {
  std::string bytes = files->Contents(PathOf(0));
  bytes[bytes.size() / 2] ^= 1;
  files->SetContents(PathOf(0), bytes);
}

TEST_CASE("any byte flipped, in one segment and in several") {
  std::vector<Message> written;
  Image image;
  SUBCASE("one segment") { image = MakeImage(8 << 20, 12, &written); }
  SUBCASE("three segments") { image = MakeImage(150, 14, &written); }
  REQUIRE(!image.empty());
  for (size_t file = 0; file < image.size(); ++file) {
    for (size_t i = 0; i < image[file].second.size(); ++i) {
      for (const int flip : {0x01, 0x80, 0xff}) {
        CAPTURE(file);
        CAPTURE(i);
        Image damaged = image;
        damaged[file].second[i] = static_cast<char>(damaged[file].second[i] ^ flip);
        SimFileSystem files;
        Restore(&files, damaged);
        const Outcome outcome = Survive(&files, written);
        // A damaged header costs nothing; a damaged entry costs itself and what depends on it.
        if (i < kSegmentHeaderSize) REQUIRE(outcome.read == written);
        if (i >= kSegmentHeaderSize) {
          REQUIRE(outcome.read.size() < written.size());
          REQUIRE(outcome.recovery.torn_bytes + outcome.recovery.damaged_entries > 0);
          REQUIRE_FALSE(outcome.recovery.detail.empty());
        }
      }
    }
  }
}

// A lane of many sensors: topics come and go, receive times are uneven.
Message SensorMessage(uint64_t i) {
  Message m = MakeMessage(i);
  m.topic = "plant/" + std::to_string((i * 7) % 23);
  m.payload = "{\"n\":" + std::to_string(i) + "}" + std::string(i % 50, 'x');
  m.received_us = 1'700'000'000'000'000 + static_cast<int64_t>(i * i * 1000);
  return m;
}

TEST_CASE("a bit flipped in a long segment costs the entry, and what needs something of it") {
  SimFileSystem whole;
  std::vector<Message> written;
  {
    auto journal = OpenJournal(&whole, Options());
    for (uint64_t i = 0; i < 600; ++i) {
      Message m = SensorMessage(i);
      REQUIRE(TryAppend(journal.get(), m).ok());
      written.push_back(m);
    }
  }
  const std::string bytes = whole.Contents(PathOf(0));
  Random random(21);
  uint64_t lost = 0;
  constexpr uint64_t kFlips = 300;
  for (uint64_t i = 0; i < kFlips; ++i) {
    const size_t place = kSegmentHeaderSize + random.Below(bytes.size() - kSegmentHeaderSize);
    const int bit = static_cast<int>(random.Below(8));
    CAPTURE(place);
    CAPTURE(bit);
    std::string damaged = bytes;
    damaged[place] = static_cast<char>(damaged[place] ^ (1 << bit));
    SimFileSystem files;
    files.SetContents(PathOf(0), damaged);
    const Outcome outcome = Survive(&files, written);
    const uint64_t gone = written.size() - outcome.read.size();
    REQUIRE(gone >= 1);
    // A name that is lost costs all of its topic at the most.
    REQUIRE(gone <= 600 / 23 + 1 + kTimeBlock);
    REQUIRE(outcome.recovery.damaged_entries + (outcome.recovery.torn_bytes > 0 ? 1 : 0) == gone);
    lost += gone;
  }
  MESSAGE("entries of 600 lost by 300 flipped bits: ", lost);
  CHECK(lost < 4 * kFlips);
}

TEST_CASE("many damaged places cost no more than their number") {
  SimFileSystem files;
  std::vector<Message> written;
  {
    auto journal = OpenJournal(&files, Options());
    for (uint64_t i = 0; i < 20000; ++i) {
      Message m = SensorMessage(i);
      m.received_us = static_cast<int64_t>(i);
      REQUIRE(TryAppend(journal.get(), m).ok());
      written.push_back(m);
    }
  }
  std::string bytes = files.Contents(PathOf(0));
  for (size_t at = kSegmentHeaderSize + 2000; at < bytes.size(); at += 300) bytes[at] ^= 4;
  files.SetContents(PathOf(0), bytes);
  const Outcome outcome = Survive(&files, written);
  CHECK(outcome.read.size() > 1000);
}

TEST_CASE("a segment of version 0.1 is read, and the journal goes on in one of this version") {
  SimFileSystem files;
  SegmentHeader header{Offset{5}, Offset{5}, {}};
  header.version = kFirstJournalVersion;
  std::string bytes = EncodeSegmentHeader(header);
  std::vector<Message> written;
  int64_t before = 0;
  uint64_t entries = 40;
  SUBCASE("with entries") {}
  SUBCASE("empty") { entries = 0; }
  for (uint64_t i = 0; i < entries; ++i) {
    Message m = SensorMessage(i);
    m.topic = "one";
    m.offset = 5 + i;
    EntryFrame frame;
    frame.topic_number = i == 0 ? 0 : 1;
    frame.topic = m.topic;
    frame.time_delta = m.received_us - before;
    before = m.received_us;
    frame.packet_id = m.packet_id;
    frame.payload = m.payload;
    std::string text;
    EncodeEntry(frame, Offset{5 + i}, &text);
    bytes += text;
    written.push_back(m);
  }
  files.SetContents(PathOf(5), bytes);
  for (int life = 0; life < 2; ++life) {
    JournalRecovery recovery;
    auto journal = OpenJournal(&files, Options(), &recovery);
    CHECK(recovery.damaged_entries + recovery.torn_bytes == 0);
    CHECK(ReadAll(journal.get()) == written);
    Message m = SensorMessage(written.size());
    m.offset = journal->end().value;
    REQUIRE(TryAppend(journal.get(), m).ok());
    written.push_back(m);
    CHECK(ReadAll(journal.get()) == written);
  }
}

TEST_CASE("a tail torn at every length is cut off and reported") {
  std::vector<Message> written;
  const Image image = MakeImage(8 << 20, 12, &written);
  const std::string& whole = image[0].second;
  size_t complete = 0;
  for (size_t n = 0; n <= whole.size(); ++n) {
    CAPTURE(n);
    SimFileSystem files;
    files.SetContents(PathOf(0), whole.substr(0, n));
    const Outcome outcome = Survive(&files, written);
    REQUIRE(outcome.read ==
            std::vector<Message>(written.begin(),
                                 written.begin() + static_cast<int64_t>(outcome.read.size())));
    REQUIRE(outcome.recovery.damaged_entries == 0);
    REQUIRE(outcome.read.size() >= complete);
    complete = outcome.read.size();
  }
  CHECK(complete == written.size());
}

TEST_CASE("the tail that a power cut filled with zeros or garbage is cut off") {
  std::vector<Message> written;
  const Image image = MakeImage(8 << 20, 12, &written);
  Random random(11);
  for (const size_t extra : {1u, 7u, 8u, 100u, 4096u, 70000u}) {
    for (const bool zeros : {true, false}) {
      std::string bytes = image[0].second;
      for (size_t i = 0; i < extra; ++i) {
        bytes.push_back(zeros ? '\0' : static_cast<char>(random.Below(256)));
      }
      SimFileSystem files;
      files.SetContents(PathOf(0), bytes);
      const Outcome outcome = Survive(&files, written);
      CHECK(outcome.read == written);
      CHECK(outcome.recovery.torn_bytes == extra);
    }
  }
}

TEST_CASE("entries behind damage keep their offsets spent") {
  std::vector<Message> written;
  const Image image = MakeImage(8 << 20, 12, &written);
  std::string bytes = image[0].second;
  bytes[kSegmentHeaderSize + 1] ^= 1;  // the first entry
  SimFileSystem files;
  files.SetContents(PathOf(0), bytes);
  JournalRecovery recovery;
  auto journal = OpenJournal(&files, Options(), &recovery);
  CHECK(recovery.damaged_entries == 12);
  CHECK(recovery.torn_bytes == 0);
  CHECK(journal->end() == Offset{12});
  CHECK(ReadAll(journal.get()).empty());
  CHECK(journal->Stats().damaged_entries == 12);
}

TEST_CASE("an old entry in a reused block does not pass for a new one") {
  std::vector<Message> written;
  const Image image = MakeImage(8 << 20, 12, &written);
  std::string bytes = image[0].second;
  // The same frame twice: right bytes, wrong place.
  EntryFrame frame;
  REQUIRE(DecodeEntry(std::string_view(bytes).substr(kSegmentHeaderSize), Offset{0}, &frame) ==
          FrameState::kValid);
  bytes += bytes.substr(kSegmentHeaderSize, frame.size);
  SimFileSystem files;
  files.SetContents(PathOf(0), bytes);
  const Outcome outcome = Survive(&files, written);
  CHECK(outcome.read == written);
  CHECK(outcome.recovery.torn_bytes == frame.size);
}

TEST_CASE("a missing segment is a gap that is counted") {
  std::vector<Message> written;
  Image image = MakeImage(150, 40, &written);
  REQUIRE(image.size() > 4);
  image.erase(image.begin() + 2);
  SimFileSystem files;
  Restore(&files, image);
  JournalRecovery recovery;
  auto journal = OpenJournal(&files, Options(), &recovery);
  const auto read = ReadAll(journal.get());
  CHECK(IsSubsequence(read, written));
  CHECK(recovery.damaged_entries == written.size() - read.size());
  CHECK(recovery.entries == read.size());
  CHECK(journal->Stats().damaged_entries == recovery.damaged_entries);
}

TEST_CASE("damage that appears while reading the active segment") {
  SimFileSystem files;
  auto journal = OpenJournal(&files, Options());
  const auto written = AppendMessages(journal.get(), 0, 20);
  auto reader = std::move(journal->NewReader(Offset{0})).value();
  ChangeInTheMiddle(&files);
  std::vector<JournalEntry> entries;
  uint64_t seen = 0;
  do {
    REQUIRE(reader->Read(100, 1 << 20, &entries).ok());
    seen += entries.size();
  } while (!entries.empty());
  CHECK(seen > 0);
  CHECK(seen < 20);
  CHECK(journal->Stats().damaged_entries == 20 - seen);
  CHECK(reader->position() == Offset{20});
}

TEST_CASE("a damaged entry is counted once, however many readers meet it") {
  DamagedOffsets damaged;
  std::vector<bool> model(200);
  Random random(7);
  for (int round = 0; round < 2000; ++round) {
    const uint64_t from = random.Below(model.size()), to = from + random.Below(9);
    damaged.Add(Offset{from}, Offset{std::min<uint64_t>(to, model.size())});
    std::fill(model.begin() + static_cast<long>(from),
              model.begin() + static_cast<long>(std::min<uint64_t>(to, model.size())), true);
    REQUIRE(damaged.count() == static_cast<uint64_t>(std::count(model.begin(), model.end(), true)));
    if (round % 100 != 99) continue;
    damaged = DamagedOffsets();
    model.assign(model.size(), false);
  }
  // Of very many places, which reader comes late to the first ones counts them again: memory is bounded.
  for (uint64_t i = 0; i < 2 * DamagedOffsets::kPlaces; ++i) damaged.Add(Offset{10 * i}, Offset{10 * i + 1});
  CHECK(damaged.count() == 2 * DamagedOffsets::kPlaces);

  SimFileSystem files;
  auto journal = OpenJournal(&files, Options());
  AppendMessages(journal.get(), 0, 20);
  ChangeInTheMiddle(&files);
  const size_t read = ReadAll(journal.get()).size();
  CHECK(ReadAll(journal.get()).size() == read);
  CHECK(journal->Stats().damaged_entries == 20 - read);
}

TEST_CASE("random bytes as a segment, or as frames with right checksums") {
  Random random(5);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes;
    if (i % 2 == 0) bytes = EncodeSegmentHeader({Offset{0}, Offset{random.Next()}, {}});
    for (uint64_t n = random.Below(200); n > 0; --n) {
      bytes.push_back(static_cast<char>(random.Below(i % 3 == 0 ? 256 : 6)));
    }
    if (i % 4 == 0) {
      // A frame as only we could have written it, with fields that make no sense.
      bytes.resize(kSegmentHeaderSize);
      EntryFrame frame;
      frame.topic_number = static_cast<uint32_t>(random.Below(70000));
      frame.time_delta = static_cast<int64_t>(random.Next());
      frame.payload = "p";
      std::string text;
      EncodeEntry(frame, Offset{0}, &text);
      bytes += text;
    }
    SimFileSystem files;
    files.SetContents(PathOf(0), bytes);
    JournalRecovery recovery;
    auto journal = OpenJournal(&files, Options(), &recovery);
    (void)ReadAll(journal.get());
    const Offset end = journal->end();
    REQUIRE(TryAppend(journal.get(), MakeMessage(1)).ok());
    CHECK(journal->end() == end + 1);
  }
}

// Whatever a power cut leaves, what was synced is there, and nothing is there that was not written.
TEST_CASE("power cuts at random moments") {
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    SimFileSystem files;
    JournalOptions options = Options(100 + random.Below(600));
    options.sync = static_cast<JournalSync>(random.Below(3));
    std::vector<Message> written;
    for (int life = 0; life < 4; ++life) {
      auto journal = OpenJournal(&files, options);
      // Offsets of lost entries may be used again unless a consumer had passed them.
      const std::vector<Message> kept = ReadAll(journal.get());
      if (options.sync == JournalSync::kAlways) REQUIRE(kept == written);
      REQUIRE(IsSubsequence(kept, written));
      written = kept;
      uint64_t synced = 0;
      for (uint64_t i = random.Below(60); i > 0; --i) {
        Message m = MakeMessage(journal->end().value);
        m.payload += " " + std::to_string(life);
        REQUIRE(TryAppend(journal.get(), m).ok());
        written.push_back(m);
        if (random.Chance(0.1)) {
          REQUIRE(journal->Sync().ok());
          synced = written.size();
        }
      }
      if (random.Chance(0.3)) {
        files.Crash();
        auto survivor = OpenJournal(&files, options);
        REQUIRE(ReadAll(survivor.get()) == written);
        REQUIRE(survivor->Sync().ok());
        synced = written.size();
      }
      files.PowerCut(&random);
      auto after = OpenJournal(&files, options);
      const std::vector<Message> read = ReadAll(after.get());
      REQUIRE(IsSubsequence(read, written));
      REQUIRE(read.size() >= synced);
      REQUIRE(std::equal(written.begin(), written.begin() + static_cast<int64_t>(synced),
                         read.begin()));
    }
  }
}

}  // namespace
}  // namespace rivulet
