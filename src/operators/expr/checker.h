// Checker: what the names of a tree mean and which types its values can have.
#pragma once

#include "operators/expr/ast.h"
#include "operators/expr/program.h"

namespace rivulet::expr {

// Resolves fields against `scope` (an open scope grows) and functions against the registry, infers
// every node's type, and rewrites calls that are spelled as functions but are operators (if,
// ifnull, mod, pow). False with `*diagnostic` filled: kUnknownName, kUnknownFunction,
// kWrongArgumentCount, kWrongArgumentType. A type is wrong only when no value the operand can have
// is acceptable; what cannot be known before is checked record by record.
bool CheckTypes(Node* root, Scope* scope, Diagnostic* diagnostic);

// Also demands that the root can be a bool, as a condition must; `what` names it in the message.
bool CheckCondition(const Node& root, std::string_view what, Diagnostic* diagnostic);

}  // namespace rivulet::expr
