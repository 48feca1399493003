// Printer: a checked tree back to text in one spelling.
#pragma once

#include <string>

#include "operators/expr/ast.h"

namespace rivulet::expr {

// Appends `node` in canonical spelling: one space around operators, no needless parentheses, lower
// case keywords, text in single quotes. Parsing it again gives the same tree.
void PrintCanonical(const Node& node, std::string* out);

}  // namespace rivulet::expr
