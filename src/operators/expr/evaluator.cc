#include "operators/expr/evaluator.h"

#include "operators/expr/arithmetic.h"
#include "operators/expr/call.h"
#include "operators/expr/comparison.h"
#include "operators/expr/like.h"
#include "operators/expr/logic.h"
#include "operators/expr/never_fails.h"

namespace rivulet::expr {
namespace {

class Evaluator {
 public:
  Evaluator(const RecordBatch& batch, EvalContext::Impl* context)
      : batch_(batch), context_(*context), errors_(&context->errors) {}

  // Fills `out`, which must be a fresh column, with the value of the node for the selected rows.
  void Evaluate(const Node& node, Selection selection, Column* out);

 private:
  View Operand(const Node& node, Selection selection);
  void Condition(const Node& node, std::string_view name, Selection selection, Column* out);
  void Logic(const Node& node, Selection selection, Column* out);
  void Between(const Node& node, Selection selection, Column* out);
  void In(const Node& node, Selection selection, Column* out);
  void InComputed(const Node& node, const View& operand, Selection selection, Column* out);
  void LikeText(const Node& node, Selection selection, Column* out);
  void IsNull(const Node& node, Selection selection, Column* out);
  void Case(const Node& node, Selection selection, Column* out);
  View WhenTrue(const Node& node, const View& operand, size_t when, Selection selection);
  void Coalesce(const Node& node, Selection selection, Column* out);
  void Call(const Node& node, Selection selection, Column* out);

  Column* Temporary() {
    Column* column = context_.columns.Acquire();
    column->Reset(batch_.rows);
    return column;
  }

