#include "transport/topic_filter.h"

#include <algorithm>
#include <cstddef>

namespace rivulet {
namespace {

std::vector<std::string_view> LevelsOf(std::string_view filter) {
  std::vector<std::string_view> levels;
  for (;;) {
    const size_t slash = filter.find('/');
    levels.push_back(filter.substr(0, slash));
    if (slash == std::string_view::npos) return levels;
    filter.remove_prefix(slash + 1);
  }
}

bool IsWild(std::string_view level) { return level == "+" || level == "#"; }

// Wildcards at the first level do not match topics that begin with '$'.
bool Apart(std::string_view a, std::string_view b) {
  return (a.starts_with('$') && IsWild(b)) || (b.starts_with('$') && IsWild(a));
}

}  // namespace

bool FilterCovers(std::string_view wide, std::string_view narrow) {
  const std::vector<std::string_view> w = LevelsOf(wide), n = LevelsOf(narrow);
  if (Apart(w[0], n[0])) return false;
  for (size_t i = 0;; ++i) {
    // "a/#" matches "a" too.
    if (i < w.size() && w[i] == "#") return true;
    if (i == w.size() || i == n.size()) return i == w.size() && i == n.size();
    if (n[i] == "#") return false;
    if (w[i] != "+" && w[i] != n[i]) return false;
  }
}

bool FiltersOverlap(std::string_view a, std::string_view b) {
  const std::vector<std::string_view> x = LevelsOf(a), y = LevelsOf(b);
  if (Apart(x[0], y[0])) return false;
  for (size_t i = 0;; ++i) {
    // "/#" matches what "/" is behind as well, but no topic is empty.
    const bool ends = i == x.size() || i == y.size();
    if (i == 1 && ends && (x[0].empty() || y[0].empty())) return x.size() == y.size();
    if ((i < x.size() && x[i] == "#") || (i < y.size() && y[i] == "#")) return true;
    if (i == x.size() || i == y.size()) return i == x.size() && i == y.size();
    if (x[i] != y[i] && x[i] != "+" && y[i] != "+") return false;
  }
}

std::string JoinFilters(std::string_view a, std::string_view b) {
  const std::vector<std::string_view> x = LevelsOf(a), y = LevelsOf(b);
  std::string join;
  for (size_t i = 0; i < x.size() || i < y.size(); ++i) {
    if (i > 0) join += '/';
    const bool both = i < x.size() && i < y.size();
    // One is longer than the other, which then ends in '#': that "a/#" matches "a" is no trouble.
    if (!both || x[i] == "#" || y[i] == "#") {
      join += '#';
      break;
    }
    join += x[i] == y[i] ? x[i] : std::string_view("+");
  }
  return join;
}

std::vector<std::string> DisjointFilters(std::vector<std::string> filters) {
  std::sort(filters.begin(), filters.end());
  filters.erase(std::unique(filters.begin(), filters.end()), filters.end());
  for (size_t i = 0; i < filters.size();) {
    const auto other = std::find_if(filters.begin() + static_cast<std::ptrdiff_t>(i) + 1, filters.end(),
                                    [&](const std::string& f) { return FiltersOverlap(filters[i], f); });
    if (other == filters.end()) {
      ++i;
      continue;
    }
    filters[i] = FilterCovers(filters[i], *other)   ? filters[i]
                 : FilterCovers(*other, filters[i]) ? *other
                                                    : JoinFilters(filters[i], *other);
    filters.erase(other);
    // What it has become may overlap with what was passed already.
    i = 0;
  }
  std::sort(filters.begin(), filters.end());
  return filters;
}

}  // namespace rivulet
