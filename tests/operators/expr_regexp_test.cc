#include <doctest/doctest.h>

#include "tests/operators/expr_testing.h"

namespace rivulet::expr {
namespace {

TEST_CASE("regexp: functions") {
  CHECK(Eval("regexp_matches('abc', 'b')") == "bool true");
  CHECK(Eval("regexp_matches('abc', '^b')") == "bool false");
  CHECK(Eval("regexp_matches('ABC', '(?i)b')") == "bool true");
  CHECK(Eval("regexp_matches('', '')") == "bool true");
  CHECK(Eval("regexp_matches('', 'a')") == "bool false");
  CHECK(Eval("regexp_matches(null, 'a')") == "null");
  CHECK(Eval("regexp_matches('a', null)") == "null");
  CHECK(Eval("regexp_matches('\xff\xfe', '^..$')") == "bool false");  // stray bytes are no letters
  CHECK(Eval("regexp_matches('\xc3\xa4', '^.$')") == "bool true");
  CHECK(Eval("regexp_extract('id=42;', 'id=(\\d+)', 1)") == "string 42");
  CHECK(Eval("regexp_extract('id=42;', 'id=(\\d+)')") == "string id=42");
  CHECK(Eval("regexp_extract('id=42;', 'id=(\\d+)', 0)") == "string id=42");
  CHECK(Eval("regexp_extract('x', 'id')") == "null");
  CHECK(Eval("regexp_extract('ac', 'a(b)?c', 1)") == "null");
  CHECK(Eval("regexp_extract('ac', 'a(b*)c', 1)") == "string ");
  CHECK(Eval("regexp_replace('a.b.c', '\\.', '-')") == "string a-b-c");
  CHECK(Eval("regexp_replace('john smith', '(\\w+) (\\w+)', '\\2, \\1\\\\')") ==
        "string smith, john\\");
  CHECK(Eval("regexp_replace('abc', '', '-')") == "string -a-b-c-");
  CHECK(Eval("regexp_replace('baac', 'a*', 'x')") == "string xbxcx");
  CHECK(Eval("regexp_replace('\xc3\xa4', '', '-')") == "string -\xc3\xa4-");
  CHECK(Eval("regexp_replace('abc', 'x', '-')") == "string abc");
  CHECK(Eval("regexp_replace('', 'x*', '-')") == "string -");
  CHECK(Eval("regexp_count('banana', 'an')") == "int 2");
  CHECK(Eval("regexp_count('', '')") == "int 1");
  CHECK(Eval("regexp_count('abc', '')") == "int 4");
}

TEST_CASE("regexp: faults of constants are found at compile time, at their place") {
  const std::vector<Field> fields = {{"s", MaskOf(Type::kString), 0}, {"p", kAnyType, 1}};
  std::string message;
  CHECK(CompileError("1 = 1 and regexp_matches(s, 'a(b')", fields, &message) == "E2012 at 28");
  CHECK(message == "regexp_matches: 'a(b' is not a regular expression: missing ): a(b");
  CHECK(CompileError("regexp_matches(s, '[' || 'a')", fields) == "E2012 at 22");
  CHECK(CompileError("regexp_extract(s, '(a)', 2)", fields, &message) == "E2012 at 25");
  CHECK(message == "regexp_extract: group 2 asked for, the pattern has 0 to 1");
  CHECK(CompileError("regexp_extract(s, '(a)', -1)", fields) == "E2012 at 25");
  CHECK(CompileError("regexp_replace(s, 'a', '\\1')", fields, &message) == "E2012 at 23");
  CHECK(message == "regexp_replace: '\\1' in the replacement, the pattern has 0 groups");
  CHECK(CompileError("regexp_replace(s, 'a', 'x\\')", fields) == "E2012 at 23");
  CHECK(CompileError("regexp_replace(s, '(', p)", fields) == "E2012 at 18");
  CHECK(CompileError("regexp_count('x', '*')", fields) == "E2012 at 18");
  CHECK(CompileError("regexp_matches(s, '(((a{1,1000}){1,1000}){1,1000})')", fields) ==
        "E2012 at 18");
  CHECK(CompileError("regexp_matches(s, repeat('a', 4097))", fields) == "E2012 at 18");
  CHECK(CompileError("regexp_matches(s, p)", fields) == "ok");
  CHECK(CompileError("regexp_matches(1, 'a')", fields) == "E2005 at 15");
}

TEST_CASE("regexp: patterns that come with the records") {
  const auto matches = [](std::string_view p) {
    return Eval("regexp_matches('abc', p)", {{"p", Value::String(p)}});
  };
  CHECK(matches("b.") == "bool true");
  CHECK(matches("x") == "bool false");
  CHECK(matches("(") == "error: regexp_matches: '(' is not a regular expression: missing ): (");
  CHECK(Eval("regexp_matches('abc', p)", {{"p", Value::Int(1)}}) ==
        "error: regexp_matches needs string as argument 2, found int");
  CHECK(Eval("regexp_replace(s, s, s)", {{"s", Value::String("b")}}) == "string b");

  // More patterns than are kept, each for several records.
  Scope scope(true);
  Diagnostic diagnostic;
  const Result<Program> program = Program::Compile("regexp_extract(s, p)", &scope, &diagnostic);
  REQUIRE(program.ok());
  RecordBatch batch;
  batch.Reset(scope.column_count(), 300);
  batch.rows = 300;
  for (uint32_t row = 0; row < 300; ++row) {
    batch.columns[0].SetString(row, "a" + std::to_string(row % 13) + "z");
    batch.columns[1].SetString(row, "a" + std::to_string(row % 13) + "|z" +
                                        (row % 50 == 49 ? "(" : ""));
  }
  EvalContext context;
  Column out;
  std::vector<RowError> errors;
  program->Evaluate(batch, Selection::All(300), &context, &out, &errors);
  CHECK(errors.size() == 6);
  for (uint32_t row = 0; row < 300; ++row) {
    if (row % 50 != 49) CHECK(out.String(row) == "a" + std::to_string(row % 13));
  }
}

TEST_CASE("regexp: what looks for every match is bounded") {
  CHECK(Eval("regexp_count(s || s, 'a')", {{"s", Value::String(std::string(2048, 'a'))}}) ==
        "int 4096");
  CHECK(Eval("regexp_count(s || s, 'a')", {{"s", Value::String(std::string(2049, 'a'))}}) ==
        "error: regexp_count: the text has more than 4096 matches");
  const std::string large(65537, 'a');
  CHECK(Eval("regexp_count(s, 'b')", {{"s", Value::String(large)}}) ==
        "error: regexp_count: the text has 65537 bytes, at most 65536 are searched for every match");
  CHECK(Eval("regexp_matches(s, 'b')", {{"s", Value::String(large)}}) == "bool false");
  CHECK(Eval("regexp_replace(repeat('a', 4000), 'a', repeat('b', 60000))")
            .find("at most 65536 are allowed") != std::string::npos);
  // Backtracking would take for ever.
  CHECK(Eval("regexp_matches(repeat('a', 5000), '^(a+)+$b')") == "bool false");
}

}  // namespace
}  // namespace rivulet::expr
