// Parsing, diagnostics with their offsets, canonical text, scopes and aggregate calls.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/random.h"
#include "tests/operators/expr_testing.h"

namespace rivulet::expr {

static const std::vector<Field> kFields = {{"speed", MaskOf(Type::kFloat), 0},
                                           {"name", MaskOf(Type::kString), 0},
                                           {"on", MaskOf(Type::kBool), 0},
                                           {"any", kAnyType, 0}};

TEST_CASE("expr: precedence and associativity") {
  CHECK(Eval("1 + 2 * 3") == "int 7");
  CHECK(Eval("(1 + 2) * 3") == "int 9");
  CHECK(Eval("10 - 3 - 2") == "int 5");
  CHECK(Eval("-2 ^ 2") == "float -4");
  CHECK(Eval("2 ^ 3 ^ 2") == "float 512");
  CHECK(Eval("2 ^ -1") == "float 0.5");
  CHECK(Eval("2 * -3") == "int -6");
  CHECK(Eval("- -3") == "int 3");
  CHECK(Eval("not 1 = 2 and true") == "bool true");
  CHECK(Eval("true or false and false") == "bool true");
  CHECK(Eval("1 = 2 is null") == "bool false");
  CHECK(Eval("null = 2 is null") == "bool true");
  CHECK(Eval("'a' || 1 + 2") == "E2005 at 4: '+' needs int or float, found string");
  CHECK(Eval("'a' || (1 + 2)") == "string a3");
  CHECK(Eval("3 between 1 and 5 and false") == "bool false");
}

TEST_CASE("expr: literals") {
  CHECK(Eval("9223372036854775807") == "int 9223372036854775807");
  CHECK(Eval("-9223372036854775808") == "int -9223372036854775808");
  CHECK(Eval("9223372036854775808") == "float 9223372036854775808");
  CHECK(Eval("-9223372036854775808 ^ 1") == "float -9223372036854775808");
  CHECK(Eval("1.5e3") == "float 1500");
  CHECK(Eval(".5") == "float 0.5");
  CHECK(Eval("'it''s'") == "string it's");
  CHECK(Eval("\"say \"\"x\"\"\"") == "string say \"x\"");
  CHECK(Eval("TRUE And Not FALSE") == "bool true");
  CHECK(Eval("5s") == "int 5000");
  CHECK(Eval("250ms + 1h") == "int 3600250");
  CHECK(Eval("1h30m") == "int 5400000");
  CHECK(Eval("1.5s") == "int 1500");
  CHECK(Eval("`odd ``name` + engine.rpm", {{"odd `name", Value::Int(1)},
                                           {"engine.rpm", Value::Int(2)}}) == "int 3");
  CHECK(Eval("A", {{"a", Value::Int(1)}}) == "null");
}

TEST_CASE("expr: syntax errors say where") {
  CHECK(CompileError("") == "E2001 at 0");
  CHECK(CompileError("1 +") == "E2001 at 3");
  CHECK(CompileError("1 + * 2") == "E2001 at 4");
  CHECK(CompileError("(1 + 2") == "E2001 at 6");
  CHECK(CompileError("1 2") == "E2001 at 2");
  CHECK(CompileError("1 < 2 < 3") == "E2001 at 6");
  CHECK(CompileError("'abc") == "E2001 at 0");
  CHECK(CompileError("1 + `x") == "E2001 at 4");
  CHECK(CompileError("``") == "E2001 at 0");
  CHECK(CompileError("5 parsecs") == "E2001 at 2");
  CHECK(CompileError("1 + 5parsecs") == "E2001 at 4");
  CHECK(CompileError("5us") == "E2001 at 0");
  CHECK(CompileError("1e999") == "E2001 at 0");
  CHECK(CompileError("1..2") == "E2001 at 0");
  CHECK(CompileError("a. + 1") == "E2001 at 0");
  CHECK(CompileError("1 in ()") == "E2001 at 6");
  CHECK(CompileError("1 not 2") == "E2001 at 6");
  CHECK(CompileError("1 + not true") == "E2001 at 4");
  CHECK(CompileError("case 1 end") == "E2001 at 7");
  CHECK(CompileError("case when true then 1") == "E2001 at 21");
  CHECK(CompileError("cast(1 as text)") == "E2001 at 10");
  CHECK(CompileError("1 is 2") == "E2001 at 5");
  CHECK(CompileError("abs(1,)") == "E2001 at 6");
  CHECK(CompileError("a & b") == "E2001 at 2");
  CHECK(CompileError(std::string_view("1 \0 2", 5)) == "E2001 at 2");
  CHECK(CompileError("gr\xc3\xb6sse") == "E2001 at 2");
  std::string message;
  CompileError("1 + ", {}, &message);
  CHECK(message == "the expression ends where a value, a name or '(' was expected");
  CompileError("a && b", {}, &message);
  CHECK(message == "unexpected '&'; write 'and'");
}

TEST_CASE("expr: unknown names suggest the nearest") {
  std::string message;
  CHECK(CompileError("1 + sped", kFields, &message) == "E2002 at 4");
  CHECK(message == "'sped' (did you mean 'speed'?)");
  CHECK(CompileError("1 + rund(speed)", kFields, &message) == "E2003 at 4");
  CHECK(message.find("did you mean 'round'?") != std::string::npos);
  CHECK(CompileError("Speed", kFields) == "E2002 at 0");
  CHECK(CompileError("ROUND(speed)", kFields) == "ok");
}

TEST_CASE("expr: wrong arguments") {
  std::string message;
  CHECK(CompileError("1 + round(speed, 1, 2)", kFields, &message) == "E2004 at 4");
  CHECK(message == "round takes 1 to 2 arguments, found 3");
  CHECK(CompileError("pi(1)", {}, &message) == "E2004 at 0");
  CHECK(CompileError("abs()", {}, &message) == "E2004 at 0");
  CHECK(message == "abs takes 1 argument, found 0");
  CHECK(CompileError("if(true, 1)", {}) == "E2004 at 0");
  CHECK(CompileError("coalesce()", {}, &message) == "E2004 at 0");
  CHECK(message == "coalesce takes 1 or more arguments, found 0");
  CHECK(CompileError("upper(speed)", kFields, &message) == "E2005 at 6");
  CHECK(message == "upper needs string as argument 1, found float");
  CHECK(CompileError("name * 2", kFields) == "E2005 at 0");
  CHECK(CompileError("2 < name", kFields, &message) == "E2005 at 2");
  CHECK(message == "cannot compare int with string");
  CHECK(CompileError("on > 1", kFields) == "E2005 at 3");
  CHECK(CompileError("name in ('a', 2)", kFields) == "E2005 at 14");
  CHECK(CompileError("speed and on", kFields) == "E2005 at 0");
  CHECK(CompileError("not name", kFields) == "E2005 at 4");
  CHECK(CompileError("-name", kFields) == "E2005 at 1");
  CHECK(CompileError("speed like 'a'", kFields) == "E2005 at 0");
  CHECK(CompileError("case when speed then 1 end", kFields) == "E2005 at 10");
  CHECK(CompileError("case name when 1 then 1 end", kFields) == "E2005 at 15");
  CHECK(CompileError("any * 2 > any and any like any", kFields) == "ok");
  CHECK(CompileError("1 * 2 = 'a' || null", kFields) == "E2005 at 6");
  CHECK(CompileError("null = 'a' and null like null", kFields) == "ok");
}

TEST_CASE("expr: static types") {
  auto type = [](std::string_view text) {
    Scope scope;
    for (const Field& f : kFields) scope.Define(f.name, f.type);
    scope.Define("n", MaskOf(Type::kInt));
    return Program::Compile(text, &scope, nullptr)->type();
  };
  constexpr TypeMask kNull = MaskOf(Type::kNull), kInt = MaskOf(Type::kInt),
                     kFloat = MaskOf(Type::kFloat), kBool = MaskOf(Type::kBool),
                     kString = MaskOf(Type::kString);
  CHECK(type("speed") == kFloat);
  CHECK(type("speed * 2") == (kFloat | kNull));
  CHECK(type("n * 2") == (kInt | kFloat | kNull));
  CHECK(type("n % 2") == (kInt | kNull));
  CHECK(type("n / 2") == (kFloat | kNull));
  CHECK(type("1 + 1") == kInt);
  CHECK(type("any is null") == kBool);
  CHECK(type("any > 1") == (kBool | kNull));
  CHECK(type("name || any") == (kString | kNull));
  CHECK(type("if(on, n, name)") == (kInt | kString | kNull));
  CHECK(type("coalesce(n, speed)") == (kInt | kFloat | kNull));
  CHECK(type("floor(speed)") == (kFloat | kNull));
  CHECK(type("floor(n)") == (kInt | kNull));
}

TEST_CASE("expr: canonical text") {
  CHECK(Canonical("( f-32 )*5/9") == "(f - 32) * 5 / 9");
  CHECK(Canonical("((f)) - (32 * 5)") == "f - 32 * 5");
  CHECK(Canonical("a-(b-c)") == "a - (b - c)");
  CHECK(Canonical("a==1 AND b<>2 Or not(c)") == "a = 1 and b != 2 or not c");
  CHECK(Canonical("(a or b) and c") == "(a or b) and c");
  CHECK(Canonical("(a and b) and c") == "a and b and c");
  CHECK(Canonical("\"it's\"") == "'it''s'");
  CHECK(Canonical("5s") == "5000");
  CHECK(Canonical("1.0") == "1.0");
  CHECK(Canonical("1e30") == "1e+30");
  CHECK(Canonical("`plain` + `odd one`") == "plain + `odd one`");
  CHECK(Canonical("cast(x as INT)") == "to_int(x)");
  CHECK(Canonical("Mod(a, b)") == "a % b");
  CHECK(Canonical("if(a,1,2)") == "case when a then 1 else 2 end");
  CHECK(Canonical("x not  in (1,2)") == "x not in (1, 2)");
  CHECK(Canonical("x between 1 and 2+3") == "x between 1 and 2 + 3");
  CHECK(Canonical("x IS NOT null") == "x is not null");
  CHECK(Canonical("(-2)^2") == "(-2) ^ 2");
  CHECK(Canonical("(2^3)^2") == "(2 ^ 3) ^ 2");
  CHECK(Canonical("(-9223372036854775808) ^ 2") == "(-9223372036854775808) ^ 2");
  for (const char* text : {"(a = b) = c", "-(-(x))", "not (not a)", "(a is null) is null",
                           "case x when 1 then 2 else 3 end", "a || (b || c)", "(a < b) is null",
                           "(a is null) = b", "-(2 ^ 2)", "(a + b) || 1"}) {
    const std::string once = Canonical(text);
    CHECK(Canonical(once) == once);
  }
}

TEST_CASE("expr: hostile text is refused, not followed") {
  const std::string parens = std::string(5000, '(') + "1" + std::string(5000, ')');
  CHECK(CompileError(parens) == "E2010 at 200");
  CHECK(CompileError(std::string(10000, '-') + "1") == "E2010 at 200");
  std::string sum = "1", chain = "a = 1", nots;
  for (int i = 0; i < 5000; ++i) {
    sum += "+1";
    chain += " or a = 1";
    nots += "not ";
  }
  CHECK(CompileError(sum) == "E2010 at 399");
  CHECK(CompileError(nots + "true").substr(0, 5) == "E2010");
  CHECK(CompileError(chain, {{"a", kAnyType, 0}}) == "ok");
  CHECK(CompileError(std::string(70000, ' ')) == "E2001 at 65536");
  std::string calls;
  for (int i = 0; i < 3000; ++i) calls += "abs(";
  CHECK(CompileError(calls).substr(0, 5) == "E2010");
}

TEST_CASE("expr: the deepest text allowed runs") {
  std::string sum = "x", calls = "x", whens = "x";
  for (int i = 0; i < 195; ++i) {
    sum += " + x";
    calls = "abs(" + calls + ")";
    whens = "case when true then " + whens + " end";
  }
  CHECK(Eval(sum, {{"x", Value::Int(1)}}) == "int 196");
  CHECK(Eval(calls, {{"x", Value::Int(-1)}}) == "int 1");
  CHECK(Eval(whens, {{"x", Value::Int(7)}}) == "int 7");
}

TEST_CASE("expr: any bytes compile or fail cleanly") {
  const char* pieces[] = {"a",  "1",   "'x'", "(",    ")",  "and", "or",   "not", "in", "case",
                          "when", "then", "end", "is", "null", "+",  "-",   "*",    ",",  "5s",
                          "`b`", "abs(", "||", "like", "between", "\xff", "\"", "else", "^", "="};
  Random random(7);
  int compiled = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (uint64_t n = random.Below(9); n > 0; --n) {
      text += pieces[random.Below(std::size(pieces))];
      if (random.Chance(0.8)) text += ' ';
    }
    Scope scope(true);
    Diagnostic diagnostic;
    const Result<Program> program = Program::Compile(text, &scope, &diagnostic);
    if (program.ok()) {
      ++compiled;
      CHECK(Canonical(program->canonical()) == program->canonical());
    } else {
      CHECK(diagnostic.code != ErrorCode::kOk);
      CHECK(diagnostic.offset <= text.size());
      CHECK(!diagnostic.message.empty());
    }
  }
  CHECK(compiled > 100);
}

