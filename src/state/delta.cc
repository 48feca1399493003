#include "state/delta.h"

#include <cstdint>

#include "base/coding.h"

// One operation: kind (1 byte), key as length-prefixed bytes, and for put and delete-range a second
// length-prefixed string (the value, or the end of the range).

namespace rivulet {
namespace {

bool IsKey(std::string_view key) {
  return !key.empty() && key.size() <= kMaxStoreKey && key != kReservedStoreKey;
}

void PutKind(std::string* out, DeltaReader::Kind kind) {
  out->push_back(static_cast<char>(kind));
}

Status Damaged(size_t bytes_left, const std::string& what) {
  return Status(ErrorCode::kCorrupt, "delta is damaged " + std::to_string(bytes_left) +
                                         " bytes before its end: " + what +
                                         "; nothing of it was applied");
}

}  // namespace

void Delta::Put(std::string_view key, std::string_view value) {
  PutKind(&bytes_, DeltaReader::Kind::kPut);
  PutBytes(&bytes_, key);
  PutBytes(&bytes_, value);
  ++operations_;
}

void Delta::Delete(std::string_view key) {
  PutKind(&bytes_, DeltaReader::Kind::kDelete);
  PutBytes(&bytes_, key);
  ++operations_;
}

void Delta::DeleteRange(std::string_view from, std::string_view to) {
  PutKind(&bytes_, DeltaReader::Kind::kDeleteRange);
  PutBytes(&bytes_, from);
  PutBytes(&bytes_, to);
  ++operations_;
}

bool DeltaReader::Next(Operation* operation) {
  if (rest_.empty() || !status_.ok()) return false;
  const size_t left = rest_.size();
  const auto kind = static_cast<uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  if (kind < static_cast<uint8_t>(Kind::kPut) || kind > static_cast<uint8_t>(Kind::kDeleteRange)) {
    status_ = Damaged(left, "operation " + std::to_string(kind) + ", expected 1, 2 or 3");
    return false;
  }
  operation->kind = static_cast<Kind>(kind);
  operation->value = {};
  if (!GetBytes(&rest_, &operation->key)) {
    status_ = Damaged(left, "the key is cut short");
    return false;
  }
  if (!IsKey(operation->key)) {
    status_ = Damaged(left, "a key of " + std::to_string(operation->key.size()) +
                                " bytes, expected 1 to " + std::to_string(kMaxStoreKey) +
                                " and not the reserved key");
    return false;
  }
  if (operation->kind == Kind::kDelete) return true;
  if (!GetBytes(&rest_, &operation->value)) {
    status_ = Damaged(left, "the value is cut short");
    return false;
  }
  if (operation->kind == Kind::kDeleteRange && !IsKey(operation->value)) {
    status_ = Damaged(left, "the end of a range is not a key");
    return false;
  }
  return true;
}

Status CheckDelta(const Delta& delta) {
  DeltaReader reader(delta.bytes());
  DeltaReader::Operation operation;
  while (reader.Next(&operation)) {
  }
  return reader.status();
}

}  // namespace rivulet
