// What a call works out once of arguments that stay the same from record to record: a compiled
// pattern, a time zone, a polygon. Constants are prepared, and so checked, when the expression is
// compiled; what is found in records is prepared as it comes and kept for the next ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/value.h"

namespace rivulet::expr {

struct CallContext;
struct FunctionDef;
struct Node;
struct Diagnostic;

// Immutable once made: many threads use one.
class Prepared {
 public:
  virtual ~Prepared() = default;
};

// The arguments to prepare from, and the fault found in them.
class Preparation {
 public:
  // `arguments` by position. A null pointer: not known before the call runs, or not prepared from.
  explicit Preparation(std::span<const Value* const> arguments) : arguments_(arguments) {}

  size_t count() const { return arguments_.size(); }
  bool known(size_t i) const { return i < arguments_.size() && arguments_[i] != nullptr; }
  // True when argument `i` must be waited for: it is given, but not known yet.
  bool pending(size_t i) const { return i < arguments_.size() && arguments_[i] == nullptr; }
  const Value& argument(size_t i) const { return *arguments_[i]; }

  // Argument `i` cannot be used, and why. Returns null, for the caller to return.
  std::unique_ptr<const Prepared> Fail(size_t i, std::string why) {
    failed_ = true;
    fault_ = i;
    error_ = std::move(why);
    return nullptr;
  }
  bool failed() const { return failed_; }
  size_t fault() const { return fault_; }
  std::string& error() { return error_; }

 private:
  std::span<const Value* const> arguments_;
  bool failed_ = false;
  size_t fault_ = 0;
  std::string error_;
};

// Checks what is known, and makes the prepared form when all that is needed for it is. Known
// arguments have accepted types and are not null. Null without Fail: something is not known yet.
using PrepareFunction = std::unique_ptr<const Prepared> (*)(Preparation* preparation);

// The bit of argument `i` in FunctionDef::prepared_from.
constexpr uint32_t PreparedFrom(std::initializer_list<int> positions) {
  uint32_t mask = 0;
  for (const int i : positions) mask |= uint32_t{1} << i;
  return mask;
}

// True when a call of `count` arguments has any that is prepared from.
bool NeedsPreparation(const FunctionDef& function, size_t count);

// Prepares all calls of the tree whose arguments are literals. False with `*diagnostic` filled
// (kBadArgument, at the argument) when one cannot be used.
bool PrepareCalls(Node* root, Diagnostic* diagnostic);

// The prepared forms of arguments that come with records: the last few of them. One thread.
class PreparedCache {
 public:
  // Null with `context->Fail` called when an argument cannot be used. Valid until the next call.
  const Prepared* Get(const FunctionDef& function, std::span<const Value> arguments,
                      CallContext* context);

 private:
  struct Entry {
    const FunctionDef* function = nullptr;
    std::string key;
    std::unique_ptr<const Prepared> prepared;
  };
  void MakeKey(const FunctionDef& function, std::span<const Value> arguments);

  std::vector<Entry> entries_;
  size_t next_ = 0;  // to be replaced
  std::string key_;
};

}  // namespace rivulet::expr
