// Functions on JSON text; the walker against the standard's corner cases and random texts.
#include <doctest/doctest.h>

#include <random>

#include "operators/expr/json_text.h"
#include "tests/operators/expr_testing.h"

namespace rivulet::expr {
namespace {

std::string At(std::string_view json, std::string_view path) {
  return Eval("json_value(j, p)", {{"j", Value::String(json)}, {"p", Value::String(path)}});
}

TEST_CASE("json: values at paths") {
  constexpr std::string_view kText =
      R"( {"a":[{"b":1},{"b":2.5,"c":[true,null,"x\n\u00e4\ud83d\ude00"]}],"odd name":{"":7},
          "a.b":-0,"big":18446744073709551615,"e":1e2,"dup":1,"dup":2,"\u0061b":"esc","o":{ },"l":[ ]} )";
  CHECK(At(kText, "$.a[0].b") == "int 1");
  CHECK(At(kText, "$.a[1].b") == "float 2.5");
  CHECK(At(kText, "$.a[-1].c[0]") == "bool true");
  CHECK(At(kText, "$.a[-1].c[1]") == "null");
  CHECK(At(kText, "$.a[1].c[2]") == "string x\n\xc3\xa4\xf0\x9f\x98\x80");
  CHECK(At(kText, "$.a[1].c[-4]") == "null");
  CHECK(At(kText, "$.a[2]") == "null");
  CHECK(At(kText, "$[\"odd name\"]['']") == "int 7");
  CHECK(At(kText, "$['a.b']") == "int 0");
  CHECK(At(kText, "$.big") == "float 18446744073709551616");
  CHECK(At(kText, "$.e") == "float 100");
  CHECK(At(kText, "$.dup") == "int 2");
  CHECK(At(kText, "$.ab") == "string esc");
  CHECK(At(kText, "$.a.b") == "null");
  CHECK(At(kText, "$.o") == "string { }");
  CHECK(At(kText, "$.l[0]") == "null");
  CHECK(At(kText, "$.a[0]") == "string {\"b\":1}");
  CHECK(At("5", "$") == "int 5");
  CHECK(At(" \"x\" ", "$") == "string x");
  CHECK(At("1e999", "$").starts_with("error: json_value: the number '1e999' is beyond"));
  CHECK(At("-9223372036854775808", "$") == "int -9223372036854775808");
  CHECK(Eval("json_value('[1,2]')") == "string [1,2]");
  CHECK(Eval("json_value(null, '$')") == "null");
}

TEST_CASE("json: other functions") {
  CHECK(Eval("json_length('[1, [2,3], {}]')") == "int 3");
  CHECK(Eval("json_length('{\"a\":[1,2]}', '$.a')") == "int 2");
  CHECK(Eval("json_length('{}')") == "int 0");
  CHECK(Eval("json_length('7')") == "null");
  CHECK(Eval("json_type('{\"a\":[1,2]}', '$.a[0]')") == "string int");
  CHECK(Eval("json_type('1.0')") == "string float");
  CHECK(Eval("json_type('null')") == "string null");
  CHECK(Eval("json_type('{}', '$.a')") == "null");
  CHECK(Eval("json_valid('{\"a\":}')") == "bool false");
  CHECK(Eval("json_valid('')") == "bool false");
  CHECK(Eval("json_contains('[1, 2.5, \"x\"]', 2.5)") == "bool true");
  CHECK(Eval("json_contains('[1, 2.5, \"x\"]', 'x')") == "bool true");
  CHECK(Eval("json_contains('[1, null, [3]]', 3)") == "bool false");
  CHECK(Eval("json_contains('{}', 3)") == "null");
  CHECK(Eval("json_array(1, 'a\"', null, true, 2.5)") == "string [1,\"a\\\"\",null,true,2.5]");
  CHECK(Eval("json_array()") == "string []");
  CHECK(Eval("json_object('a', 1, 2, null)") == "string {\"a\":1,\"2\":null}");
  CHECK(Eval("json_object('a')").starts_with("error: json_object: needs a value for each key"));
  CHECK(Eval("json_object(null, 1)") == "error: json_object: a key is null");
}

TEST_CASE("json: paths at fault are found at compile time") {
  const std::vector<Field> fields = {{"s", MaskOf(Type::kString), 0}};
  std::string message;
  CHECK(CompileError("json_value(s, 'a.b')", fields, &message) == "E2012 at 14");
  CHECK(message == "json_value: 'a.b' is not a path: expected '$', then steps such as .name, "
                   "[\"name\"], [0] or [-1]");
  for (const char* path : {"", "$.", "$..a", "$a", "$[", "$[]", "$[x]", "$['a]", "$['a'", "$[1",
                           "$[99999999999999999999]", "$[1.5]", "$.a[0]b"}) {
    INFO(path);
    std::string error;
    CHECK_FALSE(JsonPath::Parse(path, &error).has_value());
  }
  std::string longest = "$", error;
  for (int k = 0; k < 64; ++k) longest += ".a";
  CHECK(JsonPath::Parse(longest, &error).has_value());
  CHECK_FALSE(JsonPath::Parse(longest + ".a", &error).has_value());
}

TEST_CASE("json: what is well-formed") {
  for (const char* good : {"0", "-0", "1.5e-3", "1E+2", "\"\"", "\"\\u0000\"", "[]", "[[]]", "{}",
                           " [ 1 , 2 ] ", "{\"a\" : { \"b\" : [ ] } }", "true", "null"}) {
    INFO(good);
    CHECK(IsJson(good));
  }
  for (const char* bad : {"", " ", "01", "1.", ".5", "+1", "-", "1e", "0x1", "tru", "nulll", "[1,]",
                          "[,1]", "[1 2]", "{\"a\"}", "{\"a\":1,}", "{a:1}", "\"a", "\"\\x\"",
                          "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\n\"",
                          "[1]]", "1 2", "[", "{", "{\"a\":", "'a'", "NaN"}) {
    INFO(bad);
    CHECK_FALSE(IsJson(bad));
  }
  CHECK(IsJson(std::string(128, '[') + std::string(128, ']')));
  CHECK_FALSE(IsJson(std::string(129, '[') + std::string(129, ']')));
  CHECK_FALSE(IsJson(std::string(1000000, '[')));
}

TEST_CASE("json: random bytes never lead outside the text") {
  std::mt19937 random(3);
  constexpr std::string_view kBytes = "{}[]\",:\\u0d8a1-.e tfn\x01\xff";
  std::string error, scratch;
  const auto path = JsonPath::Parse("$[0].a[-1]", &error);
  for (int round = 0; round < 200000; ++round) {
    std::string text(random() % 24, ' ');
    for (char& c : text) c = kBytes[random() % kBytes.size()];
    const std::string exact(text);  // no spare bytes behind
    if (!IsJson(exact)) continue;
    path->Find(exact, &scratch);
    JsonToValue(*JsonPath().Find(exact, &scratch), &scratch);
  }
}

}  // namespace
}  // namespace rivulet::expr
