// An ordered byte map to which deltas are applied: the body of every store that is not LMDB.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "state/delta.h"
#include "state/store.h"

namespace rivulet {

// Not thread-safe.
class OrderedBytes {
 public:
  // The delta must have passed CheckDelta.
  void Apply(const Delta& delta);
  bool Get(std::string_view key, std::string* value) const;
  void Scan(std::string_view from, std::string_view to, const Store::Visitor& visit) const;
  // Sum of the sizes of all keys and values.
  uint64_t bytes() const { return bytes_; }
  uint64_t entries() const { return map_.size(); }

 private:
  using Map = std::map<std::string, std::string, std::less<>>;
  Map::iterator Erase(Map::iterator it);

  Map map_;
  uint64_t bytes_ = 0;
};

}  // namespace rivulet
