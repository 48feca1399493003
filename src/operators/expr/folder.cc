#include "operators/expr/folder.h"

#include "operators/expr/evaluator.h"

namespace rivulet::expr {
namespace {

class Folder {
 public:
  Folder() { batch_.rows = 1; }

  void Fold(NodePtr* node) {
    bool constant = (*node)->kind != NodeKind::kField;
    for (NodePtr& child : (*node)->children) {
      Fold(&child);
      constant = constant && child->kind == NodeKind::kLiteral;
    }
    if (constant && (*node)->kind != NodeKind::kLiteral) Replace(node);
  }

 private:
  void Replace(NodePtr* node) {
    EvalContext::Impl& scratch = context_.impl();
    EvaluateTree(**node, batch_, Selection::All(1), &scratch, &value_);
    std::vector<RowError> errors;
    scratch.errors.Flush(&value_, &errors);
    if (errors.empty()) *node = MakeLiteral((*node)->offset, value_.Get(0));
  }

  EvalContext context_;
  RecordBatch batch_;
  Column value_;
};

}  // namespace

void FoldConstants(NodePtr* root) { Folder().Fold(root); }

}  // namespace rivulet::expr
