#include "operators/expr/parser.h"

#include <limits>

#include "operators/expr/lexer.h"
#include "operators/expr/precedence.h"

namespace rivulet::expr {
namespace {

constexpr std::string_view kTypeNames = "int, float, string or bool";

class Parser {
 public:
  Parser(std::string_view text, Diagnostic* diagnostic)
      : lexer_(text, diagnostic), diagnostic_(diagnostic) {
    Advance();
  }

  NodePtr ParseWhole() {
    NodePtr root = Parse(Precedence::kOr);
    if (root == nullptr) return nullptr;
    if (token_.kind != TokenKind::kEnd) return Unexpected("an operator or the end");
    return root;
  }

  bool ParseAggregate(ParsedAggregate* out);

 private:
  // Every recursion of the parser passes here, so this is where nesting is bounded.
  NodePtr Parse(Precedence least);
  NodePtr ParseOperators(Precedence least);
  NodePtr ParsePrefix(Precedence least);
  NodePtr ParsePrimary();
  NodePtr ParseNegation();
  NodePtr ParseNot(Precedence least);
  NodePtr ParseParenthesised();
  NodePtr ParseName();
  NodePtr ParseCase();
  NodePtr ParseCast();
  bool ParseArguments(std::vector<NodePtr>* arguments);

  NodePtr ParseInfix(NodePtr left);
  NodePtr ParseChain(NodeKind kind, NodePtr left, Precedence operand);
  NodePtr ParseArithmetic(ArithmeticOp op, NodePtr left, Precedence operand);
  NodePtr ParseComparison(NodePtr left);
  NodePtr ParseIs(NodePtr left);
  NodePtr ParseIn(NodePtr node);
  NodePtr ParseBetween(NodePtr node);

  void Advance() { token_ = lexer_.Next(); }
  bool Accept(TokenKind kind) {
    if (token_.kind != kind) return false;
    Advance();
    return true;
  }
  bool Expect(TokenKind kind, std::string_view expected) {
    if (Accept(kind)) return true;
    Unexpected(expected);
    return false;
  }
  NodePtr Fail(ErrorCode code, size_t offset, std::string message) {
    // A lexer error has said more precisely what is wrong.
    if (token_.kind != TokenKind::kError) *diagnostic_ = {code, offset, std::move(message)};
    return nullptr;
  }
  NodePtr Unexpected(std::string_view expected);
  bool AddChild(Node* node, NodePtr child);
  NodePtr Finish(NodePtr node);

