// From a parsed tree to a program; shared by expressions and aggregate calls.
#pragma once

#include <memory>
#include <string>

#include "operators/expr/ast.h"
#include "operators/expr/program.h"

namespace rivulet::expr {

struct Program::Impl {
  NodePtr root;
  std::string canonical;
};

// Null with `*diagnostic` filled when the tree does not pass the checker.
std::shared_ptr<const Program::Impl> CompileTree(NodePtr root, Scope* scope,
                                                 Diagnostic* diagnostic);

}  // namespace rivulet::expr
