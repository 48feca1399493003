// LookupTable: the rows of a reference table by key, with the versions each has had.
//
// A version holds from one time on (`valid_from`, event time) up to the next version's. It is also known from
// one place of a log on (the offset of the message that brought it) up to the message that replaced or
// removed it. A record sees what was known at its own offset, as of its own time: what it finds depends on
// the log alone, not on how the log was cut into turns. Tables without versions have one, valid from the
// beginning of time; tables read from files are known from offset 0 on.
//
// A row is its columns' values one after another (base/value_codec.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rivulet {

// Any number of threads may call Find at a time, while none changes the table.
class LookupTable {
 public:
  // Of tables without versions.
  static constexpr int64_t kAlways = std::numeric_limits<int64_t>::min();
  // A key with more versions loses the oldest.
  static constexpr size_t kMaxVersions = 1000;

  // The row of the encoded `key` (operators/key/key_codec.h) that holds at `time_us`, as known at `offset`.
  // The view is valid until the table changes.
  std::optional<std::string_view> Find(std::string_view key, uint64_t hash, int64_t time_us,
                                       uint64_t offset) const;

  // Takes a row in; one that is valid from the same time is replaced, and then false is returned. Offsets
  // must not fall from call to call, up to the next Settle.
  bool Put(std::string_view key, uint64_t hash, int64_t valid_from_us, uint64_t offset, std::string row);
  // The key with all its versions goes.
  void Remove(std::string_view key, uint64_t hash, uint64_t offset);
  bool Has(std::string_view key, uint64_t hash) const;

  // Nothing before `end` will be looked up any more: drops what was replaced before it, and takes back what
  // came at `end` or behind it. Keys that were touched since the last call are appended to `*changed`.
  void Settle(uint64_t end, std::vector<std::string>* changed);
  // Drops versions that were followed by another at `horizon_us` or before; call it settled. The keys
  // concerned are appended to `*changed`.
  void Forget(int64_t horizon_us, std::vector<std::string>* changed);

  // Visits the versions of a key in order of time; call it settled. Nothing when there is no such key.
  template <typename Visit>  // (int64_t valid_from_us, std::string_view row)
  void ForEachVersion(std::string_view key, uint64_t hash, const Visit& visit) const {
    const Entry* entry = FindEntry(key, hash);
    if (entry == nullptr) return;
    for (const Version& v : entry->versions) visit(v.valid_from, std::string_view(v.row));
  }

  size_t keys() const { return keys_; }
  // Versions of all keys, those included that are yet to be dropped.
  size_t versions() const { return versions_; }
  size_t MemoryBytes() const;

 private:
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

  struct Version {
    int64_t valid_from;
    uint64_t since, gone;  // known at offsets from `since` to before `gone`
    std::string row;
  };
  struct Entry {
    uint64_t hash = 0;
    std::string key;
    std::vector<Version> versions;  // by valid_from, then by since
    bool counted = false;           // among keys_
    bool touched = false;           // in touched_
    bool used = false;
  };

  const Entry* FindEntry(std::string_view key, uint64_t hash) const;
  Entry* FindOrAdd(std::string_view key, uint64_t hash);
  void Touch(Entry* entry);
  void Count(Entry* entry);
  void Drop(Entry* entry, size_t first, size_t count);
  void Erase(Entry* entry);
  void Grow();
  size_t Home(uint64_t hash) const { return hash & (index_.size() - 1); }

  std::vector<Entry> entries_;
  std::vector<uint32_t> free_;      // unused entries
  std::vector<uint32_t> index_;     // open addressing over entries_; its size is a power of two
  std::vector<uint32_t> touched_;   // entries changed since Settle
  size_t used_ = 0;                 // entries in use
  size_t keys_ = 0;                 // of them, those that the latest offset sees
  size_t versions_ = 0;
  size_t text_bytes_ = 0;           // of keys and rows
  // No version is followed by another at or before this.
  int64_t oldest_successor_ = std::numeric_limits<int64_t>::max();
};

}  // namespace rivulet
