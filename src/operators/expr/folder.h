// Folder: computes the constant parts of a tree once.
#pragma once

#include "operators/expr/ast.h"

namespace rivulet::expr {

// Replaces every part that depends on no field by its value. A part that cannot be computed stays
// as it is: it may stand in a branch that no record takes.
void FoldConstants(NodePtr* root);

}  // namespace rivulet::expr
