// JSON token by token: what is a token, how deep values go, and what escapes stand for.
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/json_cursor.h"
#include "base/random.h"

using namespace rivulet;

namespace {

// Of a text that ends where its memory does.
template <typename Read>
bool Reads(std::string_view text, const Read& read,
           JsonCursor::Halves halves = JsonCursor::Halves::kRefused) {
  const std::vector<char> exact(text.begin(), text.end());
  JsonCursor cursor({exact.data(), exact.size()}, halves);
  return read(&cursor) && cursor.done();
}

bool IsNumber(std::string_view text, bool* whole) {
  return Reads(text, [&](JsonCursor* c) { return c->Number(whole); });
}

bool IsString(std::string_view text, JsonCursor::Halves halves = JsonCursor::Halves::kRefused) {
  return Reads(text, [](JsonCursor* c) { return c->String(); }, halves);
}

bool IsValue(std::string_view text, int levels = 3) {
  return Reads(text, [&](JsonCursor* c) { return c->Value(levels); });
}

std::string Text(std::string_view inside) {
  std::string out = "|";
  AppendJsonText(inside, &out);
  return out;
}

}  // namespace

TEST_CASE("JSON cursor: numbers") {
  bool whole = false;
  for (const char* text : {"0", "-0", "7", "-120"}) {
    CAPTURE(text);
    CHECK(IsNumber(text, &whole));
    CHECK(whole);
  }
  for (const char* text : {"0.5", "1e5", "-1.25E-7", "0e+0"}) {
    CAPTURE(text);
    CHECK(IsNumber(text, &whole));
    CHECK_FALSE(whole);
  }
  for (const char* text : {"", "-", "01", "1.", ".5", "1e", "1e+", "+1", "0x1", "--1"}) {
    CAPTURE(text);
    CHECK_FALSE(IsNumber(text, &whole));
  }
}

TEST_CASE("JSON cursor: strings") {
  for (const char* text :
       {R"("")", R"("a b")", R"("\"\\\/\b\f\n\r\t")", R"("\u00e4")", R"("\ud83d\ude00")"}) {
    CAPTURE(text);
    CHECK(IsString(text));
  }
  for (const char* text : {"", "\"", "\"a", "a\"", R"("\)", R"("\")", R"("\x")", R"("\u12")", R"("\u12g4")",
                           "\"\n\"", "\"\x1f\""}) {
    CAPTURE(text);
    CHECK_FALSE(IsString(text));
    CHECK_FALSE(IsString(text, JsonCursor::Halves::kTaken));
  }
  for (const char* half :
       {R"("\ud83d")", R"("\ud83dx")", R"("\ude00")", R"("\ud83d\u0041")", R"("\ud83d\n")"}) {
    CAPTURE(half);
    CHECK_FALSE(IsString(half));
    CHECK(IsString(half, JsonCursor::Halves::kTaken));
  }
  bool escaped = true;
  JsonCursor plain("\"a\""), with("\"\\n\"");
  CHECK((plain.String(&escaped) && !escaped));
  CHECK((with.String(&escaped) && escaped));
}

TEST_CASE("JSON cursor: values, and how deep they go") {
  for (const char* text : {"1", " true", "null", "false", "\"x\"", "[]", "{}", " [ 1 , [ ] ]",
                           R"({"a":{"b":[1]}})", R"( { "a" : [ 1 , "}" ] , "a" : null })"}) {
    CAPTURE(text);
    CHECK(IsValue(text));
  }
  for (const char* text : {"", "tru", "nul", "[", "[1", "[1,", "[1,]", "[,1]", "{", R"({"a"})", R"({"a":})",
                           R"({"a":1,})", "{1:2}", "[1}", R"({"a":1])", "[1 2]", "x"}) {
    CAPTURE(text);
    CHECK_FALSE(IsValue(text));
  }
  CHECK(IsValue("[[[]]]"));
  CHECK_FALSE(IsValue("[[[[]]]]"));
  CHECK_FALSE(IsValue(R"([{"a":[{}]}])"));
  CHECK(IsValue("1", 0));
  CHECK_FALSE(IsValue("[]", 0));
  CHECK_FALSE(IsValue(std::string(1'000'000, '['), 128));
}

TEST_CASE("JSON cursor: it says what it has passed") {
  JsonCursor cursor(R"( {"a" : [1, 2] })");
  REQUIRE(cursor.Take('{'));
  CHECK_FALSE(cursor.Take('}'));
  const char* const name = cursor.at();
  REQUIRE(cursor.String());
  CHECK(cursor.Since(name) == "\"a\"");
  REQUIRE(cursor.Take(':'));
  cursor.Space();
  const char* const value = cursor.at();
  REQUIRE(cursor.Value(1));
  CHECK(cursor.Since(value) == "[1, 2]");
  CHECK(cursor.Take('}'));
  CHECK(cursor.done());
  CHECK(cursor.next() == '\0');
}

TEST_CASE("JSON cursor: escapes become what they stand for") {
  CHECK(Text("plain") == "|plain");
  CHECK(Text(R"(\"\\\/\b\f\n\r\t)") == "|\"\\/\b\f\n\r\t");
  CHECK(Text(R"(\u0041\u00e4\u20AC\ud83d\ude00.)") == "|A\u00e4\u20ac\U0001f600.");
  CHECK(Text(R"(\ud83d)") == "|\ufffd");
  CHECK(Text(R"(\ud83d\u0041)") == "|\ufffdA");
  CHECK(Text(R"(\ude00x)") == "|\ufffdx");
}

TEST_CASE("JSON cursor: random damage never leads out of the text") {
  const std::string good =
      R"({"vehicle":"v\u00e4\n1","ts":1700000000123,"x":-1.5e-7,"l":[1,{"a":[2]},"\ud83d\ude00"]})";
  CHECK(IsValue(good, 4));
  Random random(11);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good.substr(0, random.Below(good.size() + 1));
    for (uint64_t k = random.Below(4); k > 0 && !bytes.empty(); --k) {
      bytes[random.Below(bytes.size())] = static_cast<char>(random.Below(256));
    }
    IsValue(bytes, 4);
  }
}
