// UnquotedName: a field such as `temp-C` whose back quotes an expression lacks, so that it reads as a
// difference, mostly of two fields that nothing has. What the payloads are like is not known when a pipeline
// is planned; so its sources look out for such fields, and the records that have one are counted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "node/config/config_error.h"

namespace rivulet {

struct UnquotedName {
  std::string name;                // of the field in records: temp-C
  std::string written;             // as the expression has it: with the element of a pattern in front
  std::string difference;          // what that means: temp - C
  std::string expression;          // the line it is in
  ConfigError place;               // without a message
  std::optional<uint8_t> source;   // the only one of several whose records the expression is for
  // Of the source batch. `column` is not null where a record has the field. The difference says nothing where
  // one of `parts` is null; where none is, it may well be meant.
  uint32_t column = 0;
  std::vector<uint32_t> parts;

  // What is said once `records` of this pipeline have had the field.
  ConfigError Found(const std::string& pipeline, uint64_t records) const;
};

}  // namespace rivulet
