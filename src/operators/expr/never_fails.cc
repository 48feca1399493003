#include "operators/expr/never_fails.h"

#include "operators/expr/function_registry.h"

namespace rivulet::expr {
namespace {

// Types the node's values can have, without null; kMayFail when a row may fail.
constexpr TypeMask kMayFail = 0x80;

TypeMask Types(const Node& node, const RecordBatch& batch);

TypeMask ChildTypes(const Node& node, const RecordBatch& batch) {
  TypeMask types = 0;
  for (const NodePtr& child : node.children) types |= Types(*child, batch);
  return types;
}

constexpr bool Within(TypeMask types, TypeMask accepted) { return (types & ~accepted) == 0; }

constexpr bool OfOneKind(TypeMask types) {
  return Within(types, kNumberMask) || Within(types, kStringMask) || Within(types, kBoolMask);
}

TypeMask Types(const Node& node, const RecordBatch& batch) {
  switch (node.kind) {
    case NodeKind::kLiteral: return node.constant.seen();
    case NodeKind::kField:
      if (node.column >= batch.columns.size()) return 0;
      return batch.columns[node.column].seen() & static_cast<TypeMask>(~kNullMask);
    case NodeKind::kNegate:
    case NodeKind::kArithmetic:
      return Within(ChildTypes(node, batch), kNumberMask) ? kNumberMask : kMayFail;
    case NodeKind::kCompare:
    case NodeKind::kBetween: return OfOneKind(ChildTypes(node, batch)) ? kBoolMask : kMayFail;
    case NodeKind::kNot:
    case NodeKind::kAnd:
    case NodeKind::kOr: return Within(ChildTypes(node, batch), kBoolMask) ? kBoolMask : kMayFail;
    case NodeKind::kIsNull:
      return (Types(node.child(0), batch) & kMayFail) ? kMayFail : kBoolMask;
    default: return kMayFail;
  }
}

}  // namespace

bool NeverFails(const Node& node, const RecordBatch& batch) {
  return (Types(node, batch) & ~kBoolMask) == 0;
}

}  // namespace rivulet::expr
