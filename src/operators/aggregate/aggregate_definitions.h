// The aggregates: one table that says everything about each. Private to the aggregate folder.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/value.h"
#include "operators/aggregate/accumulator.h"
#include "operators/aggregate/finishers.h"

namespace rivulet {

// A constant argument, behind the values.
struct AggregateParameter {
  enum class Kind : uint8_t {
    kNumber,
    kWhole,     // an int
    kDuration,  // an int of milliseconds, as `5s` is
    kWord,      // one of `words`; its value is the place there
  };
  std::string_view name;
  Kind kind;
  double low, high;               // inclusive
  bool shapes_state;              // goes to the accumulator; otherwise to the finisher only
  std::optional<double> fallback{};  // none: it must be given
  std::span<const std::string_view> words{};
};

enum class AggregateResult : uint8_t {
  kInt,       // never null
  kFloat,
  kNumber,    // an int, or a float
  kArgument,  // a value of the first argument
  kBool,
  kAny,
  kList,      // JSON text
};

struct AggregateDefinition {
  std::string_view name;
  AccumulatorKind accumulator;
  Finisher finish;
  AggregateResult result;
  TypeMask accepts;                // types of values besides null
  std::string_view usage;          // the arguments, for messages
  uint8_t least_values = 1;
  uint8_t most_values = 1;
  std::span<const AggregateParameter> parameters{};
  std::optional<AccumulatorKind> other{};  // a second accumulator over the same values
};

// Sorted by name.
std::span<const AggregateDefinition> AggregateDefinitions();
// Null when there is none. `name` is lower case.
const AggregateDefinition* FindAggregate(std::string_view name);

}  // namespace rivulet
