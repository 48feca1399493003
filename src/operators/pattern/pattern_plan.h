// PatternPlan: a sequence that is looked for in the records of each key, compiled. Immutable; shared by all
// workers.
//
// A record of a key stands for what the pattern needs to know of it: which elements' conditions it meets, and
// some values. What a run has taken so far is held by accumulators, one set for each element: the block of
// a run is those of all elements, one behind the other.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "operators/aggregate/aggregate_plan.h"
#include "operators/expr/program.h"

namespace rivulet {

// Conditions met are a bit an element.
inline constexpr size_t kMaxPatternElements = 32;
// Ways to match that are open for one key at a time, and records of one key that wait for W.
inline constexpr size_t kMaxPatternRuns = 1000;
inline constexpr size_t kMaxPatternWaiting = 100'000;
inline constexpr uint32_t kMaxPatternTimes = 1'000'000;
inline constexpr uint32_t kUnlimited = std::numeric_limits<uint32_t>::max();

// What an element's accumulators say, by place.
struct PatternCapture {
  uint32_t element;
  uint32_t output;  // of its captures
};

// A condition that looks at what the run has taken before; all others are computed as records arrive.
struct LinkedCondition {
  struct Input {
    uint32_t column;                        // that the program reads
    int32_t value;                          // of the record; -1: the capture
    PatternCapture capture{};
  };
  expr::Program program;
  std::vector<Input> inputs;
};

struct PatternElement {
  std::string name;              // of a negation "not"
  std::string text;              // of its condition, canonical; empty: any record
  int32_t condition = -1;        // KeyedRecords argument that holds it; -1: none of its own
  std::optional<LinkedCondition> linked;
  // How many records.
  uint32_t least = 1, most = 1;
  bool optional = false;         // or none at all
  bool reluctant = false;        // as few as will do
  bool next = false;             // each directly behind the record taken before it
  int64_t within_us = 0;         // each at most so long behind what was before it
  bool negated = false;          // no record ...
  int64_t hold_us = 0;           // ... for so long; 0: ... up to the next one taken
  AggregatePlan captures;
  std::vector<uint32_t> capture_values;  // by argument of captures: which value of the record
  size_t offset = 0;             // of its accumulators in a run's block
};

struct PatternPlan {
  std::vector<PatternElement> elements;
  int64_t within_us = 0;         // the whole
  bool to_next = false;          // skip: to_next
  bool timeouts = false;
  // KeyedRecords arguments [first_value, first_value + accepts.size()) are the values of a record, each of
  // one of these types.
  size_t first_value = 0;
  std::vector<TypeMask> accepts;
  std::vector<PatternCapture> results;  // what results have, behind `timed_out` if `timeouts`
  size_t block_bytes = 0;
  bool has_heap = false;
  bool all_matter = false;       // also records that meet no condition

  // Once all elements and captures are known.
  void Finish();
  // While it stays the same, what is stored of runs can be read.
  std::string Signature() const;

  // --- over blocks of block_bytes bytes, 8-byte aligned ---
  void Init(char* block) const;
  void Destroy(char* block) const;
  void Copy(char* into, const char* from) const;  // `into` is initialised here
  void Encode(const char* block, std::string* out) const;
  // False leaves nothing to destroy.
  bool Decode(std::string_view* in, char* block) const;
  size_t HeapBytes(const char* block) const;
};

}  // namespace rivulet
