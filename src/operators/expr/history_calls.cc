#include "operators/expr/history_calls.h"

#include <optional>
#include <utility>

#include "operators/expr/checker.h"
#include "operators/expr/compile.h"
#include "operators/expr/function_registry.h"

namespace rivulet::expr {
namespace {

std::optional<HistoryFunction> Find(const Node& node) {
  if (node.kind != NodeKind::kCall) return std::nullopt;
  if (node.name == "prev") return HistoryFunction::kPrev;
  if (node.name == "changed") return HistoryFunction::kChanged;
  if (node.name == "since") return HistoryFunction::kSince;
  return std::nullopt;
}

bool Fail(Diagnostic* diagnostic, ErrorCode code, size_t offset, std::string message) {
  *diagnostic = {code, offset, std::move(message)};
  return false;
}

bool CheckArguments(const Node& node, HistoryFunction function, uint32_t* records,
                    Diagnostic* diagnostic) {
  const size_t count = node.children.size();
  const bool prev = function == HistoryFunction::kPrev;
  if (count < 1 || count > (prev ? 2u : 1u)) {
    return Fail(diagnostic, ErrorCode::kWrongArgumentCount, node.offset,
                node.name + " takes " + (prev ? "1 to 2 arguments" : "1 argument") + ", found " +
                    std::to_string(count));
  }
  *records = 1;
  if (count == 1) return true;
  const Node& n = node.child(1);
  const Value value = n.kind == NodeKind::kLiteral ? n.constant_value() : Value::Null();
  if (value.type == Type::kInt && value.i >= 1 && value.i <= kMaxPrevRecords) {
    *records = static_cast<uint32_t>(value.i);
    return true;
  }
  return Fail(diagnostic, ErrorCode::kWrongArgumentType, n.offset,
              "prev needs a whole number from 1 to " + std::to_string(kMaxPrevRecords) +
                  " as argument 2: how many records back");
}

StaticType TypeOf(HistoryFunction function, StaticType argument) {
  switch (function) {
    case HistoryFunction::kPrev: return argument | kNullMask;
    case HistoryFunction::kChanged: return kBoolMask;
    case HistoryFunction::kSince: return kIntMask | kNullMask;
  }
  return kAnyType;
}

// Replaces `*node`, a call whose arguments hold no further ones.
bool Lift(NodePtr* node, HistoryFunction function, Scope* scope, Diagnostic* diagnostic) {
  const std::string name = (*node)->name;
  const size_t offset = (*node)->offset;
  if (scope->history() == nullptr) {
    return Fail(diagnostic, ErrorCode::kStepOrder, offset,
                "'" + name + "' looks at earlier records of a key; " + scope->history_advice());
  }
  uint32_t records = 1;
  if (!CheckArguments(**node, function, &records, diagnostic)) return false;
  auto impl = CompileTree(std::move((*node)->children[0]), scope, diagnostic);
  if (impl == nullptr) return false;
  if (function == HistoryFunction::kSince &&
      !CheckCondition(*impl->root, "the condition of since", diagnostic)) {
    return false;
  }
  const StaticType type = TypeOf(function, impl->root->type);
  std::string canonical = name + "(" + impl->canonical;
  if (records > 1) canonical += ", " + std::to_string(records);
  auto field = std::make_unique<Node>(NodeKind::kField, offset);
  field->name = scope->history()->Take(
      {function, Program(std::move(impl)), records, type, canonical + ")"});
  *node = std::move(field);
  return true;
}

}  // namespace

bool LiftHistory(NodePtr* root, Scope* scope, Diagnostic* diagnostic) {
  for (NodePtr& child : (*root)->children) {
    if (!LiftHistory(&child, scope, diagnostic)) return false;
  }
  const std::optional<HistoryFunction> function = Find(**root);
  return !function || Lift(root, *function, scope, diagnostic);
}

}  // namespace rivulet::expr