TEST_CASE("expr: scopes") {
  Scope closed;
  CHECK(closed.Define("a", MaskOf(Type::kInt)) == 0);
  CHECK(!closed.Resolve("b").has_value());
  CHECK(closed.Find("b") == nullptr);
  Scope open(true);
  CHECK(open.Resolve("x")->column == 0);
  CHECK(open.Resolve("y")->column == 1);
  CHECK(open.Resolve("x")->column == 0);
  CHECK(open.Resolve("y")->type == kAnyType);
  const Result<Program> before = Program::Compile("x", &open, nullptr);
  CHECK(open.Define("x", MaskOf(Type::kFloat)) == 2);
  const Result<Program> after = Program::Compile("x", &open, nullptr);
  CHECK(before->column() == 0);
  CHECK(after->column() == 2);
  CHECK(after->type() == MaskOf(Type::kFloat));
  CHECK(Program::Compile("x + 1", &open, nullptr)->column() == -1);
  CHECK(open.column_count() == 3);
  CHECK(open.Names() == std::vector<std::string>{"x", "y"});
}

TEST_CASE("expr: aggregate calls") {
  Scope scope;
  scope.Define("speed", MaskOf(Type::kFloat));
  Diagnostic d;
  Result<AggregateCall> call = CompileAggregate(" AVG( speed*3.6 ) where speed>1", &scope, &d);
  REQUIRE(call.ok());
  CHECK(call->function == "avg");
  CHECK(call->function_offset == 1);
  CHECK(call->arguments.size() == 1);
  CHECK(call->filter.size() == 1);
  CHECK(call->canonical == "avg(speed * 3.6) where speed > 1");
  for (const char* text : {"count()", "count(*)", "Count ( * )"}) {
    call = CompileAggregate(text, &scope, &d);
    REQUIRE(call.ok());
    CHECK(call->arguments.empty());
    CHECK(call->canonical == "count()");
  }
  CHECK(CompileAggregate("percentile(speed, 0.95)", &scope, &d)->arguments.size() == 2);
  auto fails = [&](std::string_view text, ErrorCode code, size_t offset) {
    CHECK(CompileAggregate(text, &scope, &d).status().code() == code);
    CHECK(d.offset == offset);
  };
  fails("sum(*)", ErrorCode::kExpressionSyntax, 4);
  fails("speed", ErrorCode::kExpressionSyntax, 5);
  fails("avg(speed) + 1", ErrorCode::kExpressionSyntax, 11);
  fails("avg(sped)", ErrorCode::kUnknownName, 4);
  fails("avg(speed) where speed", ErrorCode::kWrongArgumentType, 17);
  fails("avg(speed) where", ErrorCode::kExpressionSyntax, 16);
  fails("avg(speed", ErrorCode::kExpressionSyntax, 9);
}

TEST_CASE("expr: plain names and function names") {
  CHECK(IsPlainName("engine.rpm"));
  CHECK(IsPlainName("_x1"));
  for (const char* name : {"", "1x", "a b", "and", "WHERE", "a.", "a..b", ".a", "gr\xc3\xb6sse"}) {
    CHECK_FALSE(IsPlainName(name));
  }
  const std::vector<std::string> names = FunctionNames();
  CHECK(std::is_sorted(names.begin(), names.end()));
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
  CHECK(names.size() == 143);
}

}  // namespace rivulet::expr
