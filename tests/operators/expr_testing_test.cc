#include "tests/operators/expr_testing.h"

#include <doctest/doctest.h>

#include "operators/expr/convert.h"

namespace rivulet::expr {
namespace {

std::string ShowDiagnostic(const Diagnostic& d) {
  return "E" + std::to_string(static_cast<int>(d.code)) + " at " + std::to_string(d.offset);
}

}  // namespace

std::string Show(const Value& value) {
  std::string text(TypeName(value.type));
  if (value.is_null()) return text;
  text += ' ';
  AppendText(value, &text);
  return text;
}

std::string Eval(std::string_view text, const Row& row) {
  Scope scope(true);
  for (const auto& [name, value] : row) scope.Define(name, kAnyType);
  Diagnostic diagnostic;
  const Result<Program> program = Program::Compile(text, &scope, &diagnostic);
  if (!program.ok()) return ShowDiagnostic(diagnostic) + ": " + diagnostic.message;
  RecordBatch batch;
  batch.Reset(scope.column_count(), 1);
  batch.rows = 1;
  for (uint32_t c = 0; c < row.size(); ++c) batch.columns[c].Set(0, row[c].second);
  EvalContext context;
  Column out;
  std::vector<RowError> errors;
  program->Evaluate(batch, Selection::All(1), &context, &out, &errors);
  if (errors.empty()) return Show(out.Get(0));
  CHECK(errors.size() == 1);
  CHECK(errors[0].code == ErrorCode::kEvaluation);
  CHECK(out.is_null(0));
  return "error: " + errors[0].detail;
}

std::string CompileError(std::string_view text, const std::vector<Field>& fields,
                         std::string* message) {
  Scope scope;
  for (const Field& field : fields) scope.Define(field.name, field.type);
  Diagnostic diagnostic;
  const Result<Program> program = Program::Compile(text, &scope, &diagnostic);
  if (program.ok()) return "ok";
  CHECK(program.status().code() == diagnostic.code);
  CHECK(program.status().message() == diagnostic.message);
  if (message != nullptr) *message = diagnostic.message;
  return ShowDiagnostic(diagnostic);
}

std::string Canonical(std::string_view text) {
  Scope scope(true);
  Diagnostic diagnostic;
  const Result<Program> program = Program::Compile(text, &scope, &diagnostic);
  return program.ok() ? program->canonical() : ShowDiagnostic(diagnostic);
}

}  // namespace rivulet::expr
