#include "operators/decode/limits.h"
#include "tests/operators/decode_fixture.h"

namespace rivulet {
namespace {

DecodeFixture Csv(std::vector<DecodedField> fields, CsvOptions options = {}) {
  const auto columns = static_cast<uint32_t>(fields.size());
  for (uint32_t k = 0; k < columns; ++k) fields[k].column = k;
  return DecodeFixture(NewCsvDecoder(std::move(fields), std::move(options)), columns);
}

TEST_CASE("csv: the first line names the columns, for later payloads too") {
  DecodeFixture f = Csv({{"speed"}, {"id"}, {"absent"}});
  f.Feed("id,ts,speed\r\nv1,1,63.5\r\n\r\n\nv2,2,\r\n");
  f.Feed("v3,3,7");
  f.Feed("");
  CHECK(f.Rows() == R"([63.5,"v1",null] [null,"v2",null] [7,"v3",null])");
  CHECK(f.errors.empty());
  CHECK(f.batch.raw[0] == "v1,1,63.5");
  CHECK(f.batch.raw[1] == "v2,2,");
  CHECK(f.batch.offset[2] == 1);
  f.CheckInvariants();
}

TEST_CASE("csv: columns and delimiter from the options") {
  DecodeFixture f = Csv({{"b"}, {"a"}}, {';', {"a", "b"}});
  CHECK(f.Decode("1;x,y\n2;\"p;q\"\n") == R"(["x,y",1] ["p;q",2])");
}

TEST_CASE("csv: quoted cells hold delimiters, line ends and doubled quotes") {
  DecodeFixture f = Csv({{"a"}, {"b"}}, {',', {"a", "b"}});
  CHECK(f.Decode("\"x,\r\ny\",\"say \"\"hi\"\"\"\n1,2") == R"(["x,\r\ny","say \"hi\""] [1,2])");
  CHECK(f.batch.raw[0] == "\"x,\r\ny\",\"say \"\"hi\"\"\"");
  CHECK(f.Decode("\"\",\"\"\"\"") == R"(["","\""])");
  CHECK(f.Decode("a\"b,c\"\"") == R"(["a\"b","c\"\""])");
  CHECK(f.Decode("\"1\"\"2\",\"3\"\"4\"\r") == R"(["1\"2","3\"4"])");
}

TEST_CASE("csv: cells that read as numbers are numbers") {
  DecodeFixture f = Csv({{"a"}}, {',', {"a"}});
  CHECK(f.Decode("1\n-2\n2.5\n 3 \n1e3\n.5\n\"6\"\n9223372036854775807\n0\n-0.5") ==
        "[1] [-2] [2.5] [3] [1000] [0.5] [6] [9223372036854775807] [0] [-0.5]");
  CHECK(f.batch.columns[0].type(4) == Type::kFloat);
  CHECK(f.Decode("nan\ninf\n-inf\ninfinity\n0x1f\n+1\n007\n-01\n1e999\n1 2\ntrue\n-\n.\n1.5.2") ==
        R"(["nan"] ["inf"] ["-inf"] ["infinity"] ["0x1f"] ["+1"] ["007"] ["-01"] ["1e999"] )"
        R"(["1 2"] ["true"] ["-"] ["."] ["1.5.2"])");
  CHECK(f.Decode("9223372036854775808") == "[9223372036854775808]");
  CHECK(f.batch.columns[0].type(0) == Type::kFloat);
}

TEST_CASE("csv: declared types") {
  DecodeFixture f = Csv({{"i", kIntType}, {"x", kFloatType}, {"s", kStringType}, {"b", kBoolType}},
                        {',', {"i", "x", "s", "b"}});
  CHECK(f.Decode("007,2,12,true\n,,,\n1,2.5, x ,false") ==
        R"([7,2,"12",true] [null,null,null,null] [1,2.5," x ",false])");
  CHECK(f.batch.columns[1].Only(Type::kFloat));
  CHECK(f.Error("x,,,").detail == "field 'i' is a string, expected int");
  CHECK(f.Error("1.5,,,").detail == "field 'i' is a float, expected int");
  CHECK(f.Error(",abc,,").detail == "field 'x' is a string, expected float");
  CHECK(f.Error(",,,1").detail == "field 'b' is a string, expected bool");
  CHECK(f.Error(",\"\",,").code == ErrorCode::kWrongFieldType);
}

