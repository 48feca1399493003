// Kernels of + - * / div % ^ and unary minus.
//
// Null with anything is null. int with int stays exact in int64; a result beyond int64 becomes a
// float, row by row. Otherwise both are taken as floats. `/` and `^` always give a float. `div` is
// floor(a / b), `%` the remainder with the sign of the divisor: a = b * (a div b) + a % b. Division
// by zero (also by 0.0, for all three) is null. A bool or string operand is a row error.
#pragma once

#include "operators/expr/ast.h"
#include "operators/expr/eval_context.h"

namespace rivulet::expr {

// `out` has rows for every selected row and shares no memory with the operands.
void EvaluateArithmetic(ArithmeticOp op, const View& left, const View& right, Selection selection,
                        Column* out, RowErrors* errors);
void EvaluateNegate(const View& operand, Selection selection, Column* out, RowErrors* errors);

}  // namespace rivulet::expr
