// Checks the arguments of an aggregate call against its definition. Private to the aggregate folder.
#pragma once

#include <array>

#include "base/status.h"
#include "operators/aggregate/accumulator.h"
#include "operators/aggregate/aggregate_definitions.h"
#include "operators/expr/program.h"

namespace rivulet {

// A call's constants, sorted by what they are for.
struct AggregateArguments {
  size_t values = 0;  // so many of the call's arguments are values, the others constants
  std::array<double, 3> of_state{};
  std::array<double, 2> of_finisher{};
};

// Errors: kWrongArgumentCount, kWrongArgumentType, kBadArgument; `*offset` is then where in the call's text.
Result<AggregateArguments> CheckArguments(const AggregateDefinition& definition,
                                          const expr::AggregateCall& call, size_t* offset);

}  // namespace rivulet
