#include <doctest/doctest.h>

#include <numeric>

#include "operators/expr/scope.h"
#include "operators/steps/step_chain.h"

namespace rivulet {
namespace {

class Fixture {
 public:
  Fixture() : scope_(true) {
    scope_.Resolve("v");
  }
  void Set(const std::string& name, const std::string& text) {
    expr::Program program = Compile(text);
    const uint32_t column = scope_.Define(name, program.type());
    chain_.AddSet(column, std::move(program));
    column_ = column;
  }
  void Where(const std::string& text) { chain_.AddWhere(Compile(text)); }

  // Rows that are left, over records whose only field is v.
  std::vector<uint32_t> Run(const std::vector<Value>& values) {
    batch.Reset(scope_.column_count(), static_cast<uint32_t>(values.size()) + 3);
    batch.rows = static_cast<uint32_t>(values.size());
    for (uint32_t i = 0; i < batch.rows; ++i) batch.columns[0].Set(i, values[i]);
    std::vector<uint32_t> rows(batch.rows);
    std::iota(rows.begin(), rows.end(), 0u);
    errors.clear();
    chain_.Run(&batch, &rows, &scratch_, &errors);
    return rows;
  }
  Value Last(uint32_t row) { return batch.columns[column_].Get(row); }
  bool empty() const { return chain_.empty(); }

  RecordBatch batch;
  std::vector<RowError> errors;

 private:
  expr::Program Compile(const std::string& text) {
    expr::Diagnostic diagnostic;
    Result<expr::Program> program = expr::Program::Compile(text, &scope_, &diagnostic);
    REQUIRE_MESSAGE(program.ok(), program.status().ToString());
    return *program;
  }

  expr::Scope scope_;
  StepChain chain_;
  StepScratch scratch_;
  uint32_t column_ = 0;
};

using Rows = std::vector<uint32_t>;
Value I(int64_t v) { return Value::Int(v); }

}  // namespace

TEST_CASE("where keeps what is true") {
  Fixture f;
  CHECK(f.empty());
  f.Where("v > 1");
  CHECK_FALSE(f.empty());
  CHECK(f.Run({I(1), I(2), Value::Null(), I(3)}) == Rows{1, 3});
  CHECK(f.Run({}) == Rows{});
  CHECK(f.Run({I(5)}) == Rows{0});
}

TEST_CASE("steps run in order, on the rows that are left") {
  Fixture f;
  f.Set("w", "v + 1");
  f.Set("w", "w * 10");  // reads the field it replaces
  f.Where("w > 20");
  f.Set("x", "100 / v");
  CHECK(f.Run({I(1), I(2), I(3)}) == Rows{1, 2});
  CHECK(f.Last(1).f == 50.0);
}

TEST_CASE("rows at fault leave, once, and the others go on") {
  Fixture f;
  f.Set("w", "v * 2");
  f.Set("x", "v * 3");
  CHECK(f.Run({I(1), Value::String("a"), I(2), Value::String("b")}) == Rows{0, 2});
  REQUIRE(f.errors.size() == 2);
  CHECK(f.errors[0].row == 1);
  CHECK(f.errors[1].row == 3);
  CHECK(f.errors[0].code == ErrorCode::kEvaluation);
  CHECK(f.Last(2).i == 6);
}

TEST_CASE("failed rows are taken out in any order") {
  std::vector<uint32_t> rows = {0, 2, 4, 6, 8};
  const std::vector<RowError> errors = {{0, ErrorCode::kEvaluation, ""},
                                        {8, ErrorCode::kEvaluation, ""},
                                        {2, ErrorCode::kEvaluation, ""},
                                        {5, ErrorCode::kEvaluation, ""}};
  RemoveFailedRows(errors, 1, &rows);
  CHECK(rows == Rows{0, 4, 6});
  RemoveFailedRows(errors, 4, &rows);
  CHECK(rows == Rows{0, 4, 6});
}

}  // namespace rivulet