  Lexer lexer_;
  Diagnostic* diagnostic_;
  Token token_;
  int nesting_ = 0;
};

NodePtr Parser::Unexpected(std::string_view expected) {
  const std::string found = token_.kind == TokenKind::kEnd
                                ? std::string("the expression ends")
                                : "found " + std::string(token_.source.substr(0, 40));
  return Fail(ErrorCode::kExpressionSyntax, token_.offset,
              found + " where " + std::string(expected) + " was expected");
}

// False when the child could not be parsed.
bool Parser::AddChild(Node* node, NodePtr child) {
  if (child == nullptr) return false;
  node->Add(std::move(child));
  return true;
}

NodePtr Parser::Finish(NodePtr node) {
  if (node->depth <= kMaxDepth) return node;
  return Fail(ErrorCode::kExpressionTooDeep, node->offset,
              "more than " + std::to_string(kMaxDepth) +
                  " levels of operators; split the expression into several set steps");
}

NodePtr Parser::Parse(Precedence least) {
  if (++nesting_ > kMaxDepth) {
    return Fail(ErrorCode::kExpressionTooDeep, token_.offset,
                "more than " + std::to_string(kMaxDepth) +
                    " levels of nesting; split the expression into several set steps");
  }
  NodePtr node = ParseOperators(least);
  --nesting_;
  return node;
}

NodePtr Parser::ParseOperators(Precedence least) {
  NodePtr left = ParsePrefix(least);
  bool compared = false;
  while (left != nullptr) {
    const Precedence precedence = InfixPrecedence(token_.kind);
    if (precedence < least || precedence == Precedence::kNone) break;
    if (precedence == Precedence::kCompare) {
      if (compared) {
        return Fail(ErrorCode::kExpressionSyntax, token_.offset,
                    "comparisons cannot be chained; join two with 'and', or use parentheses");
      }
      compared = true;
    }
    left = ParseInfix(std::move(left));
    if (left != nullptr) left = Finish(std::move(left));
  }
  return left;
}

NodePtr Parser::ParsePrefix(Precedence least) {
  if (token_.kind == TokenKind::kMinus) return ParseNegation();
  if (token_.kind == TokenKind::kNot) return ParseNot(least);
  return ParsePrimary();
}

NodePtr Parser::ParseNegation() {
  const size_t offset = token_.offset;
  Advance();
  // The one integer whose positive counterpart does not exist; `^` would bind tighter than minus.
  if (token_.kind == TokenKind::kFloat && token_.source == "9223372036854775808" &&
      Lexer(lexer_).Next().kind != TokenKind::kCaret) {
    Advance();
    return MakeLiteral(offset, Value::Int(std::numeric_limits<int64_t>::min()));
  }
  auto node = std::make_unique<Node>(NodeKind::kNegate, offset);
  if (!AddChild(node.get(), Parse(Precedence::kUnary))) return nullptr;
  return Finish(std::move(node));
}

NodePtr Parser::ParseNot(Precedence least) {
  const size_t offset = token_.offset;
  if (least > Precedence::kNot) {
    return Fail(ErrorCode::kExpressionSyntax, offset, "'not' needs parentheses here");
  }
  Advance();
  auto node = std::make_unique<Node>(NodeKind::kNot, offset);
  if (!AddChild(node.get(), Parse(Precedence::kNot))) return nullptr;
  return Finish(std::move(node));
}

NodePtr Parser::ParsePrimary() {
  const Token token = token_;
  auto literal = [&](const Value& value) {
    Advance();
    return MakeLiteral(token.offset, value);
  };
  switch (token.kind) {
    case TokenKind::kInt: return literal(Value::Int(token.integer));
    case TokenKind::kFloat: return literal(Value::Float(token.number));
    case TokenKind::kString: return literal(Value::String(token.text));
    case TokenKind::kTrue: return literal(Value::Bool(true));
    case TokenKind::kFalse: return literal(Value::Bool(false));
    case TokenKind::kNull: return literal(Value::Null());
    case TokenKind::kName:
    case TokenKind::kQuotedName: return ParseName();
    case TokenKind::kOpen: return ParseParenthesised();
    case TokenKind::kCase: return ParseCase();
    case TokenKind::kCast: return ParseCast();
    default: return Unexpected("a value, a name or '('");
  }
}

NodePtr Parser::ParseParenthesised() {
  Advance();
  NodePtr inner = Parse(Precedence::kOr);
  if (inner == nullptr || !Expect(TokenKind::kClose, "')'")) return nullptr;
  return inner;
}

NodePtr Parser::ParseName() {
  const Token token = token_;
  Advance();
  if (token.kind == TokenKind::kName && Accept(TokenKind::kOpen)) {
    auto call = std::make_unique<Node>(NodeKind::kCall, token.offset);
    // In front of a dot stands a name that somebody chose.
    const size_t dot = token.text.rfind('.') + 1;
    call->name = token.text.substr(0, dot) + AsciiLower(token.text.substr(dot));
    std::vector<NodePtr> arguments;
    if (!ParseArguments(&arguments)) return nullptr;
    for (NodePtr& argument : arguments) call->Add(std::move(argument));
    return Finish(std::move(call));
  }
  auto field = std::make_unique<Node>(NodeKind::kField, token.offset);
  field->name = token.text;
  return field;
}

// After '(' and through ')'.
bool Parser::ParseArguments(std::vector<NodePtr>* arguments) {
  if (Accept(TokenKind::kClose)) return true;
  do {
    NodePtr argument = Parse(Precedence::kOr);
    if (argument == nullptr) return false;
    arguments->push_back(std::move(argument));
  } while (Accept(TokenKind::kComma));
  return Expect(TokenKind::kClose, "',' or ')'");
}

NodePtr Parser::ParseCase() {
  auto node = std::make_unique<Node>(NodeKind::kCase, token_.offset);
  Advance();
  if (token_.kind != TokenKind::kWhen) {
    node->has_operand = true;
    if (!AddChild(node.get(), Parse(Precedence::kOr))) return nullptr;
  }
  if (token_.kind != TokenKind::kWhen) return Unexpected("'when'");
  while (Accept(TokenKind::kWhen)) {
    if (!AddChild(node.get(), Parse(Precedence::kOr))) return nullptr;
    if (!Expect(TokenKind::kThen, "'then'")) return nullptr;
    if (!AddChild(node.get(), Parse(Precedence::kOr))) return nullptr;
  }
  if (Accept(TokenKind::kElse)) {
    node->has_else = true;
    if (!AddChild(node.get(), Parse(Precedence::kOr))) return nullptr;
  }
  if (!Expect(TokenKind::kEnd_, "'when', 'else' or 'end'")) return nullptr;
  return Finish(std::move(node));
}

// cast(x as int) is to_int(x).
NodePtr Parser::ParseCast() {
  auto call = std::make_unique<Node>(NodeKind::kCall, token_.offset);
  Advance();
  if (!Expect(TokenKind::kOpen, "'('")) return nullptr;
  if (!AddChild(call.get(), Parse(Precedence::kOr))) return nullptr;
  if (!Expect(TokenKind::kAs, "'as'")) return nullptr;
  const std::string type = AsciiLower(token_.source);
  if (type != "int" && type != "float" && type != "string" && type != "bool") {
    return Unexpected(kTypeNames);
  }
  call->name = "to_" + type;
  Advance();
  if (!Expect(TokenKind::kClose, "')'")) return nullptr;
  return Finish(std::move(call));
}

NodePtr Parser::ParseInfix(NodePtr left) {
  switch (token_.kind) {
    case TokenKind::kOr: return ParseChain(NodeKind::kOr, std::move(left), Precedence::kAnd);
    case TokenKind::kAnd: return ParseChain(NodeKind::kAnd, std::move(left), Precedence::kNot);
    case TokenKind::kConcat:
      return ParseChain(NodeKind::kConcat, std::move(left), Precedence::kMultiply);
    case TokenKind::kPlus:
      return ParseArithmetic(ArithmeticOp::kAdd, std::move(left), Precedence::kMultiply);
    case TokenKind::kMinus:
      return ParseArithmetic(ArithmeticOp::kSubtract, std::move(left), Precedence::kMultiply);
    case TokenKind::kStar:
      return ParseArithmetic(ArithmeticOp::kMultiply, std::move(left), Precedence::kUnary);
    case TokenKind::kSlash:
      return ParseArithmetic(ArithmeticOp::kDivide, std::move(left), Precedence::kUnary);
    case TokenKind::kDiv:
      return ParseArithmetic(ArithmeticOp::kIntDivide, std::move(left), Precedence::kUnary);
    case TokenKind::kPercent:
      return ParseArithmetic(ArithmeticOp::kModulo, std::move(left), Precedence::kUnary);
    case TokenKind::kCaret:
      return ParseArithmetic(ArithmeticOp::kPower, std::move(left), Precedence::kUnary);
    case TokenKind::kIs: return ParseIs(std::move(left));
    default: return ParseComparison(std::move(left));
  }
}

// `a and b and c` is one node, so that a long chain is not a deep tree.
NodePtr Parser::ParseChain(NodeKind kind, NodePtr left, Precedence operand) {
  const size_t offset = token_.offset;
  Advance();
  NodePtr right = Parse(operand);
  if (right == nullptr) return nullptr;
  if (left->kind != kind) {
    auto chain = std::make_unique<Node>(kind, offset);
    chain->Add(std::move(left));
    left = std::move(chain);
  }
  left->Add(std::move(right));
  return left;
}

NodePtr Parser::ParseArithmetic(ArithmeticOp op, NodePtr left, Precedence operand) {
  auto node = std::make_unique<Node>(NodeKind::kArithmetic, token_.offset);
  node->arithmetic = op;
  Advance();
  node->Add(std::move(left));
  if (!AddChild(node.get(), Parse(operand))) return nullptr;
  return node;
}

NodePtr Parser::ParseIs(NodePtr left) {
  auto node = std::make_unique<Node>(NodeKind::kIsNull, token_.offset);
  Advance();
  node->negated = Accept(TokenKind::kNot);
  node->Add(std::move(left));
  if (!Expect(TokenKind::kNull, "'null' or 'not null'")) return nullptr;
  return node;
}

NodePtr Parser::ParseComparison(NodePtr left) {
  auto node = std::make_unique<Node>(NodeKind::kCompare, token_.offset);
  node->negated = Accept(TokenKind::kNot);
  node->Add(std::move(left));
  const TokenKind kind = token_.kind;
  if (node->negated && kind != TokenKind::kIn && kind != TokenKind::kLike &&
      kind != TokenKind::kBetween) {
    return Unexpected("'in', 'between' or 'like' after 'not'");
  }
  Advance();
  switch (kind) {
    case TokenKind::kIn: return ParseIn(std::move(node));
    case TokenKind::kBetween: return ParseBetween(std::move(node));
    case TokenKind::kLike: node->kind = NodeKind::kLike; break;
    case TokenKind::kNotEqual: node->compare = CompareOp::kNotEqual; break;
    case TokenKind::kLess: node->compare = CompareOp::kLess; break;
    case TokenKind::kLessEqual: node->compare = CompareOp::kLessEqual; break;
    case TokenKind::kGreater: node->compare = CompareOp::kGreater; break;
    case TokenKind::kGreaterEqual: node->compare = CompareOp::kGreaterEqual; break;
    default: node->compare = CompareOp::kEqual; break;
  }
  if (!AddChild(node.get(), Parse(Precedence::kAdd))) return nullptr;
  return node;
}

NodePtr Parser::ParseIn(NodePtr node) {
  node->kind = NodeKind::kIn;
  if (!Expect(TokenKind::kOpen, "'(' and a list of values")) return nullptr;
  if (token_.kind == TokenKind::kClose) return Unexpected("at least one value");
  std::vector<NodePtr> elements;
  if (!ParseArguments(&elements)) return nullptr;
  for (NodePtr& element : elements) node->Add(std::move(element));
  return node;
}

NodePtr Parser::ParseBetween(NodePtr node) {
  node->kind = NodeKind::kBetween;
  if (!AddChild(node.get(), Parse(Precedence::kAdd))) return nullptr;
  if (!Expect(TokenKind::kAnd, "'and' and the upper bound")) return nullptr;
  if (!AddChild(node.get(), Parse(Precedence::kAdd))) return nullptr;
  return node;
}

bool Parser::ParseAggregate(ParsedAggregate* out) {
  const Token name = token_;
  if (!Expect(TokenKind::kName, "an aggregate such as avg(speed)")) return false;
  out->function = AsciiLower(name.text);
  out->function_offset = name.offset;
  if (!Expect(TokenKind::kOpen, "'('")) return false;
  if (out->function == "count" && Accept(TokenKind::kStar)) {
    if (!Expect(TokenKind::kClose, "')'")) return false;
  } else if (!ParseArguments(&out->arguments)) {
    return false;
  }
  if (Accept(TokenKind::kWhere)) {
    out->filter = Parse(Precedence::kOr);
    if (out->filter == nullptr) return false;
  }
  if (token_.kind == TokenKind::kEnd) return true;
  Unexpected(out->filter ? "an operator or the end" : "'where' or the end");
  return false;
}

bool CheckLength(std::string_view text, Diagnostic* diagnostic) {
  if (text.size() <= kMaxTextBytes) return true;
  *diagnostic = {ErrorCode::kExpressionSyntax, kMaxTextBytes,
                 "the expression has " + std::to_string(text.size()) + " bytes; at most " +
                     std::to_string(kMaxTextBytes) + " are allowed"};
  return false;
}

}  // namespace

NodePtr ParseExpression(std::string_view text, Diagnostic* diagnostic) {
  if (!CheckLength(text, diagnostic)) return nullptr;
  return Parser(text, diagnostic).ParseWhole();
}

bool ParseAggregate(std::string_view text, ParsedAggregate* out, Diagnostic* diagnostic) {
  return CheckLength(text, diagnostic) && Parser(text, diagnostic).ParseAggregate(out);
}

}  // namespace rivulet::expr
