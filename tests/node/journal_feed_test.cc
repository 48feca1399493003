#include "node/lane/journal_feed.h"

#include <doctest/doctest.h>

#include "base/random.h"
#include "sim/sim_file_system.h"
#include "state/journal_testing.h"

namespace rivulet {
namespace {

using sim::SimFileSystem;
using testing::AppendMessages;
using testing::OpenJournal;

JournalOptions Options() {
  JournalOptions options;
  options.directory = "lane";
  options.segment_bytes = 2000;
  return options;
}

struct Follower {
  Offset at;
  uint64_t expected = 0;
};

// Reads some, and sees that nothing is left out.
void Follow(JournalFeed* feed, size_t entries, size_t bytes, Follower* follower) {
  const auto read = feed->Read(follower->at, entries, bytes);
  REQUIRE(read.ok());
  CHECK(read->size() <= entries);
  for (const JournalEntry& e : *read) {
    REQUIRE(e.offset.value == follower->expected);
    ++follower->expected;
  }
  if (!read->empty()) follower->at = read->back().offset + 1;
}

TEST_CASE("journal feed: who reads together shares a reader, who was apart shares again when they meet") {
  SimFileSystem files;
  auto journal = OpenJournal(&files, Options());
  AppendMessages(journal.get(), 0, 100);
  JournalFeed feed(journal.get());
  Follower fast, slow;
  for (int round = 0; round < 40; ++round) {
    for (int k = 0; k < 50; ++k) {
      Follower other = fast;
      Follow(&feed, 10, 1 << 20, &other);
    }
    if (round < 5) {
      Follow(&feed, 10, 1 << 20, &fast);
      CHECK(feed.readers() == 1);
    } else {
      Follow(&feed, 10, 1 << 20, &fast);
      Follow(&feed, 4, 1 << 20, &slow);
      CHECK(feed.readers() <= 2);
    }
    feed.EndRound();
  }
  CHECK(fast.at == journal->end());
  CHECK(slow.at == journal->end());
  CHECK(feed.readers() == 1);
  AppendMessages(journal.get(), 100, 101);
  Follow(&feed, 10, 1 << 20, &fast);
  Follow(&feed, 10, 1 << 20, &slow);
  CHECK(feed.readers() == 1);
  CHECK(slow.at == journal->end());
}

TEST_CASE("journal feed: whatever the limits and places, everybody gets every entry in order") {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    SimFileSystem files;
    auto journal = OpenJournal(&files, Options());
    JournalFeed feed(journal.get());
    std::vector<Follower> followers(1 + random.Below(6));
    uint64_t written = 0;
    for (int round = 0; round < 300; ++round) {
      const uint64_t more = random.Below(8);
      AppendMessages(journal.get(), written, written + more);
      written += more;
      for (Follower& f : followers) {
        if (random.Chance(0.3)) continue;
        Follow(&feed, 1 + random.Below(12), 1 + random.Below(400), &f);
      }
      feed.EndRound();
      CHECK(feed.readers() <= followers.size() + 8);
    }
    for (Follower& f : followers) {
      while (f.at < journal->end()) Follow(&feed, 5, 1 << 20, &f);
    }
  }
}

}  // namespace
}  // namespace rivulet
