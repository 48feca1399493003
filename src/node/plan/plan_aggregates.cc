// The parts of Planner that concern `aggregate`: calls of aggregates, and expressions over them.
//
// Of `round(sum(wh) / 1000, 1) where ok` the window computes `sum(wh) where ok`, under a name that no field
// can have, and a step behind the window the rest.

#include <algorithm>

#include "node/plan/planner.h"
#include "operators/expr/lexer.h"

namespace rivulet {
namespace {

using expr::TokenKind;

// How the text of an output is built, as far as its tokens show it.
struct AggregateShape {
  bool one_call = true;                     // one call and nothing around it, or nothing that could be one
  size_t where = std::string::npos;         // `where` behind it all, and what follows it; npos: none
  size_t filter = std::string::npos;
};

class ShapeReader {
 public:
  ShapeReader(std::string_view text, std::vector<std::string> aggregates)
      : aggregates_(std::move(aggregates)) {
    expr::Diagnostic diagnostic;
    expr::Lexer lexer(text, &diagnostic);
    do {
      tokens_.push_back(lexer.Next());
    } while (tokens_.back().kind != TokenKind::kEnd && tokens_.back().kind != TokenKind::kError);
  }

  AggregateShape Read() {
    AggregateShape shape;
    size_t calls = 0, closed = 0;  // the last token of what the text begins with
    int depth = 0;
    for (size_t i = 0; i + 1 < tokens_.size(); ++i) {
      const TokenKind kind = tokens_[i].kind;
      if (kind == TokenKind::kOpen) ++depth;
      if (kind == TokenKind::kClose && --depth == 0 && closed == 0) closed = i;
      if (kind == TokenKind::kWhere && depth == 0) {
        shape.where = tokens_[i].offset;
        shape.filter = tokens_[i + 1].offset;
        break;
      }
      if (IsAggregate(i)) ++calls;
    }
    const bool whole = IsAggregate(0) && (closed + 1 == tokens_.size() - 1 ||
                                          tokens_[closed + 1].offset == shape.where);
    shape.one_call = whole || calls == 0;
    return shape;
  }

 private:
  bool IsAggregate(size_t i) const {
    return tokens_[i].kind == TokenKind::kName && i + 1 < tokens_.size() &&
           tokens_[i + 1].kind == TokenKind::kOpen &&
           std::binary_search(aggregates_.begin(), aggregates_.end(), expr::AsciiLower(tokens_[i].source));
  }

