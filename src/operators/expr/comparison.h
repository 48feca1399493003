// Kernels of = != < <= > >= and the order of values they follow.
//
// Null with anything is null. Numbers compare by exact value, also int with float (2^53 + 1 is not
// 2^53 as a float). NaN is IEEE's: =, <, <=, >, >= with NaN are false and != is true, also NaN with
// itself. Strings compare byte by byte. false < true. Other pairs are a row error.
#pragma once

#include <string>

#include "operators/expr/ast.h"
#include "operators/expr/eval_context.h"

namespace rivulet::expr {

enum class Ordering : uint8_t { kLess, kEqual, kGreater, kUnordered, kIncomparable };

// Of two values that are not null. kUnordered: a NaN; kIncomparable: types that do not go together.
Ordering Order(const Value& a, const Value& b);

// "cannot compare int with string".
std::string CannotCompare(Type a, Type b);

void EvaluateCompare(CompareOp op, const View& left, const View& right, Selection selection,
                     Column* out, RowErrors* errors);

// out = operand >= low and operand <= high (or its negation), with the null rules of `and`; high is
// not looked at where the first comparison is false.
void EvaluateBetween(const View& operand, const View& low, const View& high, bool negated,
                     Selection selection, Column* out, RowErrors* errors);

// out = true when the operand equals an element, else null when it or an element is null, else
// false (or the negation). Elements are looked at in order until one is equal.
void EvaluateIn(const View& operand, const View* elements, size_t count, bool negated,
                Selection selection, Column* out, RowErrors* errors);

}  // namespace rivulet::expr
