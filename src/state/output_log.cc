#include "state/output_log.h"

#include <algorithm>

#include "base/coding.h"

namespace rivulet {
namespace {

// No JSON value begins with it.
constexpr char kPlace = '\x01';

// The end of a window is near its start, and W near its end: their distances take few bytes. They wrap
// around, so that they exist for every pair of times.
void PutDistance(int64_t from, int64_t to, std::string* out) {
  PutSignedVarint(out, static_cast<int64_t>(static_cast<uint64_t>(to) - static_cast<uint64_t>(from)));
}

bool GetDistance(std::string_view* in, int64_t from, int64_t* to) {
  int64_t distance = 0;
  if (!GetSignedVarint(in, &distance)) return false;
  *to = static_cast<int64_t>(static_cast<uint64_t>(from) + static_cast<uint64_t>(distance));
  return true;
}

void PutPlace(const OutputPlace& place, int64_t start_us, std::string* out) {
  out->push_back(kPlace);
  PutDistance(start_us, place.time_us, out);
  PutDistance(place.time_us, place.watermark_us, out);
}

// Without one `*place` says so.
bool GetPlace(std::string_view* in, int64_t start_us, OutputPlace* place) {
  *place = OutputPlace();
  if (in->empty() || in->front() != kPlace) return true;
  in->remove_prefix(1);
  return GetDistance(in, start_us, &place->time_us) &&
         GetDistance(in, place->time_us, &place->watermark_us);
}

}  // namespace

OutputLog::OutputLog(std::string prefix, const Store* store, size_t memory_limit, uint64_t next)
    : prefix_(std::move(prefix)),
      store_(store),
      memory_limit_(memory_limit),
      next_(next),
      collected_(next),
      readable_(next) {}

Result<uint64_t> OutputLog::Begin() const {
  uint64_t begin = next_;
  if (store_ == nullptr) return blocks_.empty() ? begin : blocks_.front().first;
  RIVULET_RETURN_IF_ERROR(
      store_->Scan(Row(0), Row(next_), [&](std::string_view row, std::string_view) {
        row.remove_prefix(prefix_.size());
        GetOrderedU64(&row, &begin);
        return false;
      }));
  return begin;
}

// The first entries stand for all: those of a log are much alike.
Status OutputLog::Measure() {
  constexpr size_t kSample = 256;
  if (store_ == nullptr) return Status::Ok();
  uint64_t begin = next_, count = 0, bytes = 0;
  RIVULET_RETURN_IF_ERROR(
      store_->Scan(Row(0), Row(next_), [&](std::string_view row, std::string_view value) {
        bytes += row.size() + value.size();
        row.remove_prefix(prefix_.size());
        if (count++ == 0) GetOrderedU64(&row, &begin);
        return count < kSample;
      }));
  if (count == 0) return Status::Ok();
  held_ = bytes / count * (next_ - begin);
  parts_.assign(1, Part{next_, held_});
  return Status::Ok();
}

std::string OutputLog::Row(uint64_t sequence) const {
  std::string row = prefix_;
  PutOrderedU64(&row, sequence);
  return row;
}

void OutputLog::Append(uint32_t revision, int64_t start_us, std::string_view key,
                       std::string_view json, const OutputPlace* place) {
  const size_t block_bytes = BlockBytes();
  if (blocks_.empty() || blocks_.back().bytes.size() + json.size() > block_bytes) {
    blocks_.emplace_back();
    blocks_.back().first = next_;
    blocks_.back().bytes.reserve(block_bytes);
  }
  Block& block = blocks_.back();
  const size_t before = block.bytes.size();
  PutVarint(&block.bytes, revision);
  PutSignedVarint(&block.bytes, start_us);
  PutBytes(&block.bytes, key);
  if (place != nullptr) PutPlace(*place, start_us, &block.bytes);
  block.bytes.append(json);
  block.ends.push_back(static_cast<uint32_t>(block.bytes.size()));
  const size_t grown = block.bytes.size() - before + sizeof(uint32_t);
  memory_ += grown;
  uncollected_ += grown;
  ++next_;
  if (parts_.empty() || parts_.back().bytes >= kMostBlock) parts_.push_back({next_, 0});
  parts_.back().end = next_;
  parts_.back().bytes += grown;
  held_ += grown;
}

bool OutputLog::Decode(std::string_view value, uint64_t sequence, Entry* entry) {
  uint64_t revision = 0;
  if (!GetVarint(&value, &revision) || !GetSignedVarint(&value, &entry->start_us) ||
      !GetBytes(&value, &entry->key) || !GetPlace(&value, entry->start_us, &entry->place)) {
    return false;
  }
  entry->sequence = sequence;
  entry->revision = static_cast<uint32_t>(revision);
  entry->json = value;
  return true;
}

const OutputLog::Block* OutputLog::FindBlock(uint64_t sequence) const {
  if (blocks_.empty() || sequence < blocks_.front().first) return nullptr;
  const auto after = std::upper_bound(
      blocks_.begin(), blocks_.end(), sequence,
      [](uint64_t s, const Block& block) { return s < block.first; });
  return &*std::prev(after);
}

Status OutputLog::ReadStored(uint64_t from, size_t limit,
                             const std::function<void(const Entry&)>& visit) const {
  if (store_ == nullptr) {
    return Status(ErrorCode::kOffsetTrimmed, "output entry " + std::to_string(from) + " is gone");
  }
  Status damaged;
  RIVULET_RETURN_IF_ERROR(
      store_->Scan(Row(from), Row(readable_), [&](std::string_view row, std::string_view value) {
        row.remove_prefix(prefix_.size());
        uint64_t sequence = 0;
        Entry entry;
        if (!GetOrderedU64(&row, &sequence) || !Decode(value, sequence, &entry)) {
          damaged = Status(ErrorCode::kCorrupt, "an entry of the output log cannot be read");
          return false;
        }
        visit(entry);
        return --limit > 0;
      }));
  return damaged;
}

void OutputLog::CollectChanges(Delta* delta) {
  for (; collected_ < next_; ++collected_) {
    const Block* block = FindBlock(collected_);
    // An entry that every sink had before it was ever stored needs no row.
    if (collected_ >= trimmed_) delta->Put(Row(collected_), block->Value(collected_ - block->first));
  }
  committing_ += std::exchange(uncollected_, 0);
  CollectTrim(delta);
  DropStored();
}

void OutputLog::BoundMemory(size_t limit) {
  memory_limit_ = limit;
  DropStored();
}

// What is stored, or goes with the commit under way, need not stay in memory beyond the bound.
void OutputLog::DropStored() {
  while (store_ != nullptr && memory_ > memory_limit_ && blocks_.size() > 1 &&
         blocks_[1].first <= collected_) {
    memory_ -= blocks_.front().bytes.size() + blocks_.front().ends.size() * sizeof(uint32_t);
    blocks_.pop_front();
  }
}

void OutputLog::CollectTrim(Delta* delta) {
  // Of entries that are not stored yet, CollectChanges leaves out the row.
  const uint64_t stored = std::min(trimmed_, collected_);
  if (stored <= trim_collected_) return;
  delta->DeleteRange(Row(trim_collected_), Row(stored));
  trim_collected_ = stored;
}

void OutputLog::Trim(uint64_t sequence) {
  trimmed_ = std::max(trimmed_, sequence);
  while (!parts_.empty() && parts_.front().end <= trimmed_) {
    held_ -= parts_.front().bytes;
    parts_.pop_front();
  }
  while (!blocks_.empty() && blocks_.front().first + blocks_.front().ends.size() <= trimmed_) {
    memory_ -= blocks_.front().bytes.size() + blocks_.front().ends.size() * sizeof(uint32_t);
    blocks_.pop_front();
  }
}

}  // namespace rivulet
