// OutputLog: what a pipeline has put out and not every sink has yet. Entries become readable when the
// commit that produced them is durable; they are trimmed when all sinks have them.
//
// Rows:  prefix | sequence (8 bytes, ordered)  ->  revision | window start | key | place | JSON
// The place is missing in rows that have none: late records, dead letters, and results of versions before
// there were places. JSON begins with a brace, a place with a byte of its own.
// The newest entries are also kept in memory, within a bound, so that sinks that keep up read nothing back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "state/delta.h"
#include "state/store.h"

namespace rivulet {

// Where an entry stands in time, for pipelines that read it as a record. Times in us.
struct OutputPlace {
  static constexpr int64_t kUnknown = std::numeric_limits<int64_t>::min();
  int64_t time_us = kUnknown;       // its event time
  // W just before it: all results that W allows up to there are in front of it. Never falls from entry to
  // entry.
  int64_t watermark_us = kUnknown;
};

// One thread.
class OutputLog {
 public:
  struct Entry {
    uint64_t sequence = 0;
    uint32_t revision = 0;
    int64_t start_us = 0;
    std::string_view key;
    OutputPlace place;
    std::string_view json;
  };

  // `store` null: entries live in memory only until they are trimmed. `next` is the sequence of the first
  // entry to be appended, as last committed.
  OutputLog(std::string prefix, const Store* store, size_t memory_limit, uint64_t next);

  // `place` null: nobody reads it as a record.
  void Append(uint32_t revision, int64_t start_us, std::string_view key, std::string_view json,
              const OutputPlace* place = nullptr);

  // Finds out what is stored of it. Errors: those of the store.
  Status Measure();
  // Bytes of all entries that are not trimmed yet, about.
  uint64_t held_bytes() const { return held_; }

  // The next entry gets this number. Only while nothing is waiting to be committed.
  void SkipTo(uint64_t sequence) { next_ = collected_ = readable_ = sequence; }

  // Sequence of the first entry that is still there; next() when there is none. Reads the store.
  Result<uint64_t> Begin() const;

  // Sequence of the next entry to be appended, and of the first that cannot be read yet.
  uint64_t next() const { return next_; }
  uint64_t readable() const { return readable_; }

  // Puts the entries appended since the last call, and the trimming that is due, into a commit.
  void CollectChanges(Delta* delta);
  // The trimming alone.
  void CollectTrim(Delta* delta);
  // The commit is durable: its entries can be read.
  void OnCommitted() {
    readable_ = collected_;
    committing_ = 0;
  }
  // Without a store: everything appended can be read at once.
  void Release() { readable_ = collected_ = next_; }

  // Calls visit(entry) for readable entries from `from` on, at most `limit`; views are valid during the
  // call only. Errors: those of the store.
  template <typename Visit>
  Status Read(uint64_t from, size_t limit, Visit visit) const {
    while (limit > 0 && from < readable_) {
      const Block* block = FindBlock(from);
      if (block == nullptr) return ReadStored(from, limit, visit);
      Entry entry;
      Decode(block->Value(from - block->first), from, &entry);
      visit(entry);
      ++from;
      --limit;
    }
    return Status::Ok();
  }

  // All sinks have the entries before `sequence`: they go with the next commit.
  void Trim(uint64_t sequence);
  uint64_t trimmed() const { return trimmed_; }

  size_t MemoryBytes() const { return memory_; }
  // Of those, of entries that wait to be committed; without a store, to be trimmed.
  size_t WaitingBytes() const { return store_ == nullptr ? memory_ : uncollected_ + committing_; }
  // Another `memory_limit`.
  void BoundMemory(size_t limit);

 private:
  // Consecutive entries in one string.
  struct Block {
    uint64_t first = 0;
    std::string bytes;
    std::vector<uint32_t> ends;
    std::string_view Value(uint64_t i) const {
      const uint32_t begin = i == 0 ? 0 : ends[i - 1];
      return std::string_view(bytes).substr(begin, ends[i] - begin);
    }
  };
  static constexpr size_t kLeastBlock = 4 << 10, kMostBlock = 64 << 10;
  size_t BlockBytes() const { return std::clamp(memory_limit_ / 4, kLeastBlock, kMostBlock); }
  // Entries that are not trimmed, in memory or not: how much they take together.
  struct Part {
    uint64_t end;    // of the last one, and 1
    uint64_t bytes;
  };

  void DropStored();
  std::string Row(uint64_t sequence) const;
  const Block* FindBlock(uint64_t sequence) const;
  static bool Decode(std::string_view value, uint64_t sequence, Entry* entry);
  Status ReadStored(uint64_t from, size_t limit,
                    const std::function<void(const Entry&)>& visit) const;

  std::string prefix_;
  const Store* store_;
  size_t memory_limit_;
  std::deque<Block> blocks_;
  size_t memory_ = 0;
  size_t uncollected_ = 0, committing_ = 0;  // bytes of entries that are not in a commit, and in one
  std::deque<Part> parts_;
  uint64_t held_ = 0;    // the sum of the parts
  uint64_t next_;        // to be appended
  uint64_t collected_;   // handed to a commit
  uint64_t readable_;    // durable
  uint64_t trimmed_ = 0;         // entries before are not needed any more
  uint64_t trim_collected_ = 0;  // and their rows deleted
};

}  // namespace rivulet
