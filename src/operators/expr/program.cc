#include "operators/expr/checker.h"
#include "operators/expr/compile.h"
#include "operators/expr/element_calls.h"
#include "operators/expr/evaluator.h"
#include "operators/expr/event_time_call.h"
#include "operators/expr/folder.h"
#include "operators/expr/history_calls.h"
#include "operators/expr/parser.h"
#include "operators/expr/preparation.h"
#include "operators/expr/printer.h"

namespace rivulet::expr {

namespace {

void AddFieldColumns(const Node& node, std::vector<uint32_t>* columns) {
  if (node.kind == NodeKind::kField) columns->push_back(node.column);
  for (const NodePtr& child : node.children) AddFieldColumns(*child, columns);
}

}  // namespace

std::shared_ptr<const Program::Impl> CompileTree(NodePtr root, Scope* scope,
                                                 Diagnostic* diagnostic) {
  if (!LiftElements(&root, scope, diagnostic)) return nullptr;
  if (!LiftHistory(&root, scope, diagnostic)) return nullptr;
  if (!LiftEventTime(&root, scope, diagnostic)) return nullptr;
  if (!CheckTypes(root.get(), scope, diagnostic)) return nullptr;
  auto impl = std::make_shared<Program::Impl>();
  PrintCanonical(*root, &impl->canonical);
  FoldConstants(&root);
  if (!PrepareCalls(root.get(), diagnostic)) return nullptr;
  impl->root = std::move(root);
  return impl;
}

Result<Program> Program::Compile(std::string_view text, Scope* scope, Diagnostic* diagnostic) {
  Diagnostic local;
  if (diagnostic == nullptr) diagnostic = &local;
  NodePtr root = ParseExpression(text, diagnostic);
  if (root != nullptr) {
    auto impl = CompileTree(std::move(root), scope, diagnostic);
    if (impl != nullptr) return Program(std::move(impl));
  }
  return Status(diagnostic->code, diagnostic->message);
}

void Program::Evaluate(const RecordBatch& batch, Selection selection, EvalContext* context,
                       Column* out, std::vector<RowError>* errors) const {
  EvalContext::Impl& scratch = context->impl();
  EvaluateTree(*impl_->root, batch, selection, &scratch, out);
  scratch.errors.Flush(out, errors);
}

StaticType Program::type() const { return impl_->root->type; }

int32_t Program::column() const {
  const Node& root = *impl_->root;
  return root.kind == NodeKind::kField ? static_cast<int32_t>(root.column) : -1;
}

std::optional<Value> Program::constant() const {
  if (impl_->root->kind != NodeKind::kLiteral) return std::nullopt;
  return impl_->root->constant_value();
}

void Program::AddColumns(std::vector<uint32_t>* columns) const {
  AddFieldColumns(*impl_->root, columns);
}

const std::string& Program::canonical() const { return impl_->canonical; }

}  // namespace rivulet::expr
