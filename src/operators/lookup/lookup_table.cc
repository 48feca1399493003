#include "operators/lookup/lookup_table.h"

#include <algorithm>
#include <utility>

namespace rivulet {
namespace {

constexpr size_t kFirstIndex = 64;

}  // namespace

const LookupTable::Entry* LookupTable::FindEntry(std::string_view key, uint64_t hash) const {
  if (index_.empty()) return nullptr;
  for (size_t slot = Home(hash);; slot = (slot + 1) & (index_.size() - 1)) {
    if (index_[slot] == kNone) return nullptr;
    const Entry& entry = entries_[index_[slot]];
    if (entry.hash == hash && entry.key == key) return &entry;
  }
}

std::optional<std::string_view> LookupTable::Find(std::string_view key, uint64_t hash, int64_t time_us,
                                                  uint64_t offset) const {
  const Entry* entry = FindEntry(key, hash);
  if (entry == nullptr) return std::nullopt;
  auto after = std::upper_bound(entry->versions.begin(), entry->versions.end(), time_us,
                                [](int64_t time, const Version& v) { return time < v.valid_from; });
  while (after != entry->versions.begin()) {
    const Version& version = *--after;
    if (version.since <= offset && offset < version.gone) return version.row;
  }
  return std::nullopt;
}

bool LookupTable::Has(std::string_view key, uint64_t hash) const {
  const Entry* entry = FindEntry(key, hash);
  return entry != nullptr && entry->counted;
}

LookupTable::Entry* LookupTable::FindOrAdd(std::string_view key, uint64_t hash) {
  if (const Entry* known = FindEntry(key, hash)) return const_cast<Entry*>(known);
  if ((used_ + 1) * 4 > index_.size() * 3) Grow();
  uint32_t number = static_cast<uint32_t>(entries_.size());
  if (free_.empty()) {
    entries_.emplace_back();
  } else {
    number = free_.back();
    free_.pop_back();
  }
  size_t slot = Home(hash);
  while (index_[slot] != kNone) slot = (slot + 1) & (index_.size() - 1);
  index_[slot] = number;
  Entry& entry = entries_[number];
  entry.hash = hash;
  entry.key = key;
  entry.used = true;
  text_bytes_ += key.size();
  ++used_;
  return &entry;
}

void LookupTable::Grow() {
  const size_t size = index_.empty() ? kFirstIndex : index_.size() * 2;
  index_.assign(size, kNone);
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    if (!entries_[i].used) continue;
    size_t slot = Home(entries_[i].hash);
    while (index_[slot] != kNone) slot = (slot + 1) & (size - 1);
    index_[slot] = i;
  }
}

// Takes the entry out of the index, and moves those behind it up, so that no probe meets a hole before its
// key.
void LookupTable::Erase(Entry* entry) {
  const auto number = static_cast<uint32_t>(entry - entries_.data());
  const size_t mask = index_.size() - 1;
  size_t hole = Home(entry->hash);
  while (index_[hole] != number) hole = (hole + 1) & mask;
  for (size_t slot = (hole + 1) & mask; index_[slot] != kNone; slot = (slot + 1) & mask) {
    const size_t home = Home(entries_[index_[slot]].hash);
    if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
    index_[hole] = index_[slot];
    hole = slot;
  }
  index_[hole] = kNone;
  text_bytes_ -= entry->key.size();
  *entry = Entry();
  free_.push_back(number);
  --used_;
}

void LookupTable::Touch(Entry* entry) {
  if (entry->touched) return;
  entry->touched = true;
  touched_.push_back(static_cast<uint32_t>(entry - entries_.data()));
}

// Brings keys_ up to date with what the latest offset sees of the entry.
void LookupTable::Count(Entry* entry) {
  const bool seen = std::any_of(entry->versions.begin(), entry->versions.end(),
                                [](const Version& v) { return v.gone == kNever; });
  if (seen != entry->counted) keys_ = seen ? keys_ + 1 : keys_ - 1;
  entry->counted = seen;
}

bool LookupTable::Put(std::string_view key, uint64_t hash, int64_t valid_from_us, uint64_t offset,
                      std::string row) {
  Entry* entry = FindOrAdd(key, hash);
  Touch(entry);
  std::vector<Version>& versions = entry->versions;
  bool fresh = true;
  size_t known = 0;
  Version* oldest = nullptr;
  for (Version& v : versions) {
    if (v.gone != kNever) continue;
    if (v.valid_from == valid_from_us) {
      v.gone = offset;
      fresh = false;
      continue;
    }
    if (oldest == nullptr) oldest = &v;
    ++known;
  }
  if (known == kMaxVersions) {
    if (oldest->valid_from > valid_from_us) return fresh;  // it would be the one to go
    oldest->gone = offset;
  }
  text_bytes_ += row.size();
  ++versions_;
  auto at = std::upper_bound(versions.begin(), versions.end(), valid_from_us,
                             [](int64_t time, const Version& v) { return time < v.valid_from; });
  at = versions.insert(at, {valid_from_us, offset, kNever, std::move(row)});
  if (at + 1 != versions.end()) oldest_successor_ = std::min(oldest_successor_, (at + 1)->valid_from);
  if (at != versions.begin()) oldest_successor_ = std::min(oldest_successor_, valid_from_us);
  Count(entry);
  return fresh;
}

void LookupTable::Remove(std::string_view key, uint64_t hash, uint64_t offset) {
  const Entry* known = FindEntry(key, hash);
  if (known == nullptr || !known->counted) return;
  Entry* entry = const_cast<Entry*>(known);
  Touch(entry);
  for (Version& v : entry->versions) v.gone = std::min(v.gone, offset);
  Count(entry);
}

void LookupTable::Drop(Entry* entry, size_t first, size_t count) {
  const auto begin = entry->versions.begin() + static_cast<ptrdiff_t>(first);
  const auto end = begin + static_cast<ptrdiff_t>(count);
  for (auto v = begin; v != end; ++v) text_bytes_ -= v->row.size();
  entry->versions.erase(begin, end);
  versions_ -= count;
}

void LookupTable::Settle(uint64_t end, std::vector<std::string>* changed) {
  for (const uint32_t number : touched_) {
    Entry* entry = &entries_[number];
    entry->touched = false;
    changed->push_back(entry->key);
    for (size_t i = entry->versions.size(); i-- > 0;) {
      Version& v = entry->versions[i];
      if (v.gone >= end) v.gone = kNever;
      if (v.since >= end || v.gone != kNever) Drop(entry, i, 1);
    }
    Count(entry);
    if (entry->versions.empty()) Erase(entry);
  }
  touched_.clear();
}

void LookupTable::Forget(int64_t horizon_us, std::vector<std::string>* changed) {
  if (oldest_successor_ > horizon_us) return;
  oldest_successor_ = std::numeric_limits<int64_t>::max();
  for (Entry& entry : entries_) {
    const std::vector<Version>& versions = entry.versions;
    size_t over = 0;
    while (over + 1 < versions.size() && versions[over + 1].valid_from <= horizon_us) ++over;
    if (over > 0) {
      Drop(&entry, 0, over);
      changed->push_back(entry.key);
    }
    if (versions.size() > 1) oldest_successor_ = std::min(oldest_successor_, versions[1].valid_from);
  }
}

size_t LookupTable::MemoryBytes() const {
  return entries_.capacity() * sizeof(Entry) + index_.capacity() * sizeof(uint32_t) +
         versions_ * sizeof(Version) + text_bytes_;
}

}  // namespace rivulet
