#include <limits>

#include "operators/decode/limits.h"
#include "tests/operators/decode_fixture.h"

namespace rivulet {
namespace {

DecodeFixture Json(std::vector<DecodedField> fields) {
  const auto columns = static_cast<uint32_t>(fields.size());
  for (uint32_t k = 0; k < columns; ++k) fields[k].column = k;
  return DecodeFixture(NewJsonDecoder(std::move(fields)), columns);
}

TEST_CASE("json: only the fields asked for are taken, whatever their order") {
  DecodeFixture f = Json({{"vehicle"}, {"ts"}, {"speed"}});
  f.Feed(R"({"vehicle":"v1","ts":1700000000123,"speed":63.2,"gear":4})");
  f.Feed(R"( { "gear" : 4 , "speed" : 60 , "vehicle" : "v2" } )");
  f.Feed(R"({})");
  CHECK(f.Rows() == R"(["v1",1700000000123,63.2] ["v2",null,60] [null,null,null])");
  CHECK(f.errors.empty());
  CHECK(f.batch.columns[2].type(0) == Type::kFloat);
  CHECK(f.batch.columns[2].type(1) == Type::kInt);
  CHECK(f.batch.raw[2] == "{}");
  f.CheckInvariants();
}

TEST_CASE("json: keys that come, go and change places are found all the same") {
  DecodeFixture f = Json({{"a"}, {"bb"}, {"a_key_of_more_than_sixteen_bytes"}});
  std::string expected;
  for (int round = 0; round < 40; ++round) {
    std::string text = "{";
    for (int k = 0; k < round % 7; ++k) text += "\"x" + std::to_string((round + k) % 5) + "\":0,";
    text += round % 2 == 0 ? R"("bb":1,"a":2,)" : R"("a":2,"z":[],"bb":1,)";
    text += R"("a_key_of_more_than_sixteen_bytez":9,"a_key_of_more_than_sixteen_bytes":3})";
    CHECK(f.Decode(text) == "[2,1,3]");
  }
}

TEST_CASE("json: keys and strings with escapes") {
  DecodeFixture f = Json({{"a\"b"}, {"k"}});
  CHECK(f.Decode(R"({"a\"b":1,"\u006b":"x\n\u00fc\ud83d\ude97"})") ==
        "[1,\"x\\n\xC3\xBC\xF0\x9F\x9A\x97\"]");
  CHECK(f.Decode(R"({"\u006b":"","a\u0022b":"\\"})") == R"(["\\",""])");
  CHECK(f.Error(R"({"k":"\q"})").code == ErrorCode::kMalformedPayload);
  CHECK(f.Error(R"({"k":"\ud83d"})").code == ErrorCode::kMalformedPayload);
  CHECK(f.Error(R"({"other":"\q"})").code == ErrorCode::kMalformedPayload);
  CHECK(f.Error(R"({"\q":1})").code == ErrorCode::kMalformedPayload);
}

TEST_CASE("json: whole numbers are ints, all others floats") {
  DecodeFixture f = Json({{"n"}});
  const auto type = [&f](std::string_view number) {
    f.Decode("{\"n\":" + std::string(number) + "}");
    REQUIRE(f.batch.rows == 1);
    return f.batch.columns[0].type(0);
  };
  for (const char* text : {"0", "-0", "7", "-12", "12345678", "123456789012345678",
                           "9223372036854775807", "-9223372036854775808"}) {
    CAPTURE(text);
    CHECK(type(text) == Type::kInt);
    CHECK(f.batch.columns[0].Int(0) == std::strtoll(text, nullptr, 10));
  }
  for (const char* text : {"0.0", "-0.0", "1e3", "1E+3", "1.5", "9223372036854775808",
                           "-9223372036854775809", "18446744073709551616", "0.1", "1e-400",
                           "2.2250738585072014e-308", "123456789012345678901234567890",
                           "1.7976931348623157e308", "9007199254740993.0"}) {
    CAPTURE(text);
    CHECK(type(text) == Type::kFloat);
    CHECK(f.batch.columns[0].Float(0) == std::strtod(text, nullptr));
  }
  for (const char* text : {"01", "-", "+1", ".5", "1.", "1.e3", "1e", "1e+", "--1", "0x1", "1_0",
                           "NaN", "Infinity", "-01", "1.5.2", "12a", "1\"a\""}) {
    CAPTURE(text);
    const std::string payload = "{\"n\":" + std::string(text) + "}";
    CHECK(f.Error(payload).code == ErrorCode::kMalformedPayload);
    CHECK(f.Error("{\"skipped\":" + std::string(text) + "}").code ==
          ErrorCode::kMalformedPayload);
  }
  const DecodeError huge = f.Error(R"({"n":1e999})");
  CHECK(huge.code == ErrorCode::kWrongFieldType);
  CHECK(huge.detail.find("beyond the range of float") != std::string::npos);
  CHECK(f.Decode(R"({"skipped":1e999})") == "[null]");
}

TEST_CASE("json: declared types") {
  DecodeFixture f = Json({{"i", kIntType}, {"x", kFloatType}, {"s", kStringType},
                          {"b", kBoolType}});
  CHECK(f.Decode(R"({"i":1,"x":2,"s":"t","b":true})") == R"([1,2,"t",true])");
  CHECK(f.batch.columns[1].Only(Type::kFloat));
  CHECK(f.Decode(R"({"i":null,"x":null,"s":null,"b":null})") == "[null,null,null,null]");
  CHECK(f.Error(R"({"x":"fast"})").detail == "field 'x' is a string, expected float");
  CHECK(f.Error(R"({"i":1.0})").detail == "field 'i' is a float, expected int");
  CHECK(f.Error(R"({"s":1})").detail == "field 's' is an int, expected string");
  CHECK(f.Error(R"({"b":0})").detail == "field 'b' is an int, expected bool");
  CHECK(f.Error(R"({"i":{"x":1}})").detail == "field 'i' is an object, expected int");
  CHECK(f.Error(R"({"i":[1]})").detail == "field 'i' is an array, expected int");
  CHECK(f.Error(R"({"i":true})").code == ErrorCode::kWrongFieldType);
  CHECK(f.Decode(R"({"x":"wrong","x":1.5})") == "[null,1.5,null,null]");  // the last one counts
  CHECK(f.Error(R"({"x":1.5,"x":"wrong"})").code == ErrorCode::kWrongFieldType);
}

TEST_CASE("json: required fields") {
  DecodeFixture f = Json({{"ts", kAnyType, true}, {"v"}});
  CHECK(f.Decode(R"({"ts":1})") == "[1,null]");
  for (const char* text : {"{}", R"({"ts":null})", R"({"v":1})", R"({"ts":1,"ts":null})"}) {
    CAPTURE(text);
    const DecodeError error = f.Error(text);
    CHECK(error.code == ErrorCode::kMissingField);
    CHECK(error.detail.find("'ts'") != std::string::npos);
    CHECK(error.raw == text);
  }
}

TEST_CASE("json: duplicate keys, the last one counts") {
  DecodeFixture f = Json({{"a"}, {"e.r"}, {"e.t"}});
  CHECK(f.Decode(R"({"a":1,"a":"two"})") == R"(["two",null,null])");
  CHECK(f.Decode(R"({"a":1,"a":null})") == "[null,null,null]");
  CHECK(f.Decode(R"({"e":{"r":1,"t":2},"e":{"t":3}})") == "[null,null,3]");
  CHECK(f.Decode(R"({"e":{"r":1},"e":5})") == "[null,null,null]");
}

TEST_CASE("json: paths reach into objects; a literal top-level key wins") {
  DecodeFixture f = Json({{"engine.rpm"}, {"engine.oil.temp"}, {"engine"}});
  CHECK(f.Decode(R"({"engine":{"oil":{"temp":90},"rpm":2150}})") ==
        R"([2150,90,"{\"oil\":{\"temp\":90},\"rpm\":2150}"])");
  CHECK(f.Decode(R"({"engine.rpm":1,"engine":{"rpm":2}})") == R"([1,null,"{\"rpm\":2}"])");
  CHECK(f.Decode(R"({"engine":{"rpm":2},"engine.rpm":1})") == R"([1,null,"{\"rpm\":2}"])");
  CHECK(f.Decode(R"({"engine":{"rpm":2},"engine.rpm":null})") == R"([null,null,"{\"rpm\":2}"])");
  CHECK(f.Decode(R"({"engine":7})") == "[null,null,7]");
  CHECK(f.Decode(R"({"engine":[{"rpm":1}]})") == R"([null,null,"[{\"rpm\":1}]"])");
  CHECK(f.Decode(R"({"engine":{"oil":5,"rpm":{"x":1}}})") ==
        R"(["{\"x\":1}",null,"{\"oil\":5,\"rpm\":{\"x\":1}}"])");
}

TEST_CASE("json: whole objects and arrays arrive as their text") {
  DecodeFixture f = Json({{"o"}});
  CHECK(f.Decode(R"({"o": {"a" : [1, {"b":"}"}]}  , "p":1})") ==
        R"(["{\"a\" : [1, {\"b\":\"}\"}]}"])");
  CHECK(f.Decode(R"({"o":[ ] })") == R"(["[ ]"])");
}

TEST_CASE("json: each object of an array is a record") {
  DecodeFixture f = Json({{"x", kFloatType, true}});
  CHECK(f.Decode(R"( [ {"x":1} , {"x":2.5} ] )") == "[1] [2.5]");
  CHECK(f.batch.raw[0] == R"({"x":1})");
  CHECK(f.batch.raw[1] == R"({"x":2.5})");
  CHECK(f.Decode("[]") == "");
  CHECK(f.errors.empty());
  CHECK(f.Decode(R"([{"x":1}, 5 ,{"x":"no"},{},[{"x":9}],"s",{"x":2}])") == "[1] [2]");
  f.CheckInvariants();
  REQUIRE(f.errors.size() == 5);
  CHECK(f.errors[0].code == ErrorCode::kMalformedPayload);
  CHECK(f.errors[0].detail == "element 1 of the array is not an object");
  CHECK(f.errors[0].raw == "5");
  CHECK(f.errors[1].code == ErrorCode::kWrongFieldType);
  CHECK(f.errors[1].raw == R"({"x":"no"})");
  CHECK(f.errors[2].code == ErrorCode::kMissingField);
  CHECK(f.errors[3].raw == R"([{"x":9}])");
  CHECK(f.errors[4].raw == "\"s\"");
}

TEST_CASE("json: an array that is malformed anywhere counts for nothing") {
  DecodeFixture f = Json({{"x"}});
  f.Feed(R"({"x":7})");
  f.Feed(R"([{"x":1},3,{"x":2},{"x":tru}])");
  CHECK(f.Rows() == "[7]");
  REQUIRE(f.errors.size() == 1);
  CHECK(f.errors[0].code == ErrorCode::kMalformedPayload);
  CHECK(f.errors[0].offset == 1);
  CHECK(f.errors[0].detail.find("near byte 24") != std::string::npos);
  f.CheckInvariants();
}

TEST_CASE("json: what is not well-formed is refused, whatever lies behind the payload") {
  DecodeFixture f = Json({{"a"}});
  for (const char* text :
       {"", "  ", "5", "\"x\"", "null", "{", "}", "[", "]", "{]", "[}", "{\"a\"}", "{\"a\":}",
        "{\"a\":1,}", "{,}", "{a:1}", "{'a':1}", "{\"a\":1 \"b\":2}", "{\"a\":1}}", "{\"a\":1}{}",
        "{\"a\":1} x", "{\"a\":1],", "[{\"a\":1}", "[{\"a\":1},]", "[{\"a\":1}{\"a\":2}]",
        "{\"a\":tru}", "{\"a\":nul}", "{\"a\":truex}", "{\"b\":tru}", "{\"b\":fals}",
        "{\"a\":\"x}", "{\"a\":[1,2}", "{\"b\":[1,2}", "{\"b\":{\"c\":1}", "{\"b\":{\"c\":1]}",
        "{\"b\":[1,,2]}", "{\"b\":[1 2]}", "{\"b\":[1,]}", "{\"b\":{\"c\" 1}}",
        "{\"x\":{\"a\":\"b\":1},\"c\":2}}", "{\"a\":\"b\":1}", "{\"b\":[}]}", "{\"b\":[\"c\":1]}",
        "{\"a\":1,\"a\"", "{\"b\":\"\x01\"}", "{\"b\":\"\xff\"}", "{\"\xc3\":1}", "{\"b\":\v1}",
        "{\"a\":1,\"b\":", "{\"a\":{\"b\":[", "[{\"a\":{\"b\":[]}"}) {
    for (const char padding : {'\0', '}', ']', '"', ',', '1', ':', ' '}) {
      CAPTURE(text);
      CAPTURE(padding);
      const DecodeError error = f.Error(text, padding);
      CHECK(error.code == ErrorCode::kMalformedPayload);
      CHECK(error.raw == text);
      CHECK_FALSE(error.detail.empty());
    }
  }
}

TEST_CASE("json: a byte order mark in front is skipped") {
  DecodeFixture f = Json({{"a"}});
  CHECK(f.Decode("\xEF\xBB\xBF{\"a\":1}") == "[1]");
  CHECK(f.Error("\xEF\xBB\xBF").code == ErrorCode::kMalformedPayload);
}

TEST_CASE("json: nesting is limited, wanted or not") {
  DecodeFixture f = Json({{"a"}});
  const auto nested = [](int depth, std::string_view open, std::string_view close) {
    std::string text = "{\"a\":";
    for (int k = 0; k < depth; ++k) text += open;
    text += "1";
    for (int k = 0; k < depth; ++k) text += close;
    return text + "}";
  };
  CHECK(f.Decode(nested(decode::kMaxJsonDepth - 1, "[", "]")) != "");
  CHECK(f.Decode(nested(decode::kMaxJsonDepth - 1, "{\"b\":", "}")) != "");
  for (const int depth : {decode::kMaxJsonDepth, 2000, 200000}) {
    for (std::string text : {nested(depth, "[", "]"), nested(depth, "{\"b\":", "}")}) {
      const std::string detail = f.Error(text).detail;
      CHECK(detail.find("nested too deeply") != std::string::npos);
      text[2] = 'z';
      CHECK(f.Error(text).code == ErrorCode::kMalformedPayload);
    }
  }
}

TEST_CASE("json: a payload has limits, and a large one leaves the decoder as it was") {
  DecodeFixture f = Json({{"a"}});
  std::string many = "[";
  for (uint32_t k = 0; k < decode::kMaxRecordsPerPayload; ++k) many += "{},";
  many.back() = ']';
  f.Decode(many);
  CHECK(f.batch.rows == decode::kMaxRecordsPerPayload);
  many.back() = ',';
  CHECK(f.Error(many + "{}]").code == ErrorCode::kRecordTooLarge);
  const std::string large = "{\"a\":\"" + std::string(decode::kMaxJsonBytes, 'x') + "\"}";
  CHECK(f.Error(large).code == ErrorCode::kRecordTooLarge);
  CHECK(f.Decode("{\"a\":\"" + std::string(3 << 20, 'x') + "\"}").size() > (3u << 20));
  CHECK(f.Decode(R"({"a":1})") == "[1]");
}

}  // namespace
}  // namespace rivulet
