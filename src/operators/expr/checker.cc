#include "operators/expr/checker.h"

#include "base/suggest.h"
#include "operators/expr/function_registry.h"

namespace rivulet::expr {
namespace {

constexpr TypeMask WithoutNull(TypeMask m) { return m & static_cast<TypeMask>(~kNullMask); }

// True when some value of the mask, or null, is accepted.
constexpr bool Possible(TypeMask mask, TypeMask accepted) {
  return WithoutNull(mask) == 0 || (mask & accepted) != 0;
}

// Two values can be compared when both are numbers or both have the same type.
constexpr bool Comparable(TypeMask a, TypeMask b) {
  if (WithoutNull(a) == 0 || WithoutNull(b) == 0) return true;
  return ((a & kNumberMask) && (b & kNumberMask)) || (a & b & (kStringMask | kBoolMask));
}

class Checker {
 public:
  Checker(Scope* scope, Diagnostic* diagnostic) : scope_(scope), diagnostic_(diagnostic) {}

  bool Check(Node* node) {
    for (NodePtr& child : node->children) {
      if (!Check(child.get())) return false;
    }
    return CheckNode(node);
  }

 private:
  bool CheckNode(Node* node);
  bool CheckField(Node* node);
  bool CheckArithmetic(Node* node);
  bool CheckComparisons(Node* node, size_t left, size_t first_right);
  bool CheckOperands(Node* node, TypeMask accepted, std::string_view name);
  bool CheckCase(Node* node);
  bool CheckCall(Node* node);
  bool CheckCallArguments(const Node& node, const FunctionDef& function);
  void Rewrite(Node* node, const FunctionDef& function);
  StaticType InferCall(const Node& node, const FunctionDef& function);

  bool Fail(ErrorCode code, size_t offset, std::string message) {
    *diagnostic_ = {code, offset, std::move(message)};
    return false;
  }

