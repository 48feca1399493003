// How tightly operators bind; shared by the parser and the printer, so that what is printed parses
// to the same tree.
#pragma once

#include <cstdint>

#include "operators/expr/ast.h"
#include "operators/expr/lexer.h"

namespace rivulet::expr {

enum class Precedence : uint8_t {
  kNone, kOr, kAnd, kNot, kIs, kCompare, kAdd, kMultiply, kUnary, kPower, kPrimary,
};

// Of a token that stands between operands; kNone when it is no such operator.
constexpr Precedence InfixPrecedence(TokenKind kind) {
  switch (kind) {
    case TokenKind::kOr: return Precedence::kOr;
    case TokenKind::kAnd: return Precedence::kAnd;
    case TokenKind::kIs: return Precedence::kIs;
    case TokenKind::kEqual:
    case TokenKind::kNotEqual:
    case TokenKind::kLess:
    case TokenKind::kLessEqual:
    case TokenKind::kGreater:
    case TokenKind::kGreaterEqual:
    case TokenKind::kIn:
    case TokenKind::kBetween:
    case TokenKind::kLike:
    case TokenKind::kNot: return Precedence::kCompare;  // `not in`, `not between`, `not like`
    case TokenKind::kPlus:
    case TokenKind::kMinus:
    case TokenKind::kConcat: return Precedence::kAdd;
    case TokenKind::kStar:
    case TokenKind::kSlash:
    case TokenKind::kPercent:
    case TokenKind::kDiv: return Precedence::kMultiply;
    case TokenKind::kCaret: return Precedence::kPower;
    default: return Precedence::kNone;
  }
}

constexpr Precedence PrecedenceOf(ArithmeticOp op) {
  switch (op) {
    case ArithmeticOp::kAdd:
    case ArithmeticOp::kSubtract: return Precedence::kAdd;
    case ArithmeticOp::kPower: return Precedence::kPower;
    default: return Precedence::kMultiply;
  }
}

}  // namespace rivulet::expr
