// Kernels of function calls and of ||.
#pragma once

#include <span>

#include "operators/expr/eval_context.h"

namespace rivulet::expr {

// Calls `function` for each selected row. An argument of a type the function does not take is a
// row error, as is what the function itself refuses. `prepared`: see Node::prepared.
void EvaluateCall(const FunctionDef& function, const Prepared* prepared,
                  std::span<const View> arguments, Selection selection,
                  EvalContext::Impl* context, Column* out);

// Joins the text of all operands; null when one is null.
void EvaluateConcat(std::span<const View> operands, Selection selection,
                    EvalContext::Impl* context, Column* out);

}  // namespace rivulet::expr
