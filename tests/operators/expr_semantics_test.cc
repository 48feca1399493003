// Null rules, three-valued logic, number rules, comparisons, case, and which rows are evaluated.
#include <doctest/doctest.h>

#include <limits>

#include "operators/expr/like.h"
#include "tests/operators/expr_testing.h"

namespace rivulet::expr {

static const Value kNan = Value::Float(std::numeric_limits<double>::quiet_NaN());
static constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
static constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

TEST_CASE("expr: three-valued logic") {
  const std::pair<const char*, Value> values[] = {
      {"true", Value::Bool(true)}, {"false", Value::Bool(false)}, {"null", Value::Null()}};
  const char* and_table[3][3] = {{"bool true", "bool false", "null"},
                                 {"bool false", "bool false", "bool false"},
                                 {"null", "bool false", "null"}};
  const char* or_table[3][3] = {{"bool true", "bool true", "bool true"},
                                {"bool true", "bool false", "null"},
                                {"bool true", "null", "null"}};
  for (int a = 0; a < 3; ++a) {
    for (int b = 0; b < 3; ++b) {
      const Row row = {{"a", values[a].second}, {"b", values[b].second}};
      CHECK(Eval("a and b", row) == and_table[a][b]);
      CHECK(Eval("a or b", row) == or_table[a][b]);
      CHECK(Eval(std::string(values[a].first) + " and " + values[b].first) == and_table[a][b]);
      CHECK(Eval(std::string(values[a].first) + " or " + values[b].first) == or_table[a][b]);
    }
  }
  CHECK(Eval("not null") == "null");
  CHECK(Eval("not x", {{"x", Value::Bool(false)}}) == "bool true");
  CHECK(Eval("x and true", {{"x", Value::Int(1)}}) == "error: 'and' needs bool, found int");
  CHECK(Eval("false or x", {{"x", Value::Int(1)}}) == "error: 'or' needs bool, found int");
  CHECK(Eval("false and x", {{"x", Value::Int(1)}}) == "bool false");
  CHECK(Eval("not x", {{"x", Value::String("a")}}) == "error: 'not' needs bool, found string");
}

TEST_CASE("expr: null goes through operators") {
  for (const char* text : {"null + 1", "1 - null", "null * null", "null / 2", "null = null",
                           "null < 1", "-null", "null || 'a'", "null in (1)", "1 in (2, null)",
                           "null like 'a'", "null between 1 and 2", "1 between null and 2",
                           "upper(null)", "abs(null)"}) {
    CHECK(Eval(text) == "null");
  }
  CHECK(Eval("x + 1") == "null");
  CHECK(Eval("1 in (1, null)") == "bool true");
  CHECK(Eval("3 between null and 2") == "bool false");
  CHECK(Eval("0 not between 1 and null") == "bool true");
  CHECK(Eval("x is null") == "bool true");
  CHECK(Eval("x is not null", {{"x", Value::Int(0)}}) == "bool true");
}

TEST_CASE("expr: integers are exact until they overflow into floats") {
  CHECK(Eval("x + 1", {{"x", Value::Int(kMax)}}) == "float 9223372036854775808");
  CHECK(Eval("x - 1", {{"x", Value::Int(kMin)}}) == "float -9223372036854775808");
  CHECK(Eval("x * x", {{"x", Value::Int(kMax)}}) == "float 8.507059173023462e+37");
  CHECK(Eval("x - 1", {{"x", Value::Int(kMax)}}) == "int 9223372036854775806");
  CHECK(Eval("-x", {{"x", Value::Int(kMin)}}) == "float 9223372036854775808");
  CHECK(Eval("x div -1", {{"x", Value::Int(kMin)}}) == "float 9223372036854775808");
  CHECK(Eval("x % -1", {{"x", Value::Int(kMin)}}) == "int 0");
  CHECK(Eval("7 / 2") == "float 3.5");
  CHECK(Eval("6 / 2") == "float 3");
  CHECK(Eval("1 + 1.5") == "float 2.5");
}

TEST_CASE("expr: div and % floor, and division by zero is null") {
  CHECK(Eval("7 div 2") == "int 3");
  CHECK(Eval("-7 div 2") == "int -4");
  CHECK(Eval("7 div -2") == "int -4");
  CHECK(Eval("-7 % 3") == "int 2");
  CHECK(Eval("7 % -3") == "int -2");
  CHECK(Eval("-6 % 3") == "int 0");
  CHECK(Eval("7.5 div 2") == "float 3");
  CHECK(Eval("-7.5 % 2") == "float 0.5");
  CHECK(Eval("7.5 % -2") == "float -0.5");
  for (const char* text : {"1 / 0", "1 / 0.0", "1 div 0", "1 % 0", "1.5 div 0", "1.5 % 0.0",
                           "0 / 0", "mod(5, 0)"}) {
    CHECK(Eval(text) == "null");
  }
  CHECK(Eval("x / y", {{"x", Value::Float(1)}, {"y", Value::Float(0)}}) == "null");
}

TEST_CASE("expr: wrong types are errors of the row") {
  CHECK(Eval("x * 2", {{"x", Value::String("abc")}}) == "error: cannot compute string * int");
  CHECK(Eval("x + y", {{"x", Value::Int(1)}, {"y", Value::Bool(true)}}) ==
        "error: cannot compute int + bool");
  CHECK(Eval("-x", {{"x", Value::Bool(true)}}) == "error: cannot negate bool");
  CHECK(Eval("1 < x", {{"x", Value::String("a")}}) == "error: cannot compare int with string");
  CHECK(Eval("x = true", {{"x", Value::Float(1)}}) == "error: cannot compare float with bool");
  CHECK(Eval("x in ('a', 'b')", {{"x", Value::Int(1)}}) == "error: cannot compare int with string");
  CHECK(Eval("x between 1 and 2", {{"x", Value::String("")}}) ==
        "error: cannot compare string with int");
  CHECK(Eval("x like 'a'", {{"x", Value::Int(1)}}) == "error: 'like' needs string, found int");
  CHECK(Eval("upper(x)", {{"x", Value::Int(1)}}) ==
        "error: upper needs string as argument 1, found int");
  CHECK(Eval("case when x then 1 end", {{"x", Value::Int(1)}}) ==
        "error: a 'when' condition needs bool, found int");
  // The first error of a row is the one reported, and it spoils the result.
  CHECK(Eval("(x * 2 is null) or (x < 1)", {{"x", Value::String("a")}}) ==
        "error: cannot compute string * int");
}

TEST_CASE("expr: numbers compare exactly, NaN as IEEE has it") {
  const Row big = {{"i", Value::Int((int64_t{1} << 53) + 1)},
                   {"f", Value::Float(0x1p53)}};
  CHECK(Eval("i = f", big) == "bool false");
  CHECK(Eval("i > f", big) == "bool true");
  CHECK(Eval("f < i", big) == "bool true");
  CHECK(Eval("f = 9007199254740993", big) == "bool false");
  CHECK(Eval("i = 9007199254740992.0", big) == "bool false");
  CHECK(Eval("x < y", {{"x", Value::Int(kMax)}, {"y", Value::Float(0x1p63)}}) == "bool true");
  CHECK(Eval("x = y", {{"x", Value::Int(kMin)}, {"y", Value::Float(-0x1p63)}}) == "bool true");
  CHECK(Eval("x < y", {{"x", Value::Int(-3)}, {"y", Value::Float(-2.5)}}) == "bool true");
  CHECK(Eval("x > -2.5", {{"x", Value::Int(-3)}}) == "bool false");
  CHECK(Eval("x = 1.0", {{"x", Value::Int(1)}}) == "bool true");
  CHECK(Eval("-0.0 = 0") == "bool true");
  for (const char* text : {"x = x", "x < x", "x <= x", "x > 1", "1 >= x", "x between 1 and 2",
                           "x in (1, x)", "i = x"}) {
    CHECK(Eval(text, {{"x", kNan}, {"i", Value::Int(1)}}) == "bool false");
  }
  CHECK(Eval("x != x", {{"x", kNan}}) == "bool true");
  CHECK(Eval("x not in (x)", {{"x", kNan}}) == "bool true");
}

TEST_CASE("expr: strings and bools compare") {
  CHECK(Eval("'a' < 'b'") == "bool true");
  CHECK(Eval("'Z' < 'a'") == "bool true");
  CHECK(Eval("'a' < 'ab'") == "bool true");
  CHECK(Eval("'\x7f' < '\xc3\xa4'") == "bool true");
  CHECK(Eval("x = 'beta'", {{"x", Value::String("beta")}}) == "bool true");
  CHECK(Eval("false < true") == "bool true");
  CHECK(Eval("x != true", {{"x", Value::Bool(true)}}) == "bool false");
}

TEST_CASE("expr: in and between") {
  CHECK(Eval("2 in (1, 2, 3)") == "bool true");
  CHECK(Eval("2 not in (1, 3)") == "bool true");
  CHECK(Eval("2 not in (1, null)") == "null");
  CHECK(Eval("'b' in ('a', 'b')") == "bool true");
  CHECK(Eval("x in (1, y + 1)", {{"x", Value::Int(3)}, {"y", Value::Int(2)}}) == "bool true");
  CHECK(Eval("x in (1, y + 1)", {{"x", Value::Int(1)}, {"y", Value::String("")}}) == "bool true");
  CHECK(Eval("x in (1, y + 1)", {{"y", Value::String("")}}) == "null");
  CHECK(Eval("x not in (y * 1, 5)", {{"x", Value::Int(1)}}) == "null");
  CHECK(Eval("5 between 1 and 5") == "bool true");
  CHECK(Eval("x between 1 and 'z'", {{"x", Value::Int(0)}}) ==
        "bool false");
  CHECK(Eval("x between 1 and 'z'", {{"x", Value::Int(1)}}) ==
        "error: cannot compare int with string");
  CHECK(Eval("'m' between 'a' and 'z'") == "bool true");
  CHECK(Eval("x not between 1 and 2", {{"x", Value::Int(3)}}) == "bool true");
}

TEST_CASE("expr: like") {
  CHECK(Eval("'speed' like 'sp%'") == "bool true");
  CHECK(Eval("'speed' not like '%x%'") == "bool true");
  CHECK(Like("", ""));
  CHECK(Like("", "%"));
  CHECK_FALSE(Like("", "_"));
  CHECK(Like("abc", "a_c"));
  CHECK(Like("a\xc3\xa4" "c", "a_c"));
  CHECK_FALSE(Like("abc", "A%"));
  CHECK(Like("aXbXc", "a%b%c"));
  CHECK(Like("aab", "%ab"));
  CHECK_FALSE(Like("aab", "%ba"));
  CHECK(Like("50%", "50\\%"));
  CHECK_FALSE(Like("50x", "50\\%"));
  CHECK(Like("a\\", "a\\"));
  CHECK(Like("a\\b", "a\\\\b"));
  CHECK_FALSE(Like("abc", "ab"));
  CHECK_FALSE(Like(std::string(5000, 'a'), std::string(50, '%') + "b"));
}

TEST_CASE("expr: case and the conditional functions") {
  const Row row = {{"x", Value::Int(2)}, {"s", Value::String("a")}};
  CHECK(Eval("case when x = 1 then 'one' when x = 2 then 'two' else 'many' end", row) ==
        "string two");
  CHECK(Eval("case x when 1 then 'one' when 2 then 'two' end", row) == "string two");
  CHECK(Eval("case x when 5 then 1 end", row) == "null");
  CHECK(Eval("case y when null then 1 else 2 end", row) == "int 2");
  CHECK(Eval("case s when 1 then 1 end", row) == "error: cannot compare string with int");
  CHECK(Eval("if(x > 1, 'big', 'small')", row) == "string big");
  CHECK(Eval("if(y > 1, 'big', 'small')", row) == "string small");
  CHECK(Eval("coalesce(y, x, 5)", row) == "int 2");
  CHECK(Eval("coalesce(y, null)", row) == "null");
  CHECK(Eval("ifnull(y, 'none')", row) == "string none");
  CHECK(Eval("nullif(x, 2)", row) == "null");
  CHECK(Eval("nullif(x, 3)", row) == "int 2");
  CHECK(Eval("nullif(x, null)", row) == "int 2");
  CHECK(Eval("nullif(s, x)", row) == "error: nullif: cannot compare string with int");
}

TEST_CASE("expr: only the rows that need it are evaluated") {
  const Row text = {{"x", Value::String("abc")}};
  CHECK(Eval("typeof(x) = 'int' and x * 2 > 1", text) == "bool false");
  CHECK(Eval("typeof(x) = 'string' or x > 1", text) == "bool true");
  CHECK(Eval("case when typeof(x) = 'string' then length(x) else x * 2 end", text) == "int 3");
  CHECK(Eval("if(typeof(x) = 'string', 0, x + 1)", text) == "int 0");
  CHECK(Eval("coalesce(x, x * 2)", text) == "string abc");
  CHECK(Eval("x is not null and 10 / x > 1", {{"x", Value::Null()}}) == "bool false");
  CHECK(Eval("if(true, 1, cast('abc' as int))") == "int 1");
  CHECK(Eval("if(x = 'abc', 1, cast('abc' as int))", text) == "int 1");
  CHECK(Eval("case x when 'abc' then 1 when y * 'z' then 2 end", text) ==
        "E2005 at 34: '*' needs int or float, found string");
}

TEST_CASE("expr: mixed columns, selections and missing columns") {
  Scope scope(true);
  const Result<Program> program = Program::Compile("x * 2 > 5 and y = 'k'", &scope, nullptr);
  REQUIRE(program.ok());
  RecordBatch batch;
  batch.Reset(2, 8);
  batch.rows = 5;
  Column& x = batch.columns[0];
  Column& y = batch.columns[1];
  x.SetInt(0, 3);
  x.SetFloat(1, 2.75);
  x.SetString(2, "bad");
  x.SetInt(4, 1);
  for (uint32_t r = 0; r < 5; ++r) y.SetString(r, r == 1 ? "z" : "k");
  EvalContext context;
  Column out;
  std::vector<RowError> errors;
  program->Evaluate(batch, Selection::All(5), &context, &out, &errors);
  CHECK(out.rows() == 5);
  CHECK(Show(out.Get(0)) == "bool true");
  CHECK(Show(out.Get(1)) == "bool false");
  CHECK(out.is_null(2));
  CHECK(out.is_null(3));
  CHECK(Show(out.Get(4)) == "bool false");
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].row == 2);

  const uint32_t rows[] = {0, 4};
  errors.clear();
  program->Evaluate(batch, Selection{rows, 2}, &context, &out, &errors);
  CHECK(errors.empty());
  CHECK(Show(out.Get(0)) == "bool true");
  CHECK(out.is_null(1));
  CHECK(Show(out.Get(4)) == "bool false");

  batch.columns.resize(1);  // a batch made before the program had named `y`
  program->Evaluate(batch, Selection{rows, 2}, &context, &out, &errors);
  CHECK(errors.empty());
  CHECK(out.is_null(0));
  CHECK(Show(out.Get(4)) == "bool false");
  program->Evaluate(batch, Selection{rows, 0}, &context, &out, &errors);
  CHECK(out.rows() == 5);
  CHECK(out.is_null(0));
}

}  // namespace rivulet::expr