  std::vector<std::string> aggregates_;
  std::vector<expr::Token> tokens_;
};

}  // namespace

// The next output of the window; its column in the results.
bool Planner::AddAggregate(const std::string& name, const expr::AggregateCall& call, expr::Scope* results,
                           expr::Diagnostic* diagnostic) {
  size_t offset = 0;
  const Status status = plan_->aggregates.Add(name, call, &offset);
  if (!status.ok()) {
    *diagnostic = {status.code(), offset, status.message()};
    return false;
  }
  const size_t output = plan_->aggregates.outputs() - 1;
  aggregate_columns_.push_back({name, results->Define(name, plan_->aggregates.output_type(output)),
                                plan_->aggregates.output_is_json(output)});
  return true;
}

// A call within an expression.
bool Planner::TakeAggregate(expr::AggregateCall call, expr::Scope* results, std::string* field,
                            expr::Diagnostic* diagnostic) {
  call.filter = aggregate_filter_;
  for (const expr::Program& filter : aggregate_filter_) call.canonical += " where " + filter.canonical();
  // Back quotes cannot be part of a name, so this can collide with none.
  *field = "`" + call.canonical + "`";
  return results->Find(*field) != nullptr || AddAggregate(*field, call, results, diagnostic);
}

bool Planner::CompileOutput(const std::string& name, const std::string& text, expr::Scope* results,
                            std::optional<expr::Program>* program, expr::Diagnostic* diagnostic) {
  const AggregateShape shape = ShapeReader(text, AggregatePlan::Names()).Read();
  if (shape.one_call) {
    const Result<expr::AggregateCall> call = expr::CompileAggregate(text, &scope_, diagnostic);
    return call.ok() && AddAggregate(name, *call, results, diagnostic);
  }
  aggregate_filter_.clear();
  if (shape.where != std::string::npos) {
    const std::string any = "count() where ";
    Result<expr::AggregateCall> call =
        expr::CompileAggregate(any + text.substr(shape.filter), &scope_, diagnostic);
    if (!call.ok()) {
      diagnostic->offset = shape.filter + diagnostic->offset - std::min(any.size(), diagnostic->offset);
      return false;
    }
    aggregate_filter_ = std::move(call->filter);
  }
  over_records_ = true;
  results->SetElements(this);
  Result<expr::Program> whole = expr::Program::Compile(text.substr(0, shape.where), results, diagnostic);
  results->SetElements(nullptr);
  over_records_ = false;
  if (!whole.ok()) return false;
  *program = std::move(*whole);
  return true;
}

// Results have a column for each call of an aggregate, in order, and behind them one for each expression.
void Planner::PlanAggregates(const WindowStep& step) {
  if (step.aggregates.empty()) {
    faults_.Add(step.mark, ErrorCode::kMissingSetting,
                "'window' needs 'aggregate', for example aggregate: { samples: count() }");
  }
  expr::Scope results = ResultScope();
  std::vector<std::pair<std::string, std::optional<expr::Program>>> outputs;
  for (const auto& [name, text] : step.aggregates) {
    const auto is_key = std::find(plan_->key_names.begin(), plan_->key_names.end(), name.text);
    if (is_key != plan_->key_names.end()) {
      Fault(name, ErrorCode::kNameTaken, "'" + name.text + "' is a key field");
      continue;
    }
    if (!CheckNewName(name)) continue;
    std::optional<expr::Program> program;
    expr::Diagnostic diagnostic;
    const std::vector<Hyphenated> hyphenated = FindHyphenated(text.text, &results);
    const bool good = CompileOutput(name.text, text.text, &results, &program, &diagnostic);
    TakeNewFields();
    if (good) {
      NoteHyphenated(text, hyphenated);
      outputs.emplace_back(name.text, std::move(program));
    } else {
      HintAtBackQuotes(hyphenated, &diagnostic);
      errors_->push_back(LocateDiagnostic(spec_.file, text, diagnostic));
      results.Define(name.text, kAnyType);  // or every use of it would be a fault too
    }
  }
  const AggregatePlan& aggregates = plan_->aggregates;
  for (size_t i = 0; i < aggregates.arguments().size(); ++i) {
    PlanArgument(aggregates.arguments()[i]);
  }
  FinishRecords();
  for (auto& [name, program] : outputs) PlanOutput(name, std::move(program), &results);
  for (const auto& [name, program] : outputs) plan_->aggregate_types[name] = results.Find(name)->type;
  EnterResults(std::move(results));
}

void Planner::PlanOutput(const std::string& name, std::optional<expr::Program> program,
                         expr::Scope* results) {
  const auto is = [&](const ResultEncoder::Field& f) {
    return program ? static_cast<int32_t>(f.column) == program->column() : f.name == name;
  };
  const auto of = std::find_if(aggregate_columns_.begin(), aggregate_columns_.end(), is);
  ResultEncoder::Field field{name, 0, of != aggregate_columns_.end() && of->json};
  if (program) {
    field.column = results->Define(name, program->type());
    plan_->after.AddSet(field.column, std::move(*program));
  } else {
    field.column = of->column;
  }
  plan_->result_fields.push_back(field);
}

void Planner::PlanArgument(const expr::Program& program) {
  if (program.column() >= 0) {
    plan_->argument_columns.push_back(static_cast<uint32_t>(program.column()));
    return;
  }
  // Back quotes cannot be part of a plain name, so this can collide with none.
  const uint32_t column = scope_.Define("`" + program.canonical() + "`", program.type());
  known_fields_ = scope_.fields().size();
  plan_->argument_columns.push_back(column);
  plan_->arguments.AddSet(column, program);
}

}  // namespace rivulet
