// From a fault inside an expression to a place in the file.
#include "node/config/config_error.h"
#include "operators/expr/program.h"
#include "tests/node/config_test_util.h"

namespace rivulet {
namespace {

using config_test::Pipeline;

TEST_CASE("an error prints its place, number and message") {
  const ConfigError error{"pipelines/a.yaml", 7, 12, ErrorCode::kUnknownName,
                          "'celsuis' (did you mean 'celsius'?)"};
  CHECK(error.ToString() ==
        "pipelines/a.yaml:7:12: E2002 unknown field name: 'celsuis' (did you mean 'celsius'?)");
  ConfigError whole = error;
  whole.line = 0;
  CHECK(whole.ToString().starts_with("pipelines/a.yaml: E2002 "));
  whole.file.clear();
  CHECK(whole.ToString().starts_with("E2002 "));
}

// The place in the file of `word` inside the first step's condition.
ConfigError Locate(const std::string& where, const std::string& word) {
  const auto read = Pipeline("pipeline: p\nsource: { mqtt: a }\nsteps:\n  - where: " + where +
                             "\nsinks: { stdout: true }\n");
  REQUIRE(read.ok);
  const MarkedText& text = std::get<WhereStep>(read.spec.steps[0].what).condition;
  expr::Diagnostic diagnostic;
  diagnostic.code = ErrorCode::kUnknownName;
  diagnostic.offset = text.text.find(word);
  diagnostic.message = "'" + word + "'";
  REQUIRE(diagnostic.offset != std::string::npos);
  return LocateDiagnostic(read.spec.file, text, diagnostic);
}

TEST_CASE("a fault in an expression is located in the file") {
  const ConfigError plain = Locate("celsius > low", "low");
  CHECK(plain.ToString() == "p.yaml:4:22: E2002 unknown field name: 'low'");
  CHECK(Locate("'celsius > low'", "low").column == 23);
  CHECK(Locate("\"celsius > low\"", "low").column == 23);
  const ConfigError block = Locate("|\n      celsius >\n        low", "low");
  CHECK(block.line == 6);
  CHECK(block.column == 9);
  const ConfigError after_blank = Locate("|\n\n      celsius >\n        low", "celsius");
  CHECK(after_blank.line == 6);
  CHECK(after_blank.column == 7);
}

TEST_CASE("an offset behind the text stays at its end; text from nowhere has no place") {
  expr::Diagnostic diagnostic;
  diagnostic.code = ErrorCode::kExpressionSyntax;
  diagnostic.offset = 99;
  const ConfigError end = LocateDiagnostic("f", MarkedText{"abc", {2, 5}}, diagnostic);
  CHECK(end.line == 2);
  CHECK(end.column == 8);
  CHECK(LocateDiagnostic("f", MarkedText{"abc", {}}, diagnostic).line == 0);
}

}  // namespace
}  // namespace rivulet