  Scope* scope_;
  Diagnostic* diagnostic_;
};

bool Checker::CheckNode(Node* node) {
  switch (node->kind) {
    case NodeKind::kLiteral: return true;
    case NodeKind::kField: return CheckField(node);
    case NodeKind::kNegate:
    case NodeKind::kArithmetic: return CheckArithmetic(node);
    case NodeKind::kCompare:
    case NodeKind::kIn:
    case NodeKind::kBetween:
      node->type = kBoolMask | kNullMask;
      return CheckComparisons(node, 0, 1);
    case NodeKind::kNot:
      node->type = kBoolMask | kNullMask;
      return CheckOperands(node, kBoolMask, "'not'");
    case NodeKind::kAnd:
      node->type = kBoolMask | kNullMask;
      return CheckOperands(node, kBoolMask, "'and'");
    case NodeKind::kOr:
      node->type = kBoolMask | kNullMask;
      return CheckOperands(node, kBoolMask, "'or'");
    case NodeKind::kLike:
      node->type = kBoolMask | kNullMask;
      return CheckOperands(node, kStringMask, "'like'");
    case NodeKind::kConcat: node->type = kStringMask | kNullMask; return true;
    case NodeKind::kIsNull: node->type = kBoolMask; return true;
    case NodeKind::kCase: return CheckCase(node);
    case NodeKind::kCall: return CheckCall(node);
    case NodeKind::kCoalesce: return true;  // made from a call that was checked
  }
  return true;
}

bool Checker::CheckField(Node* node) {
  if (node->placed) return true;
  const std::optional<Field> field = scope_->Resolve(node->name);
  if (!field.has_value()) {
    return Fail(ErrorCode::kUnknownName, node->offset,
                "'" + node->name + "'" + DidYouMean(node->name, scope_->Names()));
  }
  node->type = field->type;
  node->column = field->column;
  return true;
}

bool Checker::CheckOperands(Node* node, TypeMask accepted, std::string_view name) {
  for (const NodePtr& child : node->children) {
    if (Possible(child->type, accepted)) continue;
    return Fail(ErrorCode::kWrongArgumentType, child->offset,
                std::string(name) + " needs " + DescribeTypes(accepted) + ", found " +
                    DescribeTypes(child->type));
  }
  return true;
}

bool Checker::CheckArithmetic(Node* node) {
  const bool negate = node->kind == NodeKind::kNegate;
  const std::string name =
      "'" + std::string(negate ? "-" : OperatorName(node->arithmetic)) + "'";
  if (!CheckOperands(node, kNumberMask, name)) return false;
  const bool float_only = !negate && (node->arithmetic == ArithmeticOp::kDivide ||
                                      node->arithmetic == ArithmeticOp::kPower);
  if (float_only) {
    node->type = kFloatMask | kNullMask;
    return true;
  }
  StaticType type = kNullMask;
  bool all_int = true;
  for (const NodePtr& child : node->children) {
    all_int = all_int && (child->type & kIntMask) != 0;
    type = static_cast<StaticType>(type | (child->type & kFloatMask));
  }
  const bool may_overflow = negate || node->arithmetic != ArithmeticOp::kModulo;
  if (all_int) type |= may_overflow ? kNumberMask : kIntMask;
  node->type = type;
  return true;
}

bool Checker::CheckComparisons(Node* node, size_t left, size_t first_right) {
  const TypeMask l = node->children[left]->type;
  for (size_t i = first_right; i < node->children.size(); ++i) {
    const Node& right = *node->children[i];
    if (Comparable(l, right.type)) continue;
    const size_t offset = node->kind == NodeKind::kCompare ? node->offset : right.offset;
    return Fail(ErrorCode::kWrongArgumentType, offset,
                "cannot compare " + DescribeTypes(l) + " with " + DescribeTypes(right.type));
  }
  return true;
}

bool Checker::CheckCase(Node* node) {
  const size_t branches_end = node->children.size() - (node->has_else ? 1 : 0);
  StaticType type = node->has_else ? node->children.back()->type : kNullMask;
  for (size_t i = node->has_operand ? 1 : 0; i < branches_end; i += 2) {
    const Node& when = *node->children[i];
    type |= node->children[i + 1]->type;
    if (node->has_operand && !Comparable(node->children[0]->type, when.type)) {
      return Fail(ErrorCode::kWrongArgumentType, when.offset,
                  "cannot compare " + DescribeTypes(node->children[0]->type) + " with " +
                      DescribeTypes(when.type));
    }
    if (!node->has_operand && !CheckCondition(when, "the condition after 'when'", diagnostic_)) {
      return false;
    }
  }
  node->type = type | kNullMask;
  return true;
}

bool Checker::CheckCall(Node* node) {
  const FunctionDef* function = FindFunction(node->name);
  if (function == nullptr) {
    return Fail(ErrorCode::kUnknownFunction, node->offset,
                "unknown function '" + node->name + "'" + DidYouMean(node->name, FunctionNames()));
  }
  if (!CheckCallArguments(*node, *function)) return false;
  node->function = function;
  node->type = InferCall(*node, *function);
  if (function->form != CallForm::kScalar) {
    Rewrite(node, *function);
    return CheckNode(node);
  }
  return true;
}

bool Checker::CheckCallArguments(const Node& node, const FunctionDef& function) {
  const size_t count = node.children.size();
  const size_t least = function.least_arguments;
  const size_t most = function.most_arguments;
  if (count < least || (most != kVariadic && count > most)) {
    std::string expected = std::to_string(least);
    if (most == kVariadic) expected += " or more";
    if (most != kVariadic && most != least) expected += " to " + std::to_string(most);
    return Fail(ErrorCode::kWrongArgumentCount, node.offset,
                node.name + " takes " + expected + (expected == "1" ? " argument" : " arguments") +
                    ", found " + std::to_string(count));
  }
  for (size_t i = 0; i < count; ++i) {
    const Node& argument = node.child(i);
    if (Possible(argument.type, function.argument(i))) continue;
    return Fail(ErrorCode::kWrongArgumentType, argument.offset,
                node.name + " needs " + DescribeTypes(function.argument(i)) + " as argument " +
                    std::to_string(i + 1) + ", found " + DescribeTypes(argument.type));
  }
  return true;
}

StaticType Checker::InferCall(const Node& node, const FunctionDef& function) {
  StaticType type = function.result;
  if (function.rule != ResultRule::kFixed) {
    type = 0;
    const size_t count = function.rule == ResultRule::kArgument ? node.children.size() : 1;
    for (size_t i = 0; i < count; ++i) {
      type = static_cast<StaticType>(type | (node.child(i).type & function.argument(i)));
    }
    if (function.rule == ResultRule::kOverflow && (type & kIntMask)) type |= kFloatMask;
  }
  return type | kNullMask;
}

// The canonical text keeps the spelling of the operator, so `mod(a, b)` and `a % b` are one.
void Checker::Rewrite(Node* node, const FunctionDef& function) {
  switch (function.form) {
    case CallForm::kIf:
      node->kind = NodeKind::kCase;
      node->has_else = true;
      break;
    case CallForm::kCoalesce: node->kind = NodeKind::kCoalesce; break;
    case CallForm::kModulo:
      node->kind = NodeKind::kArithmetic;
      node->arithmetic = ArithmeticOp::kModulo;
      break;
    case CallForm::kPower:
      node->kind = NodeKind::kArithmetic;
      node->arithmetic = ArithmeticOp::kPower;
      break;
    case CallForm::kScalar: break;
  }
}

}  // namespace

bool CheckTypes(Node* root, Scope* scope, Diagnostic* diagnostic) {
  return Checker(scope, diagnostic).Check(root);
}

bool CheckCondition(const Node& root, std::string_view what, Diagnostic* diagnostic) {
  if (Possible(root.type, kBoolMask)) return true;
  *diagnostic = {ErrorCode::kWrongArgumentType, root.offset,
                 std::string(what) + " must be a bool, found " + DescribeTypes(root.type)};
  return false;
}

}  // namespace rivulet::expr
