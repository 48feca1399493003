// PatternModel: what a pattern finds in the records of a key, by plain backtracking. For each point in time,
// and each record that could begin a match, the whole search is done anew over the records known by then.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rivulet {

struct ModelCondition {
  enum class Kind { kAny, kEqual, kAtMost, kNot, kAboveLast } kind = Kind::kAny;
  int64_t constant = 0;
  size_t element = 0;  // kAboveLast: x > the last one's of this element
};

struct ModelElement {
  bool negated = false;
  ModelCondition condition;
  int64_t least = 1, most = 1;  // most 0: no limit
  bool optional = false, next = false, reluctant = false;
  int64_t within = 0;           // ms
  int64_t hold = 0;
};

struct PatternModelSpec {
  std::vector<ModelElement> elements;
  int64_t within = 0;           // ms
  bool to_next = false, timeouts = false;
};

struct PatternModelRecord {
  int64_t time = 0;             // ms
  std::optional<int64_t> x;
  int64_t id = 0;
};

struct PatternModelMatch {
  int64_t at = 0;               // when it is put out, ms
  int64_t start = 0, end = 0;
  bool timed_out = false;
  std::vector<std::vector<size_t>> taken;  // by element
};

// Records in order of time.
std::vector<PatternModelMatch> FindMatches(const PatternModelSpec& spec,
                                           const std::vector<PatternModelRecord>& records);

}  // namespace rivulet
