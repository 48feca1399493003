// Helpers of the expression tests: one-line evaluation with readable results.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/record_batch.h"
#include "operators/expr/program.h"

namespace rivulet::expr {

using Row = std::vector<std::pair<std::string, Value>>;

// "int 3", "float 1.5", "string abc", "bool true", "null".
std::string Show(const Value& value);

// The value of `text` over one record, as Show does; "error: why" for a row error, and
// "E2001 at 4: why" when it does not compile. Names that the row lacks are null.
std::string Eval(std::string_view text, const Row& row = {});

// "E2001 at 4" for a text that does not compile over the closed scope of `fields`, with the
// message in *message; "ok" otherwise.
std::string CompileError(std::string_view text, const std::vector<Field>& fields = {},
                         std::string* message = nullptr);

// The canonical text over an open scope, or the diagnostic as above.
std::string Canonical(std::string_view text);

}  // namespace rivulet::expr
