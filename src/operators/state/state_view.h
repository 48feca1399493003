// What a stateful operator sees of durable state: an ordered byte map to read, and a place to put
// changes for the next commit. The node binds both to a store; operators know no store.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace rivulet {

// The rows of the last finished commit. Safe to use from the operator's thread while a commit runs.
class StateView {
 public:
  virtual ~StateView() = default;
  // False when there is no such row.
  virtual Result<bool> Get(std::string_view key, std::string* value) const = 0;
  // Rows in [from, to) in key order until `visit` returns false. `visit` must not use the view.
  using Visitor = std::function<bool(std::string_view key, std::string_view value)>;
  virtual Status Scan(std::string_view from, std::string_view to, const Visitor& visit) const = 0;
};

// Collects what the next commit changes.
class StateChanges {
 public:
  virtual ~StateChanges() = default;
  virtual void Put(std::string_view key, std::string_view value) = 0;
  virtual void Delete(std::string_view key) = 0;
  // Every row in [from, to).
  virtual void DeleteRange(std::string_view from, std::string_view to) = 0;
};

// The smallest string greater than every string that starts with `prefix`; empty when there is none.
inline std::string AfterPrefix(std::string prefix) {
  while (!prefix.empty()) {
    if (static_cast<unsigned char>(prefix.back()) != 0xff) {
      ++prefix.back();
      return prefix;
    }
    prefix.pop_back();
  }
  return prefix;
}

}  // namespace rivulet
