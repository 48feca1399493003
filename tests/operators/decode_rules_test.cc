// What fields take for a value beyond their own types: text that reads as one, marks that stand for null, bad
// values, and what is no part of a payload.
#include "tests/operators/decode_fixture.h"

namespace rivulet {
namespace {

DecodedField Field(const char* name, expr::StaticType type, uint32_t column) {
  return {name, type, false, column};
}

TEST_CASE("json: text that reads as a declared number or bool is one") {
  DecodeFixture f(NewJsonDecoder({Field("i", kIntType, 0), Field("x", kFloatType, 1),
                                  Field("b", kBoolType, 2), Field("any", kAnyType, 3)}),
                  4);
  CHECK(f.Decode(R"({"i":"-7","x":" 21.50 ","b":"true","any":"21.5"})") == R"([-7,21.5,true,"21.5"])");
  CHECK(f.Decode(R"({"x":"12"})") == "[null,12,null,null]");
  CHECK(f.batch.columns[1].Only(Type::kFloat));
  for (const char* text : {R"({"i":"1.5"})", R"({"i":""})", R"({"x":"1,5"})", R"({"x":"0x10"})",
                           R"({"b":"yes"})", R"({"i":"9223372036854775808"})", R"({"x":"1e400"})"}) {
    CAPTURE(text);
    CHECK(f.Error(text).code == ErrorCode::kWrongFieldType);
  }
}

TEST_CASE("marks stand for null, in every format, and nothing else does") {
  DecodedField x = Field("x", kFloatType, 0), s = Field("s", kStringType, 1), any = Field("any", kAnyType, 2);
  for (DecodedField* field : {&x, &any}) field->nulls = {"NA", "-", "", "-9999"};
  s.nulls = {"NA"};
  DecodeFixture json(NewJsonDecoder({x, s, any}), 3);
  for (int k = 0; k < 2; ++k) {  // the long way, then the short one
    CHECK(json.Decode(R"({"x":"NA","s":"NA","any":"NA"})") == "[null,null,null]");
    CHECK(json.Decode(R"({"x":" - ","s":"-","any":""})") == R"([null,"-",null])");
    CHECK(json.Decode(R"({"x":-9999,"s":"-9999","any":-9999.0})") == R"([null,"-9999",null])");
    CHECK(json.Decode(R"({"x":-9998,"s":"","any":"nan"})") == R"([-9998,"","nan"])");
    CHECK(json.Decode(R"({"x":1.5,"s":"NAN","any":true})") == R"([1.5,"NAN",true])");
  }
  CHECK(json.Error(R"({"x":"na"})").code == ErrorCode::kWrongFieldType);
  DecodeFixture csv(NewCsvDecoder({x, s, any}, {',', {"x", "s", "any"}}), 3);
  CHECK(csv.Decode("NA,NA,NA") == "[null,null,null]");
  CHECK(csv.Decode("-9999,-,\"NA\"") == R"([null,"-",null])");
  CHECK(csv.Decode("-9999.000,,7") == "[null,null,7]");
  DecodeFixture value(NewValueDecoder(any), 3);
  CHECK(value.Decode(" NA ") == "[null,null,null]");
  CHECK(value.Decode("-9999") == "[null,null,null]");
  CHECK(value.Decode("5") == "[null,null,5]");
}

TEST_CASE("a required field that is marked as null is missing") {
  DecodedField x = {"x", kFloatType, true, 0};
  x.nulls = {"NA"};
  DecodeFixture f(NewJsonDecoder({x}), 1);
  CHECK(f.Error(R"({"x":"NA"})").code == ErrorCode::kMissingField);
}

TEST_CASE("a bad value of a field that allows it is null, and costs no record") {
  DecodedField x = Field("x", kFloatType, 0);
  x.bad_is_null = true;
  DecodeFixture f(NewJsonDecoder({x, Field("i", kIntType, 1)}), 2);
  for (int k = 0; k < 2; ++k) {
    CHECK(f.Decode(R"({"x":"broken","i":1})") == "[null,1]");
    CHECK(f.Decode(R"({"x":1e400,"i":1})") == "[null,1]");
    CHECK(f.Decode(R"({"x":{"a":1},"i":1})") == "[null,1]");
    CHECK(f.Decode(R"({"x":true,"i":1})") == "[null,1]");
  }
  CHECK(f.Error(R"({"x":1,"i":"broken"})").code == ErrorCode::kWrongFieldType);
  // The last of equal keys counts, good or bad.
  CHECK(f.Decode(R"({"x":1,"x":"broken","i":1})") == "[null,1]");
}

TEST_CASE("a field that is text takes numbers and bools as they are written") {
  DecodedField level = Field("level", kStringType, 0);
  level.as_text = true;
  DecodeFixture f(NewJsonDecoder({level, Field("v", kAnyType, 1)}), 2);
  for (int k = 0; k < 2; ++k) {
    CHECK(f.Decode(R"({"level":2010,"v":1})") == R"(["2010",1])");
    CHECK(f.Decode(R"({"level":-0,"v":1})") == R"(["-0",1])");
    CHECK(f.Decode(R"({"level":1.50,"v":1})") == R"(["1.50",1])");
    CHECK(f.Decode(R"({"level":18446744073709551617,"v":1})") == R"(["18446744073709551617",1])");
    CHECK(f.Decode(R"({"level":1e400,"v":1})") == R"(["1e400",1])");
    CHECK(f.Decode(R"({"level":true,"v":1})") == R"(["true",1])");
    CHECK(f.Decode(R"({"level":"007","v":1})") == R"(["007",1])");
    CHECK(f.Decode(R"({"level":null,"v":1})") == "[null,1]");
  }
  CHECK(f.Decode(R"({"level":[1],"v":1})") == R"(["[1]",1])");  // as with any text
  DecodeFixture csv(NewCsvDecoder({level}, {',', {"level"}}), 1);
  CHECK(csv.Decode("2010") == R"(["2010"])");
}

TEST_CASE("a byte order mark in front and NUL bytes behind are no part of a payload") {
  using namespace std::string_view_literals;
  DecodeFixture json(NewJsonDecoder({Field("v", kAnyType, 0)}), 1);
  for (int k = 0; k < 2; ++k) {
    for (const std::string_view text : {"{\"v\":1}\0"sv, "{\"v\":1}\0\0\0"sv, "\xEF\xBB\xBF{\"v\":1}\0"sv,
                                        "\xEF\xBB\xBF{\"v\":1}"sv}) {
      CHECK(json.Decode(text) == "[1]");
      CHECK(json.batch.raw[0] == "{\"v\":1}");
    }
  }
  CHECK(json.Error("{\"v\":1}\0x"sv).code == ErrorCode::kMalformedPayload);
  CHECK(json.Error("\xEF\xBB\xBF{\"v\":x}"sv).detail.find("near byte 8:") != std::string::npos);
  CHECK(json.Error("{\"v\":x}\0"sv).detail.find("near byte 5:") != std::string::npos);
  CHECK(json.Error("\0"sv).code == ErrorCode::kMalformedPayload);
  DecodeFixture csv(NewCsvDecoder({Field("v", kAnyType, 0)}, {',', {"v"}}), 1);
  CHECK(csv.Decode("1\n2\0"sv) == "[1] [2]");
  DecodeFixture value(NewValueDecoder(Field("v", kAnyType, 0)), 1);
  CHECK(value.Decode("\xEF\xBB\xBF" "21.5\0"sv) == "[21.5]");
}

TEST_CASE("json: bytes that are no UTF-8 are named by their place") {
  DecodeFixture f(NewJsonDecoder({Field("v", kAnyType, 0)}), 1);
  CHECK(f.Error("{\"v\":\"a\xc3\xa4\xff\"}").detail == "not well-formed JSON near byte 9: not valid UTF-8");
  CHECK(f.Error("{\"v\":\"\xed\xa0\x80\"}").detail == "not well-formed JSON near byte 6: not valid UTF-8");
  const DecodeError cut = f.Error("\xEF\xBB\xBF{\"v\":\"\xc3\"}");
  CHECK(cut.detail == "not well-formed JSON near byte 9: not valid UTF-8");
}

TEST_CASE("ndjson: each line is a payload of its own") {
  DecodeFixture f(NewNdjsonDecoder({Field("v", kIntType, 0)}), 1);
  for (int k = 0; k < 2; ++k) {
    CHECK(f.Decode("{\"v\":1}\n{\"v\":2}\r\n\n [{\"v\":3},{\"v\":4}]\n") == "[1] [2] [3] [4]");
    CHECK(f.Decode("{\"v\":1}") == "[1]");
  }
  CHECK(f.Decode("{\"v\":1}\n{\"v\":\n{\"v\":true}\n{\"v\":4}", '}') == "[1] [4]");
  REQUIRE(f.errors.size() == 2);
  CHECK(f.errors[0].code == ErrorCode::kMalformedPayload);
  CHECK(f.errors[0].raw == "{\"v\":");
  CHECK(f.errors[1].code == ErrorCode::kWrongFieldType);
  f.CheckInvariants();
  CHECK(f.Error("\n \n").code == ErrorCode::kMalformedPayload);
  CHECK(f.Error("").code == ErrorCode::kMalformedPayload);
}

TEST_CASE("ndjson: a payload with too many records counts for nothing") {
  DecodeFixture f(NewNdjsonDecoder({Field("v", kIntType, 0)}), 1);
  std::string text;
  for (int k = 0; k < 65536; ++k) text += k % 2 == 0 ? "{}\n" : "x\n";
  f.Decode(text);
  CHECK(f.batch.rows == 32768);
  CHECK(f.errors.size() == 32768);
  text += "{}\n";
  CHECK(f.Error(text).code == ErrorCode::kRecordTooLarge);
}

// --- fields that are only looked out for ---

DecodedField Presence(const char* name, uint32_t column) {
  DecodedField field = Field(name, kAnyType, column);
  field.presence = true;
  return field;
}

TEST_CASE("presence: any value but null is there, and none is at fault") {
  DecodedField marked = Presence("m", 2);
  marked.nulls = {"NA", "-1"};
  DecodeFixture f(NewJsonDecoder({Field("i", kIntType, 0), Presence("a-b", 1), marked}), 3);
  for (int k = 0; k < 2; ++k) {  // the long way, then the short one
    for (const char* value : {"0", "-1.5", "1e999", "123456789012345678901234567890", R"("")", R"("x, y")",
                              "false", "true", R"({"c":1})", "[]", R"("NA")", R"("\u00e4\n")"}) {
      CAPTURE(value);
      CHECK(f.Decode(std::string(R"({"i":1,"a-b":)") + value + "}") == "[1,true,null]");
    }
    CHECK(f.errors.empty());
    CHECK(f.Decode(R"({"i":1,"a-b":null})") == "[1,null,null]");
    CHECK(f.Decode(R"({"i":1,"m":"NA"})") == "[1,null,null]");
    CHECK(f.Decode(R"({"i":1,"m":-1})") == "[1,null,null]");
    CHECK(f.Decode(R"({"i":1,"m":"x"})") == "[1,null,true]");
    CHECK(f.Decode(R"({"i":1,"a-b":2,"a-b":null})") == "[1,null,null]");
  }
  CHECK(f.batch.columns[1].heap().empty());
  // The record's other fields are at fault as ever, and it leaves nothing.
  CHECK(f.Error(R"({"a-b":1,"i":"x"})").code == ErrorCode::kWrongFieldType);
  CHECK(f.Error(R"({"a-b":1,"i":)").code == ErrorCode::kMalformedPayload);
}

TEST_CASE("presence: within objects, in lines and in elements of arrays") {
  DecodeFixture nested(
      NewJsonDecoder({Field("e", kAnyType, 0), Presence("e.a-b", 1), Presence("a-b.c", 2)}), 3);
  CHECK(nested.Decode(R"({"e":{"a-b":{}},"a-b":{"c":[1]}})") == R"(["{\"a-b\":{}}",true,true])");
  CHECK(nested.Decode(R"({"e":{"a-b":1},"e":5,"e.a-b":null,"a-b":7})") == "[5,null,null]");
  DecodeFixture lines(NewNdjsonDecoder({Field("i", kIntType, 0), Presence("a-b", 1)}), 2);
  CHECK(lines.Decode(R"({"i":1,"a-b":[0]})" "\n" R"({"i":"x","a-b":1})" "\n" R"({"i":2})") ==
        "[1,true] [2,null]");
  CHECK(lines.errors.size() == 1);
}

TEST_CASE("presence: what is said of a malformed payload does not depend on it") {
  DecodeFixture without(NewJsonDecoder({Field("i", kIntType, 0)}), 1);
  DecodeFixture with(NewJsonDecoder({Field("i", kIntType, 0), Presence("a-b", 1), Presence("a-b.c", 2)}), 3);
  for (const char* payload :
       {R"({"a-b":trux})", R"({"a-b":fals})", R"({"a-b":nul,"i":1})", R"({"i":1,"a-b":1.})",
        R"({"a-b":"\x"})", R"({"a-b":{"c":nil}})", R"({"a-b":{"c":1})", R"({"a-b":[1,})", R"({"a-b":})",
        R"({"a-b" 1})", R"({"i":tru})", R"({"i":1,"a-b":"x)", R"({"a-b":{"c":{"d":01}}})"}) {
    CAPTURE(payload);
    const DecodeError error = with.Error(payload);
    CHECK(error.code == ErrorCode::kMalformedPayload);
    CHECK(error.detail == without.Error(payload).detail);
  }
}

}  // namespace
}  // namespace rivulet
