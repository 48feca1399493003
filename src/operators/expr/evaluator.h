// Evaluator: walks a checked tree once a batch; each node is one kernel over columns.
//
// What may fail or need not be looked at is evaluated only for the rows that need it: the right
// side of and/or for rows the left side leaves open, a branch of case for the rows that take it. So
// `x is not null and 10 / x > 1` never reports an error of a row it does not concern.
#pragma once

#include "operators/expr/ast.h"
#include "operators/expr/eval_context.h"

namespace rivulet::expr {

// `out` is Reset to batch.rows rows; rows that are not selected stay null. Errors stay in
// `context->errors`.
void EvaluateTree(const Node& root, const RecordBatch& batch, Selection selection,
                  EvalContext::Impl* context, Column* out);

}  // namespace rivulet::expr
