// JournalFeed: the journal's entries for many who read them at places of their own. Who stand at one place
// share a reader and what it has read: with hundreds of pipelines the journal is read once, not hundreds of
// times, and memory does not grow with their number.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "base/types.h"
#include "state/journal.h"

namespace rivulet {

// Not thread-safe.
class JournalFeed {
 public:
  // The journal must outlive it.
  explicit JournalFeed(Journal* journal) : journal_(journal) {}

  // So that there is a reader for `from`. Errors: see Journal::NewReader.
  Status Prepare(Offset from);

  // Entries from `from` on, at most `max_entries` of them and about `max_bytes`: at least one when there is
  // any. Readable until the next call. Errors: those of Prepare and of Journal::Reader::Read.
  Result<std::span<const JournalEntry>> Read(Offset from, size_t max_entries, size_t max_bytes);

  // Everybody has had a turn: of readers that have met one is enough, and who has not been needed for long is
  // let go of.
  void EndRound();

  size_t readers() const { return places_.size(); }

 private:
  struct Place {
    std::unique_ptr<Journal::Reader> reader;
    Offset begin;                        // entries from here to the reader's position are in `entries`
    std::vector<JournalEntry> entries;
    uint64_t used = 0;                   // round
  };

  Result<Place*> Find(Offset from);

  Journal* const journal_;
  std::vector<std::unique_ptr<Place>> places_;
  uint64_t round_ = 0;
};

}  // namespace rivulet
