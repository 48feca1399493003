// EntryPool: memory for what keyed steps remember: entries with a stable address and small blocks of bytes
// that grow. What is given back is used again, so that a table whose size holds steady allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace rivulet {

// One thread.
class BlockPool {
 public:
  // A block of at least `bytes` bytes; `*capacity` is what it holds.
  char* Allocate(size_t bytes, uint32_t* capacity);
  // `capacity` as Allocate gave it.
  void Free(char* block, uint32_t capacity);
  size_t MemoryBytes() const { return chunk_bytes_; }

 private:
  // Sizes of blocks: multiples of 16 up to 256, then powers of two.
  static constexpr size_t kSmall = 16, kSteps = 16, kClasses = 48;
  static size_t ClassOf(size_t bytes);
  static size_t BytesOf(size_t size_class);

  std::vector<std::unique_ptr<char[]>> chunks_;
  size_t chunk_bytes_ = 0;
  size_t next_chunk_ = 1024;       // bytes
  char* free_ = nullptr;           // of the chunk being cut up
  size_t left_ = 0;
  char* lists_[kClasses] = {};     // blocks given back; each holds the address of the next
};

// What is remembered under one key. The bytes are the table's; read them through it.
struct KeyedEntry {
  enum Flag : uint8_t {
    kDirty = 1,   // differs from the stored row, or has none
    kRecent = 2,  // used since the last eviction
    kTimed = 4,   // listed under its timer
    kStored = 8,  // has rows in the store, or will with the commit under way
  };
  uint64_t hash = 0;
  int64_t touched = 0;        // time of the last use: the later of the record's time and W, us
  int64_t timer = 0;          // when to see whether it is over; may be early
  int64_t stored_timer = 0;   // of its row in the store
  char* block = nullptr;      // key, then value
  uint32_t capacity = 0;
  uint32_t value_bytes = 0;
  uint32_t dirty_index = 0;   // place in the table's list, when dirty
  uint32_t id = 0;            // its number
  uint16_t key_bytes = 0;
  uint8_t flags = 0;

  std::string_view key() const { return {block, key_bytes}; }
  // Valid until the entry is next changed.
  std::string_view value() const { return {block + key_bytes, value_bytes}; }
};

// Entries by number. One thread.
class EntryPool {
 public:
  uint32_t Add();
  // The entry's block goes back too.
  void Remove(uint32_t id);
  KeyedEntry* At(uint32_t id) const { return &chunks_[id / kChunk][id % kChunk]; }
  // Gives the entry these bytes.
  void SetKey(KeyedEntry* entry, std::string_view key);
  void SetValue(KeyedEntry* entry, std::string_view value);
  size_t MemoryBytes() const { return blocks_.MemoryBytes() + chunks_.size() * kChunk * sizeof(KeyedEntry); }

 private:
  static constexpr uint32_t kChunk = 64;
  std::vector<std::unique_ptr<KeyedEntry[]>> chunks_;
  std::vector<uint32_t> free_;
  uint32_t next_ = 0;
  BlockPool blocks_;
};

}  // namespace rivulet
