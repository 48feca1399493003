// The tree of an expression. The parser builds it, the checker fills in what names mean, the folder
// replaces constant parts by literals; then it never changes again and the evaluator walks it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/record_batch.h"
#include "operators/expr/preparation.h"
#include "operators/expr/scope.h"

namespace rivulet::expr {

struct FunctionDef;

// Trees are walked recursively, so their height is bounded; and/or/|| chains are one node each and
// do not count. The stack of the smallest thread that evaluates holds this many frames easily.
inline constexpr int kMaxDepth = 200;

enum class NodeKind : uint8_t {
  kLiteral,     // constant: one row
  kField,       // name, column, placed
  kNegate,      // [operand]
  kArithmetic,  // [left, right], arithmetic
  kCompare,     // [left, right], compare
  kNot,         // [operand]
  kAnd,         // [operand, operand, ...] in order of evaluation
  kOr,          // likewise
  kConcat,      // [operand, operand, ...]
  kIsNull,      // [operand], negated
  kIn,          // [operand, element, ...], negated
  kBetween,     // [operand, low, high], negated
  kLike,        // [text, pattern], negated
  kCase,        // [operand?] (when then)+ [else?], has_operand, has_else
  kCoalesce,    // [operand, ...]
  kCall,        // name, function, [argument, ...]
};

enum class ArithmeticOp : uint8_t {
  kAdd, kSubtract, kMultiply, kDivide, kIntDivide, kModulo, kPower,
};
enum class CompareOp : uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };

struct Node;
using NodePtr = std::unique_ptr<Node>;

struct Node {
  NodeKind kind;
  ArithmeticOp arithmetic = ArithmeticOp::kAdd;
  CompareOp compare = CompareOp::kEqual;
  bool negated = false;
  bool has_operand = false;
  bool has_else = false;
  bool placed = false;  // it stands for a call: `name` is how that is written; column and type are known
  int depth = 1;      // height of the tree below, this node included
  size_t offset = 0;  // in the text: of the operator, the name or the literal
  std::vector<NodePtr> children;
  std::string name;

  // Set by the checker.
  StaticType type = kAnyType;
  uint32_t column = 0;
  const FunctionDef* function = nullptr;
  // Set when the tree is finished: of a call whose arguments to prepare from are literals.
  std::unique_ptr<const Prepared> prepared;

  Column constant;

  Node(NodeKind k, size_t at) : kind(k), offset(at) {}
  void Add(NodePtr child) {
    depth = std::max(depth, child->depth + 1);
    children.push_back(std::move(child));
  }
  const Node& child(size_t i) const { return *children[i]; }
  Value constant_value() const { return constant.Get(0); }
};

inline NodePtr MakeLiteral(size_t offset, const Value& value) {
  auto node = std::make_unique<Node>(NodeKind::kLiteral, offset);
  node->constant.Reset(1);
  node->constant.Set(0, value);
  node->type = MaskOf(value.type);
  return node;
}

constexpr std::string_view OperatorName(ArithmeticOp op) {
  constexpr std::string_view kNames[] = {"+", "-", "*", "/", "div", "%", "^"};
  return kNames[static_cast<size_t>(op)];
}
constexpr std::string_view OperatorName(CompareOp op) {
  constexpr std::string_view kNames[] = {"=", "!=", "<", "<=", ">", ">="};
  return kNames[static_cast<size_t>(op)];
}

}  // namespace rivulet::expr
