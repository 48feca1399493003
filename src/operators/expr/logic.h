// Kernels of three-valued logic (SQL:1999): false and null is false, true or null is true.
#pragma once

#include "operators/expr/eval_context.h"

namespace rivulet::expr {

enum class LogicOp : uint8_t { kAnd, kOr };

// out = `operand` where it is a bool or null; other types are a row error naming `name`.
void LoadCondition(const View& operand, std::string_view name, Selection selection, Column* out,
                   RowErrors* errors);

// out = out op operand, where `out` holds bools and nulls. Rows that `out` already decides (false
// for and, true for or) take no notice of the operand, not even of a wrong type.
void CombineCondition(LogicOp op, const View& operand, Selection selection, Column* out,
                      RowErrors* errors);

// out = not operand.
void EvaluateNot(const View& operand, Selection selection, Column* out, RowErrors* errors);

// The selected rows that `state` (bools and nulls) does not decide for `op`.
Selection Undecided(LogicOp op, const Column& state, Selection selection,
                    std::vector<uint32_t>* rows);
uint32_t CountUndecided(LogicOp op, const Column& state, Selection selection);

// Splits the selection into rows where `condition` is true, and the others. `rest` may be the
// storage of `selection`.
void SplitByCondition(const View& condition, Selection selection, std::vector<uint32_t>* matched,
                      std::vector<uint32_t>* rest, std::string_view name, RowErrors* errors);

}  // namespace rivulet::expr