  const RecordBatch& batch_;
  EvalContext::Impl& context_;
  RowErrors* errors_;
};

// Gives back, at the end of a block, the buffers acquired in it.
class Scratch {
 public:
  explicit Scratch(EvalContext::Impl* context)
      : context_(context), columns_(context->columns.mark()), rows_(context->rows.mark()) {}
  ~Scratch() {
    context_->columns.ReleaseTo(columns_);
    context_->rows.ReleaseTo(rows_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

 private:
  EvalContext::Impl* context_;
  size_t columns_, rows_;
};

void CopyRows(const View& from, Selection selection, Column* out) {
  if (from.seen & kStringMask) {
    ForRows(selection, [&](uint32_t row) { out->Set(row, from.Get(row)); });
    return;
  }
  const View a = from;
  Cell* const cells = out->cells();
  Type* const tags = out->tags();
  ForRows(selection, [=](uint32_t row) {
    cells[row] = a.cell(row);
    tags[row] = a.type(row);
  });
  out->MarkSeen(a.seen);
}

View Evaluator::Operand(const Node& node, Selection selection) {
  if (node.kind == NodeKind::kLiteral) return ViewOfConstant(node.constant);
  if (node.kind == NodeKind::kField) {
    const bool there = node.column < batch_.columns.size() &&
                       batch_.columns[node.column].rows() >= batch_.rows;
    return there ? ViewOf(batch_.columns[node.column]) : ViewOfConstant(context_.null_column);
  }
  Column* column = Temporary();
  Evaluate(node, selection, column);
  return ViewOf(*column);
}

void Evaluator::Evaluate(const Node& node, Selection selection, Column* out) {
  const Scratch scratch(&context_);
  switch (node.kind) {
    case NodeKind::kLiteral:
    case NodeKind::kField: return CopyRows(Operand(node, selection), selection, out);
    case NodeKind::kNegate:
      return EvaluateNegate(Operand(node.child(0), selection), selection, out, errors_);
    case NodeKind::kArithmetic: {
      const View left = Operand(node.child(0), selection);
      const View right = Operand(node.child(1), selection);
      return EvaluateArithmetic(node.arithmetic, left, right, selection, out, errors_);
    }
    case NodeKind::kCompare: {
      const View left = Operand(node.child(0), selection);
      const View right = Operand(node.child(1), selection);
      return EvaluateCompare(node.compare, left, right, selection, out, errors_);
    }
    case NodeKind::kNot:
      return EvaluateNot(Operand(node.child(0), selection), selection, out, errors_);
    case NodeKind::kAnd:
    case NodeKind::kOr: return Logic(node, selection, out);
    case NodeKind::kIsNull: return IsNull(node, selection, out);
    case NodeKind::kIn: return In(node, selection, out);
    case NodeKind::kBetween: return Between(node, selection, out);
    case NodeKind::kLike: return LikeText(node, selection, out);
    case NodeKind::kCase: return Case(node, selection, out);
    case NodeKind::kCoalesce: return Coalesce(node, selection, out);
    case NodeKind::kConcat:
    case NodeKind::kCall: return Call(node, selection, out);
  }
}

// Fills `out` with the bools and nulls of `node`; other types are row errors.
void Evaluator::Condition(const Node& node, std::string_view name, Selection selection,
                          Column* out) {
  const bool computed = node.kind != NodeKind::kField && node.kind != NodeKind::kLiteral;
  if (computed && (node.type & ~(kBoolMask | kNullMask)) == 0) {
    return Evaluate(node, selection, out);
  }
  LoadCondition(Operand(node, selection), name, selection, out, errors_);
}

void Evaluator::Logic(const Node& node, Selection selection, Column* out) {
  const LogicOp op = node.kind == NodeKind::kAnd ? LogicOp::kAnd : LogicOp::kOr;
  Condition(node.child(0), op == LogicOp::kAnd ? "'and'" : "'or'", selection, out);
  for (size_t i = 1; i < node.children.size(); ++i) {
    const Scratch scratch(&context_);
    const Node& child = node.child(i);
    const uint32_t open = CountUndecided(op, *out, selection);
    if (open == 0) return;
    // Kernels run faster over everything than over a list of rows; where nothing can fail, the
    // rows that are already decided do no harm.
    if (open >= selection.count / 4 && NeverFails(child, batch_)) {
      CombineCondition(op, Operand(child, selection), selection, out, errors_);
      continue;
    }
    const Selection needed = Undecided(op, *out, selection, context_.rows.Acquire());
    CombineCondition(op, Operand(child, needed), needed, out, errors_);
  }
}

void Evaluator::IsNull(const Node& node, Selection selection, Column* out) {
  const View operand = Operand(node.child(0), selection);
  Cell* const cells = out->cells();
  Type* const tags = out->tags();
  const bool negated = node.negated;
  ForRows(selection, [=](uint32_t row) {
    cells[row].i = (operand.type(row) == Type::kNull) != negated ? 1 : 0;
    tags[row] = Type::kBool;
  });
  out->MarkSeen(kBoolMask);
}

void Evaluator::Between(const Node& node, Selection selection, Column* out) {
  const View operand = Operand(node.child(0), selection);
  const View low = Operand(node.child(1), selection);
  const View high = Operand(node.child(2), selection);
  if (((operand.seen | low.seen | high.seen) & ~kNumberMask) != 0) {
    return EvaluateBetween(operand, low, high, node.negated, selection, out, errors_);
  }
  // Numbers cannot fail, and the kernels of comparisons are faster.
  Column* above = Temporary();
  Column* below = node.negated ? Temporary() : out;
  EvaluateCompare(CompareOp::kGreaterEqual, operand, low, selection, above, errors_);
  EvaluateCompare(CompareOp::kLessEqual, operand, high, selection, below, errors_);
  CombineCondition(LogicOp::kAnd, ViewOf(*above), selection, below, errors_);
  if (node.negated) EvaluateNot(ViewOf(*below), selection, out, errors_);
}

void Evaluator::In(const Node& node, Selection selection, Column* out) {
  const View operand = Operand(node.child(0), selection);
  bool simple = true;
  for (size_t i = 1; i < node.children.size(); ++i) {
    const NodeKind kind = node.child(i).kind;
    simple = simple && (kind == NodeKind::kLiteral || kind == NodeKind::kField);
  }
  if (!simple) return InComputed(node, operand, selection, out);
  auto& views = context_.views;
  const size_t base = views.size();
  for (size_t i = 1; i < node.children.size(); ++i) {
    views.push_back(Operand(node.child(i), selection));
  }
  EvaluateIn(operand, &views[base], views.size() - base, node.negated, selection, out, errors_);
  views.resize(base);
}

// Elements that must be computed are so only for rows that no earlier element equals: `in` is a
// chain of `or`, except that nothing is computed for a null operand.
void Evaluator::InComputed(const Node& node, const View& operand, Selection selection,
                           Column* out) {
  Column* found = node.negated ? Temporary() : out;
  std::vector<uint32_t>* rows = context_.rows.Acquire();
  rows->clear();
  ForRows(selection, [&](uint32_t row) {
    if (operand.type(row) == Type::kNull) return;
    rows->push_back(row);
    found->SetBool(row, false);
  });
  const Selection present = {rows->data(), static_cast<uint32_t>(rows->size())};
  for (size_t i = 1; i < node.children.size(); ++i) {
    const Scratch scratch(&context_);
    const Selection open = Undecided(LogicOp::kOr, *found, present, context_.rows.Acquire());
    if (open.count == 0) break;
    const View element = Operand(node.child(i), open);
    Column* equal = Temporary();
    EvaluateCompare(CompareOp::kEqual, operand, element, open, equal, errors_);
    CombineCondition(LogicOp::kOr, ViewOf(*equal), open, found, errors_);
  }
  if (node.negated) EvaluateNot(ViewOf(*found), selection, out, errors_);
}

void Evaluator::LikeText(const Node& node, Selection selection, Column* out) {
  const View text = Operand(node.child(0), selection);
  const View pattern = Operand(node.child(1), selection);
  ForRows(selection, [&](uint32_t row) {
    const Type t = text.type(row), p = pattern.type(row);
    out->SetNull(row);
    if (t == Type::kNull || p == Type::kNull) return;
    if (t != Type::kString || p != Type::kString) {
      const Type wrong = t != Type::kString ? t : p;
      return errors_->Add(row, "'like' needs string, found " + std::string(TypeName(wrong)));
    }
    out->SetBool(row, Like(text.text(row), pattern.text(row)) != node.negated);
  });
}

// Where `operand = when`, or without an operand where the condition `when` is true.
View Evaluator::WhenTrue(const Node& node, const View& operand, size_t when, Selection selection) {
  const View value = Operand(node.child(when), selection);
  if (!node.has_operand) return value;
  Column* equal = Temporary();
  EvaluateCompare(CompareOp::kEqual, operand, value, selection, equal, errors_);
  return ViewOf(*equal);
}

void Evaluator::Case(const Node& node, Selection selection, Column* out) {
  View operand;
  if (node.has_operand) operand = Operand(node.child(0), selection);
  const size_t branches_end = node.children.size() - (node.has_else ? 1 : 0);
  std::vector<uint32_t>* matched = context_.rows.Acquire();
  std::vector<uint32_t>* rest = context_.rows.Acquire();
  for (size_t i = node.has_operand ? 1 : 0; i < branches_end && selection.count > 0; i += 2) {
    const Scratch scratch(&context_);
    const View condition = WhenTrue(node, operand, i, selection);
    SplitByCondition(condition, selection, matched, rest, "a 'when' condition", errors_);
    const Selection taken = {matched->data(), static_cast<uint32_t>(matched->size())};
    if (taken.count > 0) CopyRows(Operand(node.child(i + 1), taken), taken, out);
    selection = {rest->data(), static_cast<uint32_t>(rest->size())};
  }
  if (!node.has_else || selection.count == 0) return;
  CopyRows(Operand(*node.children.back(), selection), selection, out);
}

void Evaluator::Coalesce(const Node& node, Selection selection, Column* out) {
  std::vector<uint32_t>* rest = context_.rows.Acquire();
  for (const NodePtr& child : node.children) {
    const Scratch scratch(&context_);
    const View value = Operand(*child, selection);
    CopyRows(value, selection, out);
    rest->resize(selection.count);
    uint32_t kept = 0;
    ForRows(selection, [&](uint32_t row) {
      if (value.type(row) == Type::kNull) (*rest)[kept++] = row;
    });
    rest->resize(kept);
    if (kept == 0) return;
    selection = {rest->data(), kept};
  }
}

void Evaluator::Call(const Node& node, Selection selection, Column* out) {
  auto& views = context_.views;
  const size_t base = views.size();
  for (const NodePtr& child : node.children) {
    const View view = Operand(*child, selection);
    views.push_back(view);
  }
  const std::span<const View> arguments(views.data() + base, views.size() - base);
  if (node.kind == NodeKind::kConcat) {
    EvaluateConcat(arguments, selection, &context_, out);
  } else {
    EvaluateCall(*node.function, node.prepared.get(), arguments, selection, &context_, out);
  }
  views.resize(base);
}

}  // namespace

void EvaluateTree(const Node& root, const RecordBatch& batch, Selection selection,
                  EvalContext::Impl* context, Column* out) {
  out->Reset(batch.rows);
  if (selection.count == 0) return;
  Evaluator(batch, context).Evaluate(root, selection, out);
}

}  // namespace rivulet::expr
