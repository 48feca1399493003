// TopicTable: each distinct topic of a journal once, with a small dense number.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace rivulet {

// Thread-safe. Names never move or go away while the table lives. Looked into once per topic and
// segment, not per message.
class TopicTable {
 public:
  struct Entry {
    uint32_t id = 0;
    std::string_view name;  // owned by the table
  };

  Entry Intern(std::string_view name) {
    std::lock_guard lock(mutex_);
    const auto found = ids_.find(name);
    if (found != ids_.end()) return {found->second, found->first};
    const auto id = static_cast<uint32_t>(names_.size());
    const std::string_view owned = names_.emplace_back(name);
    ids_.emplace(owned, id);
    return {id, owned};
  }

 private:
  std::mutex mutex_;
  std::deque<std::string> names_;
  std::unordered_map<std::string_view, uint32_t> ids_;
};

}  // namespace rivulet