TEST_CASE("csv: a required field may be no column or empty, then it is missing") {
  DecodeFixture f = Csv({{"a", kAnyType, true}}, {',', {"a", "b"}});
  CHECK(f.Error(",1").code == ErrorCode::kMissingField);
  DecodeFixture g = Csv({{"c", kAnyType, true}}, {',', {"a", "b"}});
  CHECK(g.Error("1,1").code == ErrorCode::kMissingField);
}

TEST_CASE("csv: a line at fault is one error, the others count") {
  DecodeFixture f = Csv({{"a"}}, {',', {"a", "b"}});
  CHECK(f.Decode("1,2\n3\n4,5,6\n\"x\"y,1\n7,8\n\"open,9\n") == "[1] [7]");
  f.CheckInvariants();
  REQUIRE(f.errors.size() == 4);
  CHECK(f.errors[0].detail == "line has 1 cells, expected 2");
  CHECK(f.errors[0].raw == "3");
  CHECK(f.errors[1].detail == "line has 3 cells, expected 2");
  CHECK(f.errors[2].detail == "text behind the closing quote");
  CHECK(f.errors[2].raw == "\"x\"y,1");
  CHECK(f.errors[3].detail == "quoted cell is not closed");
  for (const DecodeError& error : f.errors) CHECK(error.code == ErrorCode::kMalformedPayload);
}

TEST_CASE("csv: limits") {
  DecodeFixture f = Csv({{"a"}}, {',', {"a"}});
  const std::string wide(decode::kMaxCsvCells - 1, ',');
  CHECK(f.Error(wide).detail == "line has 4096 cells, expected 1");
  CHECK(f.Error(wide + ",").detail == "line has more than 4096 cells");
  std::string lines;
  for (uint32_t k = 0; k < decode::kMaxRecordsPerPayload; ++k) lines += "1\n";
  f.Decode(lines);
  CHECK(f.batch.rows == decode::kMaxRecordsPerPayload);
  CHECK(f.Error(lines + "1\n1\n").code == ErrorCode::kRecordTooLarge);
}

TEST_CASE("csv: a byte order mark does not become part of the first column's name") {
  DecodeFixture f = Csv({{"a"}});
  CHECK(f.Decode("\xEF\xBB\xBF" "a,b\n1,2") == "[1]");
}

TEST_CASE("value: the whole payload is one value") {
  DecodeFixture f(NewValueDecoder({"v", kAnyType, false, 0}), 1);
  CHECK(f.Decode(" 21.5\n") == "[21.5]");
  CHECK(f.Decode("-7") == "[-7]");
  CHECK(f.Decode("true") == "[true]");
  CHECK(f.Decode("false ") == "[false]");
  CHECK(f.Decode("True") == R"(["True"])");
  CHECK(f.Decode("  on, really \r\n") == R"(["on, really"])");
  CHECK(f.Decode("nan") == R"(["nan"])");
  CHECK(f.Error("").code == ErrorCode::kMalformedPayload);
  CHECK(f.Error(" \n").code == ErrorCode::kMalformedPayload);
  DecodeFixture g(NewValueDecoder({"v", kFloatType, true, 0}), 1);
  CHECK(g.Decode("3") == "[3]");
  CHECK(g.batch.columns[0].type(0) == Type::kFloat);
  CHECK(g.Error("on").detail == "field 'v' is a string, expected float");
  DecodeFixture s(NewValueDecoder({"v", kStringType, true, 0}), 1);
  CHECK(s.Decode("3") == R"(["3"])");
}

}  // namespace
}  // namespace rivulet
