#include "operators/keyed/entry_pool.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace rivulet {
namespace {

constexpr size_t kLargestChunk = 64 << 10;

}  // namespace

size_t BlockPool::ClassOf(size_t bytes) {
  if (bytes <= kSmall * kSteps) return bytes == 0 ? 0 : (bytes - 1) / kSmall;
  return kSteps + static_cast<size_t>(std::bit_width(bytes - 1)) - 9;
}

size_t BlockPool::BytesOf(size_t size_class) {
  if (size_class < kSteps) return (size_class + 1) * kSmall;
  return size_t{512} << (size_class - kSteps);
}

char* BlockPool::Allocate(size_t bytes, uint32_t* capacity) {
  const size_t size_class = ClassOf(bytes);
  const size_t size = BytesOf(size_class);
  *capacity = static_cast<uint32_t>(size);
  if (char* block = lists_[size_class]; block != nullptr) {
    std::memcpy(&lists_[size_class], block, sizeof(char*));
    return block;
  }
  if (size > left_) {
    // What is left of the old chunk is lost; at most one block's worth.
    const size_t chunk = std::max(next_chunk_, size);
    next_chunk_ = std::min(next_chunk_ * 2, kLargestChunk);
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(chunk));
    chunk_bytes_ += chunk;
    free_ = chunks_.back().get();
    left_ = chunk;
  }
  char* block = free_;
  free_ += size;
  left_ -= size;
  return block;
}

void BlockPool::Free(char* block, uint32_t capacity) {
  char*& list = lists_[ClassOf(capacity)];
  std::memcpy(block, &list, sizeof(char*));
  list = block;
}

uint32_t EntryPool::Add() {
  if (!free_.empty()) {
    const uint32_t id = free_.back();
    free_.pop_back();
    At(id)->id = id;
    return id;
  }
  if (next_ == chunks_.size() * kChunk) chunks_.push_back(std::make_unique<KeyedEntry[]>(kChunk));
  At(next_)->id = next_;
  return next_++;
}

void EntryPool::Remove(uint32_t id) {
  KeyedEntry* entry = At(id);
  if (entry->block != nullptr) blocks_.Free(entry->block, entry->capacity);
  *entry = KeyedEntry();
  free_.push_back(id);
}

void EntryPool::SetKey(KeyedEntry* entry, std::string_view key) {
  entry->block = blocks_.Allocate(key.size(), &entry->capacity);
  std::memcpy(entry->block, key.data(), key.size());
  entry->key_bytes = static_cast<uint16_t>(key.size());
}

void EntryPool::SetValue(KeyedEntry* entry, std::string_view value) {
  const size_t bytes = entry->key_bytes + value.size();
  if (bytes > entry->capacity) {
    char* old = entry->block;
    const uint32_t old_capacity = entry->capacity;
    entry->block = blocks_.Allocate(bytes, &entry->capacity);
    std::memcpy(entry->block, old, entry->key_bytes);
    blocks_.Free(old, old_capacity);
  }
  if (!value.empty()) std::memcpy(entry->block + entry->key_bytes, value.data(), value.size());
  entry->value_bytes = static_cast<uint32_t>(value.size());
}

}  // namespace rivulet
