// Expressions and aggregate calls: compiled, printed, and evaluated over a batch of edge cases.
// Input: a byte (odd: any name is a field), then the text.
#include <limits>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "operators/aggregate/aggregate_plan.h"
#include "operators/expr/event_time_call.h"
#include "operators/expr/program.h"
#include "tests/fuzz/fuzz_target.h"

namespace rivulet::expr {
namespace {

using fuzz::Require;

constexpr uint32_t kRows = 10;
constexpr uint32_t kFields = 6;
constexpr uint32_t kColumns = kFields + 1;  // and event times
constexpr size_t kMaxText = 4096;  // as long as no expression of a pipeline should be

class EventTimes final : public EventTimeCalls {
 public:
  bool TakeEventTime(const EventTimeCall& call, Field* field, Diagnostic* diagnostic) override {
    field->column = kFields;
    field->type = MaskOf(Type::kInt) | MaskOf(Type::kNull);
    if (call.of.empty() || call.of == "s") return true;
    *diagnostic = {ErrorCode::kUnknownFunction, call.offset, "no side"};
    return false;
  }
};

Scope MakeScope(bool open) {
  static EventTimes event_times;
  Scope scope(open);
  for (const char* name : {"i", "f", "s", "b", "m", "odd name"}) scope.Define(name, kAnyType);
  scope.AddColumn();
  scope.SetEventTime(&event_times, "");
  return scope;
}

RecordBatch MakeBatch() {
  static const int64_t kInts[] = {0, 1, -1, 7, 1'700'000'000'000, int64_t{1} << 53,
                                  std::numeric_limits<int64_t>::max(),
                                  std::numeric_limits<int64_t>::min()};
  static const double kFloats[] = {0.0,    -0.0,   2.5,    -3,
                                   1e300,  0x1p63, std::numeric_limits<double>::infinity(),
                                   std::numeric_limits<double>::quiet_NaN()};
  static const char* const kTexts[] = {"",      "a",  "gr\xc3\xbc\xc3\x9f", "12", "1e400",
                                       "a%_b\\", "\xff\xfe", "2017-03-21T00:00:02Z"};
  RecordBatch batch;
  batch.Reset(kColumns, kRows);
  batch.rows = kRows;
  for (uint32_t row = 0; row < 8; ++row) {
    batch.columns[0].SetInt(row, kInts[row]);
    batch.columns[1].SetFloat(row, kFloats[row]);
    batch.columns[2].SetString(row, kTexts[row]);
    batch.columns[3].SetBool(row, row % 2 == 0);
    batch.columns[kFields].SetInt(row, kInts[row]);
    switch (row % 4) {
      case 0: batch.columns[4].SetInt(row, kInts[row]); break;
      case 1: batch.columns[4].SetFloat(row, kFloats[row]); break;
      case 2: batch.columns[4].SetString(row, kTexts[row]); break;
      default: batch.columns[4].SetBool(row, true); break;
    }
  }
  return batch;
}

std::vector<std::string> Outcomes(const Program& program, const RecordBatch& batch,
                                  Selection selection, EvalContext* context) {
  Column out;
  std::vector<RowError> errors;
  program.Evaluate(batch, selection, context, &out, &errors);
  std::vector<std::string> outcomes(batch.rows);
  for (uint32_t k = 0; k < selection.count; ++k) {
    const uint32_t row = selection[k];
    outcomes[row] = std::string(TypeName(out.type(row))) + " ";
    AppendJsonValue(&outcomes[row], out.Get(row));
  }
  for (size_t e = 0; e < errors.size(); ++e) {
    Require(e == 0 || errors[e - 1].row < errors[e].row, "errors come in order of rows");
    Require(errors[e].row < batch.rows && out.is_null(errors[e].row), "a row at fault is null");
    outcomes[errors[e].row] += " error " + errors[e].detail;
  }
  return outcomes;
}

void CheckDiagnostic(const Diagnostic& diagnostic, size_t text_size) {
  Require(diagnostic.code != ErrorCode::kOk && !diagnostic.message.empty(), "a fault is explained");
  Require(diagnostic.offset <= text_size, "a fault lies within the text");
}

void CheckProgram(const Program& program, bool open) {
  Scope scope = MakeScope(open);
  Diagnostic diagnostic;
  const Result<Program> again = Program::Compile(program.canonical(), &scope, &diagnostic);
  // The canonical text may be longer, and so nested more deeply, than what was written.
  if (again.ok()) {
    Require(again->canonical() == program.canonical(), "canonical text is canonical");
  } else {
    Require(diagnostic.code == ErrorCode::kExpressionTooDeep, "canonical text compiles");
  }
  static const RecordBatch batch = MakeBatch();
  static EvalContext context;
  const std::vector<std::string> whole =
      Outcomes(program, batch, Selection::All(batch.rows), &context);
  static const uint32_t kSome[] = {1, 4, 5, 8};
  const std::vector<std::string> some = Outcomes(program, batch, {kSome, 4}, &context);
  for (const uint32_t row : kSome) {
    Require(some[row] == whole[row], "a record's result depends on no other record");
  }
}

}  // namespace
}  // namespace rivulet::expr

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rivulet;
  using namespace rivulet::expr;
  fuzz::Input input(data, size);
  const bool open = (input.Byte() & 1) != 0;
  const std::string_view text = input.Take(kMaxText);
  Scope scope = MakeScope(open);
  Diagnostic diagnostic;
  const Result<Program> program = Program::Compile(text, &scope, &diagnostic);
  if (program.ok()) {
    CheckProgram(*program, open);
  } else {
    CheckDiagnostic(diagnostic, text.size());
  }
  const Result<AggregateCall> call = CompileAggregate(text, &scope, &diagnostic);
  if (!call.ok()) {
    CheckDiagnostic(diagnostic, text.size());
    return 0;
  }
  AggregatePlan plan;
  const Status status = plan.Add("out", *call);
  fuzz::Require(status.ok() == (plan.outputs() == 1), "an aggregate is added or refused");
  return 0;
}
