#include "operators/expr/printer.h"

#include <charconv>

#include "operators/expr/precedence.h"

namespace rivulet::expr {
namespace {

Precedence Tighter(Precedence p) { return static_cast<Precedence>(static_cast<int>(p) + 1); }

Precedence PrecedenceOf(const Node& node) {
  switch (node.kind) {
    case NodeKind::kOr: return Precedence::kOr;
    case NodeKind::kAnd: return Precedence::kAnd;
    case NodeKind::kNot: return Precedence::kNot;
    case NodeKind::kIsNull: return Precedence::kIs;
    case NodeKind::kCompare:
    case NodeKind::kIn:
    case NodeKind::kBetween:
    case NodeKind::kLike: return Precedence::kCompare;
    case NodeKind::kConcat: return Precedence::kAdd;
    case NodeKind::kArithmetic: return expr::PrecedenceOf(node.arithmetic);
    case NodeKind::kNegate: return Precedence::kUnary;
    case NodeKind::kLiteral: {
      const Value v = node.constant_value();
      return v.type == Type::kInt && v.i < 0 ? Precedence::kUnary : Precedence::kPrimary;
    }
    default: return Precedence::kPrimary;
  }
}

class Printer {
 public:
  explicit Printer(std::string* out) : out_(*out) {}

  void Print(const Node& node, Precedence least) {
    const bool parentheses = PrecedenceOf(node) < least;
    if (parentheses) out_ += '(';
    PrintBare(node);
    if (parentheses) out_ += ')';
  }

 private:
  void PrintBare(const Node& node);
  void PrintLiteral(const Value& v);
  void PrintCase(const Node& node);
  void PrintQuoted(std::string_view text, char quote);
  void PrintCall(std::string_view name, const Node& node);
  void PrintJoined(const Node& node, size_t first, std::string_view separator, Precedence least);

  std::string& out_;
};

void Printer::PrintQuoted(std::string_view text, char quote) {
  out_ += quote;
  for (char c : text) {
    out_ += c;
    if (c == quote) out_ += c;
  }
  out_ += quote;
}

void Printer::PrintLiteral(const Value& v) {
  char digits[32];
  switch (v.type) {
    case Type::kNull: out_ += "null"; return;
    case Type::kBool: out_ += v.b ? "true" : "false"; return;
    case Type::kInt: out_ += std::to_string(v.i); return;
    case Type::kString: PrintQuoted(v.s, '\''); return;
    case Type::kFloat: {
      const std::string_view text(digits,
                                  std::to_chars(digits, digits + sizeof(digits), v.f).ptr - digits);
      out_ += text;
      // Without a mark it would be read as an integer.
      if (text.find_first_of(".e") == std::string_view::npos) out_ += ".0";
      return;
    }
  }
}

void Printer::PrintJoined(const Node& node, size_t first, std::string_view separator,
                          Precedence least) {
  for (size_t i = first; i < node.children.size(); ++i) {
    if (i > first) out_ += separator;
    Print(node.child(i), least);
  }
}

void Printer::PrintCall(std::string_view name, const Node& node) {
  out_ += name;
  out_ += '(';
  PrintJoined(node, 0, ", ", Precedence::kOr);
  out_ += ')';
}

void Printer::PrintCase(const Node& node) {
  size_t i = 0;
  out_ += "case";
  if (node.has_operand) {
    out_ += ' ';
    Print(node.child(i++), Precedence::kOr);
  }
  const size_t end = node.children.size() - (node.has_else ? 1 : 0);
  while (i < end) {
    out_ += " when ";
    Print(node.child(i++), Precedence::kOr);
    out_ += " then ";
    Print(node.child(i++), Precedence::kOr);
  }
  if (node.has_else) {
    out_ += " else ";
    Print(node.child(i), Precedence::kOr);
  }
  out_ += " end";
}

void Printer::PrintBare(const Node& node) {
  const Precedence own = PrecedenceOf(node);
  const std::string_view negation = node.negated ? " not" : "";
  switch (node.kind) {
    case NodeKind::kLiteral: PrintLiteral(node.constant_value()); break;
    case NodeKind::kField:
      if (node.placed || IsPlainName(node.name)) {
        out_ += node.name;
      } else {
        PrintQuoted(node.name, '`');
      }
      break;
    case NodeKind::kNegate:
      out_ += '-';
      Print(node.child(0), own);
      break;
    case NodeKind::kNot:
      out_ += "not ";
      Print(node.child(0), own);
      break;
    case NodeKind::kArithmetic: {
      const bool power = node.arithmetic == ArithmeticOp::kPower;
      Print(node.child(0), power ? Precedence::kPrimary : own);
      out_.append(" ").append(OperatorName(node.arithmetic)).append(" ");
      Print(node.child(1), power ? Precedence::kUnary : Tighter(own));
      break;
    }
    case NodeKind::kCompare:
      Print(node.child(0), Precedence::kAdd);
      out_.append(" ").append(OperatorName(node.compare)).append(" ");
      Print(node.child(1), Precedence::kAdd);
      break;
    case NodeKind::kAnd: PrintJoined(node, 0, " and ", Tighter(own)); break;
    case NodeKind::kOr: PrintJoined(node, 0, " or ", Tighter(own)); break;
    case NodeKind::kConcat: PrintJoined(node, 0, " || ", Tighter(own)); break;
    case NodeKind::kIsNull:
      Print(node.child(0), own);
      out_.append(" is").append(negation).append(" null");
      break;
    case NodeKind::kIn:
      Print(node.child(0), Precedence::kAdd);
      out_.append(negation).append(" in (");
      PrintJoined(node, 1, ", ", Precedence::kOr);
      out_ += ')';
      break;
    case NodeKind::kBetween:
      Print(node.child(0), Precedence::kAdd);
      out_.append(negation).append(" between ");
      PrintJoined(node, 1, " and ", Precedence::kAdd);
      break;
    case NodeKind::kLike:
      Print(node.child(0), Precedence::kAdd);
      out_.append(negation).append(" like ");
      Print(node.child(1), Precedence::kAdd);
      break;
    case NodeKind::kCase: PrintCase(node); break;
    case NodeKind::kCoalesce: PrintCall("coalesce", node); break;
    case NodeKind::kCall: PrintCall(node.name, node); break;
  }
}

}  // namespace

void PrintCanonical(const Node& node, std::string* out) {
  Printer(out).Print(node, Precedence::kOr);
}

}  // namespace rivulet::expr
