// ValueList: the first values in order of event time; among equal times, in order of arrival.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "operators/aggregate/kept_value.h"

namespace rivulet {

class ValueList {
 public:
  struct Entry {
    int64_t time;
    KeptValue value;
  };

  // Nulls do not count; text is cut after bounds::kLongestText bytes.
  void Add(int64_t time, const Value& v, size_t limit);
  void Merge(const ValueList& later, size_t limit);
  const std::vector<Entry>& entries() const { return entries_; }

  void Encode(std::string* out) const;
  bool Decode(std::string_view* in, size_t limit);
  size_t HeapBytes() const;

 private:
  std::vector<Entry> entries_;
};

}  // namespace rivulet
