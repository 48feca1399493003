// Regular expressions in RE2's syntax: matched in time proportional to the text, whatever the
// pattern, in bounded memory.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace rivulet::expr {

// Immutable; any number of threads may use one.
class Regex {
 public:
  // Groups that Find can give, the whole match (group 0) included.
  static constexpr size_t kMaxGroups = 17;

  // Null with *error filled when the pattern is not one or would take too much memory.
  static std::unique_ptr<const Regex> Compile(std::string_view pattern, std::string* error);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  // Groups in parentheses.
  int group_count() const;

  // The first match in `text` that begins at `from` or later: group k in groups[k], with a null
  // data() for one that took no part. At most kMaxGroups are asked for; none is the fastest.
  bool Find(std::string_view text, size_t from, std::span<std::string_view> groups) const;

 private:
  struct Impl;
  explicit Regex(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rivulet::expr
