// Delta: what one commit changes, as bytes. The committer applies it to the local store in one
// transaction; a standby will apply the same bytes to its own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/status.h"

namespace rivulet {

// An ordered list of put, delete and delete-range operations on an ordered byte map. Later
// operations on the same key win. Keys are 1..kMaxStoreKey bytes and not kReservedStoreKey; a delta
// with any other key is refused as damaged when it is applied.
class Delta {
 public:
  // For about so many bytes more: growing holds what there is twice.
  void Expect(size_t bytes) { bytes_.reserve(bytes_.size() + bytes); }
  void Put(std::string_view key, std::string_view value);
  void Delete(std::string_view key);
  // Deletes every key in [from, to).
  void DeleteRange(std::string_view from, std::string_view to);
  // Appends another delta's operations.
  void Append(const Delta& other) { bytes_ += other.bytes_; operations_ += other.operations_; }
  void Clear() { bytes_.clear(); operations_ = 0; }
  // It brings nothing new into the state, and room will come of it: it may take what a full store keeps back
  // for that (see HasRoomFor). Not one of the bytes.
  void UseReserve() { uses_reserve_ = true; }
  bool uses_reserve() const { return uses_reserve_; }
  bool empty() const { return bytes_.empty(); }
  size_t operations() const { return operations_; }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  size_t operations_ = 0;
  bool uses_reserve_ = false;
};

// Walks a delta's operations. Bytes may come from elsewhere: nothing is trusted.
class DeltaReader {
 public:
  enum class Kind : unsigned char { kPut = 1, kDelete = 2, kDeleteRange = 3 };
  struct Operation {
    Kind kind;
    std::string_view key;    // or `from`
    std::string_view value;  // or `to`
  };
  explicit DeltaReader(std::string_view bytes) : rest_(bytes) {}
  // True and the next operation; false at the end or, with a non-ok status(), at damaged bytes.
  bool Next(Operation* operation);
  const Status& status() const { return status_; }

 private:
  std::string_view rest_;
  Status status_;
};

// ok when every operation of the delta can be read. Errors: kCorrupt.
Status CheckDelta(const Delta& delta);

// LMDB's limit with its default build.
inline constexpr size_t kMaxStoreKey = 511;

// The lowest key there is (one zero byte) belongs to the store itself.
inline constexpr std::string_view kReservedStoreKey{"\0", 1};

}  // namespace rivulet
