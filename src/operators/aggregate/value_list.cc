#include "operators/aggregate/value_list.h"

#include <algorithm>

#include "base/coding.h"
#include "base/value_codec.h"

namespace rivulet {

void ValueList::Add(int64_t time, const Value& v, size_t limit) {
  if (v.is_null()) return;
  if (entries_.size() == limit) {
    if (time >= entries_.back().time) return;
    entries_.pop_back();
  }
  if (entries_.empty()) entries_.reserve(std::min<size_t>(8, limit));
  const Value kept = v.type == Type::kString ? Value::String(CutText(v.s)) : v;
  const auto place = std::upper_bound(entries_.begin(), entries_.end(), time,
                                      [](int64_t t, const Entry& e) { return t < e.time; });
  entries_.insert(place, {time, KeptValue(kept)});
}

void ValueList::Merge(const ValueList& later, size_t limit) {
  for (const Entry& e : later.entries_) Add(e.time, e.value.Get(), limit);
}

void ValueList::Encode(std::string* out) const {
  PutVarint(out, entries_.size());
  int64_t before = 0;
  for (const Entry& e : entries_) {
    // Times wrap around where they are far apart; so does reading them.
    PutSignedVarint(out, static_cast<int64_t>(static_cast<uint64_t>(e.time) -
                                              static_cast<uint64_t>(before)));
    PutValue(out, e.value.Get(), IntForm::kVarint);
    before = e.time;
  }
}

bool ValueList::Decode(std::string_view* in, size_t limit) {
  entries_.clear();
  uint64_t size = 0;
  if (!GetVarint(in, &size) || size > limit) return false;
  int64_t before = 0;
  for (uint64_t i = 0; i < size; ++i) {
    int64_t step = 0;
    Value value;
    if (!GetSignedVarint(in, &step) || !GetValue(in, &value, IntForm::kVarint)) return false;
    if (value.is_null()) return false;
    if (value.type == Type::kString && value.s.size() > bounds::kLongestText) return false;
    const auto time =
        static_cast<int64_t>(static_cast<uint64_t>(before) + static_cast<uint64_t>(step));
    if (i > 0 && time < before) return false;
    entries_.push_back({time, KeptValue(value)});
    before = time;
  }
  return true;
}

size_t ValueList::HeapBytes() const {
  size_t bytes = entries_.capacity() * sizeof(Entry);
  for (const Entry& e : entries_) bytes += e.value.HeapBytes();
  return bytes;
}

}  // namespace rivulet
