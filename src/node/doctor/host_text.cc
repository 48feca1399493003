#include "node/doctor/host_text.h"

#include <algorithm>
#include <charconv>

namespace rivulet {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

// "\040" stands for a blank, likewise tab, line break and backslash.
std::string Unescaped(std::string_view word) {
  std::string text;
  for (size_t i = 0; i < word.size(); ++i) {
    unsigned code = 0;
    if (word[i] == '\\' && i + 3 < word.size()) {
      const auto [end, error] = std::from_chars(&word[i + 1], &word[i + 1] + 3, code, 8);
      if (error == std::errc() && end == &word[i + 1] + 3 && code < 256) {
        text += static_cast<char>(code);
        i += 3;
        continue;
      }
    }
    text += word[i];
  }
  return text;
}

std::vector<std::string_view> Split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  size_t at = text.find_first_not_of(separators);
  while (at != std::string_view::npos) {
    const size_t end = std::min(text.find_first_of(separators, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(separators, end);
  }
  return parts;
}

}  // namespace

std::vector<std::string_view> LinesOf(std::string_view text) { return Split(text, "\r\n"); }

std::vector<std::string_view> WordsOf(std::string_view line) { return Split(line, kBlank); }

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::optional<uint64_t> NumberOf(std::string_view word, int base) {
  if (base == 16 && word.starts_with("0x")) word.remove_prefix(2);
  uint64_t n = 0;
  const char* last = word.data() + word.size();
  const auto [end, error] = std::from_chars(word.data(), last, n, base);
  if (word.empty() || error != std::errc() || end != last) return std::nullopt;
  return n;
}

std::optional<int64_t> LeadingNumberOf(std::string_view text) {
  text = Trimmed(text);
  int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || error != std::errc()) return std::nullopt;
  return n;
}

bool Mount::Has(std::string_view option) const {
  return std::find(options.begin(), options.end(), option) != options.end();
}

std::string Mount::ValueOf(std::string_view name) const {
  for (const std::string& option : options) {
    if (option.size() > name.size() && option.starts_with(name) && option[name.size()] == '=') {
      return option.substr(name.size() + 1);
    }
  }
  return {};
}

std::vector<Mount> ParseMounts(std::string_view text) {
  std::vector<Mount> mounts;
  for (const std::string_view line : LinesOf(text)) {
    const auto words = WordsOf(line);
    if (words.size() < 4) continue;
    Mount mount{Unescaped(words[0]), Unescaped(words[1]), std::string(words[2]), {}};
    for (const std::string_view option : Split(words[3], ",")) {
      mount.options.push_back(Unescaped(option));
    }
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

const Mount* MountOf(const std::vector<Mount>& mounts, const std::string& path) {
  const Mount* best = nullptr;
  for (const Mount& mount : mounts) {
    // Of several on one point the last covers the others.
    if (IsBelow(path, mount.point) &&
        (best == nullptr || mount.point.size() >= best->point.size())) {
      best = &mount;
    }
  }
  return best;
}

bool IsBelow(const std::string& path, const std::string& folder) {
  if (folder == "/") return path.starts_with('/');
  return !folder.empty() && path.starts_with(folder) &&
         (path.size() == folder.size() || path[folder.size()] == '/');
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

}  // namespace rivulet
