// What is noted of deliveries is found again by the next process; what cannot be trusted is not believed.
#include "node/engine/delivery_notes.h"

#include <doctest/doctest.h>

#include <set>

#include "node/engine/output_channel.h"
#include "sim/sim_file_system.h"
#include "sim/sim_store.h"
#include "tests/node/sink_test_support.h"

namespace rivulet {
namespace {

constexpr const char* kPath = "/data/delivery.notes";
constexpr uint64_t kEnd = 1'000'000;

class Disk {
 public:
  Disk() { REQUIRE(files.CreateDirectories("/data").ok()); }
  DeliveryNotes Open(uint64_t epoch) {
    DeliveryNotes notes(&files, kPath);
    notes.Open(epoch);
    return notes;
  }
  std::string bytes() const { return files.Contents(kPath); }

  sim::SimFileSystem files;
};

uint64_t NextOf(DeliveryNotes* notes, std::string_view row, uint64_t end = kEnd) {
  return notes->Next(row, true, 1, end);
}

}  // namespace

TEST_CASE("delivery notes: the next process finds the last of each sink, and goes on") {
  Disk disk;
  uint64_t last = 0;
  DeliveryNotes first = disk.Open(0);
  const uint64_t epoch = first.TakeNewEpoch();
  CHECK(epoch == 1);
  CHECK(first.TakeNewEpoch() == 0);
  for (uint64_t k = 2; k < 300; ++k) REQUIRE(first.Note(k % 3 == 0 ? "a" : "b", last = k));
  CHECK(disk.bytes().size() < 300 * 10);
  for (int process = 0; process < 3; ++process) {
    DeliveryNotes next = disk.Open(epoch);
    CHECK(next.TakeNewEpoch() == 0);
    CHECK(NextOf(&next, "a") == 297);
    CHECK(NextOf(&next, "b") == last);
    CHECK(NextOf(&next, "c") == 1);
    // The store knows better.
    CHECK(next.Next("a", true, 400, kEnd) == 400);
    REQUIRE(next.Note("b", ++last));
    REQUIRE(next.Note("b", ++last));
  }
}

TEST_CASE("delivery notes: of another past none is believed, nor later") {
  Disk disk;
  DeliveryNotes first = disk.Open(0);
  REQUIRE(first.Note("a", 50));
  REQUIRE(first.Note("b", 10));
  SUBCASE("the folder of the state was made anew") {
    DeliveryNotes next = disk.Open(0);
    CHECK(NextOf(&next, "a") == 1);
    CHECK(next.TakeNewEpoch() == 2);
  }
  SUBCASE("the store has another epoch") {
    DeliveryNotes next = disk.Open(7);
    CHECK(NextOf(&next, "b") == 1);
    CHECK(next.TakeNewEpoch() == 8);
  }
  SUBCASE("commits were taken back") {
    DeliveryNotes next = disk.Open(1);
    CHECK(NextOf(&next, "b", 10) == 10);
    CHECK(NextOf(&next, "a", 49) == 1);
    CHECK(NextOf(&next, "b", 10) == 1);
    CHECK(next.TakeNewEpoch() == 2);
    // The log has come as far again, with other entries.
    DeliveryNotes again = disk.Open(2);
    CHECK(NextOf(&again, "a") == 1);
  }
  SUBCASE("a sink that the store does not know") {
    DeliveryNotes next = disk.Open(1);
    CHECK(next.Next("a", false, 60, kEnd) == 60);
    CHECK(NextOf(&next, "b") == 1);
    CHECK(next.TakeNewEpoch() == 2);
  }
}

TEST_CASE("delivery notes: damage costs notes, and invents none") {
  Disk disk;
  DeliveryNotes first = disk.Open(0);
  for (uint64_t k = 10; k < 20; ++k) REQUIRE(first.Note(k % 2 == 0 ? "even" : "odd", k));
  const std::string sound = disk.bytes();
  size_t kept = 0;
  const auto check = [&](const std::string& bytes) {
    disk.files.SetContents(kPath, bytes);
    DeliveryNotes next = disk.Open(1);
    const uint64_t even = NextOf(&next, "even"), odd = NextOf(&next, "odd");
    CHECK((even == 1 || (even % 2 == 0 && even <= 18)));
    CHECK((odd == 1 || (odd % 2 == 1 && odd <= 19)));
    kept += even != 1 ? 1 : 0;
    // What is noted behind damage is read.
    REQUIRE(next.Note("even", 100));
    const uint64_t epoch = next.TakeNewEpoch();
    DeliveryNotes last = disk.Open(epoch == 0 ? 1 : epoch);
    CHECK(NextOf(&last, "even") == 100);
  };
  for (size_t i = 0; i <= sound.size(); ++i) check(sound.substr(0, i));
  for (size_t i = 0; i < sound.size(); ++i) {
    for (const int bit : {0, 3, 7}) {
      std::string bytes = sound;
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
      check(bytes);
    }
    std::string zeros = sound;
    std::fill(zeros.begin() + static_cast<std::ptrdiff_t>(i), zeros.end(), '\0');
    check(zeros);
  }
  CHECK(kept > sound.size());
  // Frames of another file, of the same epoch, mean other sinks.
  DeliveryNotes other = disk.Open(1);
  REQUIRE(other.Note("odd", 21));
  const std::string mixed = disk.bytes().substr(0, 28) + sound.substr(28);
  disk.files.SetContents(kPath, mixed);
  DeliveryNotes next = disk.Open(1);
  CHECK(NextOf(&next, "odd") == 1);
}

TEST_CASE("delivery notes: the file stays small, and keeps what no commit has taken along") {
  Disk disk;
  DeliveryNotes notes = disk.Open(0);
  size_t largest = 0;
  for (uint64_t k = 2; k < 100'000; ++k) {
    REQUIRE(notes.Note("busy", k));
    if (k % 1000 == 0) {
      notes.OnCollected();
      REQUIRE(notes.Note("between", k));
      notes.OnCommitted();
      DeliveryNotes next = disk.Open(1);
      REQUIRE(NextOf(&next, "between") == k);
    }
    largest = std::max(largest, disk.bytes().size());
  }
  CHECK(largest < DeliveryNotes::kMostBytes + 1000 * 11);
  CHECK(notes.bytes_written() < 100'000 * 11);
}

TEST_CASE("delivery notes: a disk that fails costs notes until the next commit") {
  std::set<bool> outcomes;
  for (uint64_t n = 1; n < 14; ++n) {
    Disk disk;
    DeliveryNotes notes = disk.Open(0);
    disk.files.FailOperation(n, ErrorCode::kDiskFull);
    uint64_t noted = 1;
    bool failed = false;
    for (uint64_t k = 2; k < 10; ++k) {
      const bool good = notes.Note("a", k);
      CHECK_FALSE((good && failed));
      failed = failed || !good;
      if (good) noted = k;
      DeliveryNotes next = disk.Open(1);
      CHECK(NextOf(&next, "a") == noted);
    }
    outcomes.insert(failed);
    disk.files.FailOperations({});
    notes.OnCollected();
    notes.OnCommitted();
    REQUIRE(notes.Note("a", 10));
    DeliveryNotes next = disk.Open(1);
    CHECK(NextOf(&next, "a") == 10);
  }
  CHECK(outcomes.size() == 2);
}

// One process after another publishes from one log.
class Publishing {
 public:
  void Start(size_t window, size_t max_inflight) {
    channel.reset();
    files.Crash();
    link = std::make_unique<FakeLink>();
    link->max_inflight = max_inflight;
    notes = std::make_unique<DeliveryNotes>(&files, kPath);
    notes->Open(epoch);
    channel = std::make_unique<OutputChannel>("p", 1, ChannelKind::kResults, &store, end);
    channel->NoteIn(notes.get(), window);
    SinkSpec spec;
    spec.target.text = "out";
    REQUIRE(channel->AddSink("mqtt out", std::move(NewMqttSink(spec, link.get())).value(), true).ok());
    epoch = std::max(epoch, notes->TakeNewEpoch());
  }
  void Put(int count) {
    for (int k = 0; k < count; ++k) {
      channel->Append(0, k, "k", "{\"n\":" + std::to_string(channel->next()) + "}");
    }
    Delta delta;
    channel->CollectChanges(&delta);
    REQUIRE(store.Commit(delta).ok());
    channel->OnCommitted();
    end = channel->next();
  }
  void Pump() { REQUIRE(channel->Pump().ok()); }

  sim::SimFileSystem files;
  sim::SimStore store;
  std::unique_ptr<FakeLink> link;
  std::unique_ptr<DeliveryNotes> notes;
  std::unique_ptr<OutputChannel> channel;
  uint64_t epoch = 0, end = 0;
};

TEST_CASE("a process that is killed sends once more what was under way, without a commit in between") {
  Publishing p;
  REQUIRE(p.files.CreateDirectories("/data").ok());
  p.Start(4, 4);
  p.Put(40);
  size_t sent = 0;
  for (int process = 0; process < 9; ++process) {
    p.Pump();
    REQUIRE(p.link->sent.size() == 4);
    // Two arrive, and are known to have; of two more the process hears before it is killed.
    p.link->Acknowledge();
    p.link->Acknowledge();
    p.Pump();
    REQUIRE(p.link->sent.size() == 6);
    p.link->Acknowledge();
    p.link->Acknowledge();
    sent += p.link->sent.size();
    p.Start(4, 4);
    p.Pump();
    CHECK(p.link->sent[0].payload == "{\"n\":" + std::to_string(2 * (process + 1)) + "}");
    p.Start(4, 4);
  }
  CHECK(sent == 9 * 6);
}

TEST_CASE("no more goes out than the window beyond what is noted") {
  Publishing p;
  REQUIRE(p.files.CreateDirectories("/data").ok());
  p.Start(8, 1000);
  p.Put(3000);
  p.Pump();
  CHECK(p.link->sent.size() == 8);
  for (int k = 0; k < 5; ++k) p.link->Acknowledge();
  p.Pump();
  CHECK(p.link->sent.size() == 13);
  p.link->acknowledge_at_once = true;
  while (!p.link->waiting.empty()) p.link->Acknowledge();
  p.Pump();
  // A flood goes in parts, so that others have their turn.
  CHECK(p.link->sent.size() > 1000);
  CHECK(p.link->sent.size() < 1100);
  // What cannot be noted is delivered all the same.
  p.files.SetFreeBytes(0);
  p.link->acknowledge_at_once = false;
  p.link->max_inflight = 500;
  p.Pump();
  REQUIRE(p.link->waiting.size() == 8);
  p.link->Acknowledge();
  p.Pump();
  CHECK(p.link->waiting.size() > 8);
}

TEST_CASE("what was set aside is noted when it is on the medium") {
  class Refused final : public RefusedResults {
   public:
    Status Keep(const RefusedResult&) override { return Status::Ok(); }
    Status Sync() override { return synced; }
    bool ComesBack(std::string_view, std::string_view) const override { return false; }
    Status synced;
  };
  Refused refused;
  FakeLink link;
  SinkSpec spec;
  spec.target.text = "out";
  const auto sink = std::move(NewMqttSink(spec, &link, "p", &refused)).value();
  SinkCursor cursor;
  REQUIRE(sink->Open(&cursor).ok());
  CHECK(sink->Notable());
  const std::vector<OutputEntry> one{Entry(0, "{}")};
  REQUIRE(sink->Offer(one) == 1);
  link.Refuse(0, "never");
  CHECK_FALSE(sink->Rewound());
  CHECK(sink->Cursor().next == 1);
  CHECK_FALSE(sink->Notable());
  refused.synced = Status(ErrorCode::kIo, "no");
  CHECK_FALSE(sink->Sync().ok());
  CHECK_FALSE(sink->Notable());
  refused.synced = Status::Ok();
  REQUIRE(sink->Sync().ok());
  CHECK(sink->Notable());
}

}  // namespace rivulet
