// Taking apart what the kernel says in text: lines, words, numbers, mounts. Garbage gives less, never
// harm.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rivulet {

// Without line breaks.
std::vector<std::string_view> LinesOf(std::string_view text);
// Separated by blanks and tabs.
std::vector<std::string_view> WordsOf(std::string_view line);
// Without white space at its ends.
std::string_view Trimmed(std::string_view text);
// The whole word, in base 10 or 16 (then with or without 0x); nothing when it is no such number.
std::optional<uint64_t> NumberOf(std::string_view word, int base = 10);
// Likewise the number at the beginning of a text, as in "1234 kB".
std::optional<int64_t> LeadingNumberOf(std::string_view text);

// A line of /proc/self/mounts.
struct Mount {
  std::string device, point, kind;
  std::vector<std::string> options;
  bool Has(std::string_view option) const;
  // What follows "NAME=" among the options; empty when it is not there.
  std::string ValueOf(std::string_view name) const;
};
std::vector<Mount> ParseMounts(std::string_view text);

// The mount that `path` (absolute, without "..") lies on; null only when there is none at all.
const Mount* MountOf(const std::vector<Mount>& mounts, const std::string& path);

// Whether `path` is `folder` or lies below it.
bool IsBelow(const std::string& path, const std::string& folder);
// The folder of an absolute path; "/" of "/".
std::string FolderOf(const std::string& path);

}  // namespace rivulet
