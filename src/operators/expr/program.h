// Expressions: parsed once, compiled once, run over whole batches.
//
// Language: SQL's null and number rules (design: a missing field is null; arithmetic and comparisons
// with null are null; and/or/not are three-valued; `/` is float division, `div` integer division
// and `%` modulo that floors; int + - * overflow to float... see docs/pipelines.md for the whole
// vocabulary).
//
//   literals   12  1.5e3  'text' "text"  true false null   duration literals: 5s, 250ms (int, ms)
//   names      speed   engine.rpm   `odd name`
//   operators  or; and; not; = == != <> < <= > >= , [not] in (..), [not] between a and b,
//              is [not] null, [not] like 'a%'; + - || ; * / % div; unary -; ^ (power)
//   case when c then v [when ..] [else v] end;   function(args)
//
// A record for which an expression cannot be evaluated (for example 'abc' * 2) is reported in
// `errors` and becomes a dead letter; it never stops the batch.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/record_batch.h"
#include "base/status.h"
#include "operators/expr/scope.h"

namespace rivulet::expr {

// Where in the text a compile error lies, for file:line:column reports.
struct Diagnostic {
  ErrorCode code = ErrorCode::kOk;
  size_t offset = 0;    // byte offset into the expression text
  std::string message;  // what was found, what was expected, the nearest valid name
};

// Scratch memory of one evaluating thread; reused from batch to batch.
class EvalContext {
 public:
  EvalContext();
  ~EvalContext();
  EvalContext(EvalContext&&) noexcept;
  EvalContext& operator=(EvalContext&&) noexcept;
  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// A compiled expression. Immutable: many threads may evaluate one program, each with its own
// EvalContext.
class Program {
 public:
  struct Impl;
  explicit Program(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

  // Compiles `text` against the names of `scope` (an open scope grows). On failure fills
  // `*diagnostic` and returns its Status. Depth is limited (kExpressionTooDeep), so hostile text
  // cannot overflow the stack.
  static Result<Program> Compile(std::string_view text, Scope* scope, Diagnostic* diagnostic);

  // Computes the expression for the selected rows of `batch` into `out`, which must not be a column
  // of the batch that the expression reads and is Reset to batch.rows rows here. Rows that fail
  // are null in `out` and appended to `errors` in ascending row order. Results for a row never
  // depend on which other rows are in the batch.
  void Evaluate(const RecordBatch& batch, Selection selection, EvalContext* context, Column* out,
                std::vector<RowError>* errors) const;

  StaticType type() const;
  // When the expression is just a field, its column; otherwise -1. Saves a copy.
  int32_t column() const;
  // Its value, when it is the same for every record; text is a view into the program.
  std::optional<Value> constant() const;
  // Appends the columns it reads.
  void AddColumns(std::vector<uint32_t>* columns) const;
  // The text it was compiled from, in canonical spelling (spaces and parentheses normalised): two
  // programs with equal canonical text over the same scope compute the same.
  const std::string& canonical() const;

 private:
  std::shared_ptr<const Impl> impl_;
};

// `avg(speed * 3.6)`, `count()`, `count() where speed > 120`: one aggregate call as written. Which
// aggregates exist, and how many arguments each takes, is the aggregate registry's business.
struct AggregateCall {
  std::string function;             // lower case
  size_t function_offset = 0;       // for diagnostics
  std::vector<Program> arguments;
  std::vector<size_t> argument_offsets;  // likewise
  std::vector<Program> filter;      // empty, or one boolean program
  std::string canonical;
};
Result<AggregateCall> CompileAggregate(std::string_view text, Scope* scope, Diagnostic* diagnostic);

// True when `name` can be used without back quotes: letters, digits, '_' and '.', no keyword.
bool IsPlainName(std::string_view name);

// Names of all functions, sorted, for `did you mean` and the docs check.
std::vector<std::string> FunctionNames();

}  // namespace rivulet::expr
