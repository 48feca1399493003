// Parser: tokens to a tree, by operator precedence (V. Pratt, "Top down operator precedence",
// 1973).
//
// From loosest to tightest:
//   or | and | not | is [not] null | = != < <= > >= in between like (cannot be chained)
//   | + - || | * / % div | unary - | ^ (to the right: 2 ^ 3 ^ 2 is 2 ^ 9, and -2 ^ 2 is -4)
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "operators/expr/ast.h"
#include "operators/expr/program.h"

namespace rivulet::expr {

// The tree of `text`, or null with `*diagnostic` filled (kExpressionSyntax, kExpressionTooDeep).
// Names are not looked up here.
NodePtr ParseExpression(std::string_view text, Diagnostic* diagnostic);

struct ParsedAggregate {
  std::string function;  // lower case
  size_t function_offset = 0;
  std::vector<NodePtr> arguments;
  NodePtr filter;  // may be null
};

// `fn(args) [where condition]`; `count(*)` has no arguments. False with `*diagnostic` filled.
bool ParseAggregate(std::string_view text, ParsedAggregate* out, Diagnostic* diagnostic);

}  // namespace rivulet::expr
