#include "operators/aggregate/frequent_values.h"

#include <algorithm>
#include <utility>

#include "base/coding.h"
#include "base/value_codec.h"
#include "operators/aggregate/compare.h"
#include "operators/aggregate/distinct_counter.h"

namespace rivulet {
namespace {

constexpr uint64_t kMostCounted = uint64_t{1} << 56;

}  // namespace

void FrequentValues::Add(const Value& v) {
  if (v.is_null() || IsNan(v)) return;
  const Value canonical = Canonical(v);
  Count(canonical, HashValue(canonical), 1);
  if (entries_.size() > bounds::kMostCounters) Reduce();
}

void FrequentValues::Count(const Value& canonical, uint64_t hash, uint64_t count) {
  if (entries_.size() * 2 >= index_.size()) Index(entries_.size());
  const size_t mask = index_.size() - 1;
  size_t place = hash & mask;
  for (; index_[place] != 0; place = (place + 1) & mask) {
    Entry& entry = entries_[index_[place] - 1u];
    if (entry.hash != hash || CompareValues(entry.value.Get(), canonical) != 0) continue;
    entry.count += count;
    return;
  }
  if (entries_.empty()) entries_.reserve(8);
  entries_.push_back({hash, count, KeptValue(canonical)});
  index_[place] = static_cast<uint16_t>(entries_.size());
}

// Room for twice as many as `entries`.
void FrequentValues::Index(size_t entries) {
  size_t size = 16;
  while (size < entries * 4) size *= 2;
  index_.assign(size, 0);
  for (size_t i = 0; i < entries_.size(); ++i) {
    size_t place = entries_[i].hash & (size - 1);
    while (index_[place] != 0) place = (place + 1) & (size - 1);
    index_[place] = static_cast<uint16_t>(i + 1);
  }
}

void FrequentValues::Reduce() {
  std::vector<uint64_t> counts;
  counts.reserve(entries_.size());
  for (const Entry& e : entries_) counts.push_back(e.count);
  const auto limit = counts.begin() + bounds::kKeptCounters;
  std::nth_element(counts.begin(), limit, counts.end(), std::greater<>());
  const uint64_t taken = *limit;
  error_ += taken;
  std::erase_if(entries_, [taken](const Entry& e) { return e.count <= taken; });
  for (Entry& e : entries_) e.count -= taken;
  Index(entries_.size());
}

void FrequentValues::Merge(const FrequentValues& other) {
  // All counters side by side first, then at most one reduction: the bound of the paper.
  const size_t most = entries_.size() + other.entries_.size();
  if (entries_.capacity() < most) entries_.reserve(most);
  if (index_.size() < most * 2) Index(most);
  for (const Entry& e : other.entries_) Count(e.value.Get(), e.hash, e.count);
  error_ += other.error_;
  if (entries_.size() > bounds::kMostCounters) Reduce();
}

std::vector<const FrequentValues::Entry*> FrequentValues::Top(size_t k) const {
  std::vector<const Entry*> top;
  top.reserve(entries_.size());
  for (const Entry& e : entries_) top.push_back(&e);
  const auto before = [](const Entry* a, const Entry* b) {
    if (a->count != b->count) return a->count > b->count;
    return CompareValues(a->value.Get(), b->value.Get()) < 0;
  };
  k = std::min(k, top.size());
  std::partial_sort(top.begin(), top.begin() + static_cast<std::ptrdiff_t>(k), top.end(), before);
  top.resize(k);
  return top;
}

void FrequentValues::Encode(std::string* out) const {
  PutVarint(out, error_);
  PutVarint(out, entries_.size());
  std::vector<const Entry*> sorted;
  sorted.reserve(entries_.size());
  for (const Entry& e : entries_) sorted.push_back(&e);
  std::sort(sorted.begin(), sorted.end(), [](const Entry* a, const Entry* b) {
    return CompareValues(a->value.Get(), b->value.Get()) < 0;
  });
  for (const Entry* e : sorted) {
    PutValue(out, e->value.Get(), IntForm::kVarint);
    PutVarint(out, e->count);
  }
}

bool FrequentValues::Decode(std::string_view* in) {
  *this = FrequentValues();
  uint64_t size = 0;
  if (!GetVarint(in, &error_) || error_ > kMostCounted) return false;
  if (!GetVarint(in, &size) || size > bounds::kMostCounters) return false;
  Value before = Value::Null();
  for (uint64_t i = 0; i < size; ++i) {
    Value value;
    uint64_t count = 0;
    if (!GetValue(in, &value, IntForm::kVarint) || !GetVarint(in, &count)) return false;
    if (value.is_null() || IsNan(value) || count == 0 || count > kMostCounted) return false;
    if (value.type == Type::kString && value.s.size() > bounds::kLongestText) return false;
    if (Canonical(value).type != value.type || CompareValues(before, value) >= 0) return false;
    Count(value, HashValue(value), count);
    before = value;  // a view into the input
  }
  return true;
}

size_t FrequentValues::HeapBytes() const {
  size_t bytes = entries_.capacity() * sizeof(Entry) + index_.capacity() * sizeof(uint16_t);
  for (const Entry& e : entries_) bytes += e.value.HeapBytes();
  return bytes;
}

}  // namespace rivulet
