// A quick look at a part of a tree and at the batch: can any row fail?
#pragma once

#include "operators/expr/ast.h"

namespace rivulet::expr {

// True when evaluating `node` over any rows of `batch` can report no error, given the types that
// its columns hold, and costs little a row. False when that is not obvious: functions and case are
// not looked into. Time proportional to the size of the part.
bool NeverFails(const Node& node, const RecordBatch& batch);

}  // namespace rivulet::expr
