#include "operators/decode/explode_decoder.h"

#include "tests/operators/decode_fixture.h"

namespace rivulet {
namespace {

// Columns: id, list, e, e.v.
std::unique_ptr<Decoder> NewDecoder() {
  const std::vector<DecodedField> fields = {{"id", kAnyType, false, 0}, {"list", kAnyType, false, 1}};
  constexpr expr::StaticType v = MaskOf(Type::kFloat) | MaskOf(Type::kNull);
  return NewExplodeDecoder(NewJsonDecoder(fields), fields, {0, 1},
                           {{"e", kAnyType, false, 2}, {"e.v", v, false, 3}}, {"list", "e"});
}

TEST_CASE("explode: one row for each element") {
  DecodeFixture fixture(NewDecoder(), 4);
  CHECK(fixture.Decode(R"({"id":"a","list":[{"v":1},2,"x",null,[3]]})") ==
        R"(["a","[{\"v\":1},2,\"x\",null,[3]]","{\"v\":1}",1] )"
        R"(["a","[{\"v\":1},2,\"x\",null,[3]]",2,null] )"
        R"(["a","[{\"v\":1},2,\"x\",null,[3]]","x",null] )"
        R"(["a","[{\"v\":1},2,\"x\",null,[3]]",null,null] )"
        R"(["a","[{\"v\":1},2,\"x\",null,[3]]","[3]",null])");
  CHECK(fixture.errors.empty());
  CHECK(fixture.batch.raw[0] == R"({"v":1})");
  CHECK(fixture.batch.raw[4] == "[3]");
  CHECK(fixture.batch.element(0) == 1);
  CHECK(fixture.batch.element(4) == 5);
  CHECK(fixture.Decode(R"([{"id":1,"list":[ 5 ]},{"id":2,"list":[]},{"id":3},{"id":4,"list":"[6]"}])") ==
        R"([1,"[ 5 ]",5,null] [4,"[6]",6,null])");
  CHECK(fixture.batch.raw[0] == "5");
  CHECK(fixture.batch.raw[1] == "6");
  CHECK(fixture.batch.element(1) == 1);
  CHECK(fixture.batch.elements[0].whole != fixture.batch.elements[1].whole);
}

TEST_CASE("explode: an array at fault is the whole record, an element only itself") {
  DecodeFixture fixture(NewDecoder(), 4);
  for (const char* payload : {R"({"list":{"v":1}})", R"({"list":7})", R"({"list":"x"})",
                              R"({"list":"[1"})", R"({"list":true})", R"({"list":"[1] 2"})"}) {
    INFO(payload);
    const DecodeError error = fixture.Error(payload);
    CHECK(error.code == ErrorCode::kWrongFieldType);
    CHECK(error.detail == "field 'list' is not a JSON array, as 'explode' needs");
    CHECK(error.raw == payload);
  }
  const std::string one_bad = R"({"id":1,"list":[{"v":1},{"v":"x"},{"v":2}]})";
  fixture.Decode(one_bad);
  CHECK(fixture.batch.rows == 2);
  REQUIRE(fixture.errors.size() == 1);
  CHECK(fixture.errors[0].code == ErrorCode::kWrongFieldType);
  CHECK(fixture.errors[0].raw == R"({"v":"x"})");
  CHECK(fixture.errors[0].element == 2);
  CHECK(fixture.batch.element(0) == 1);
  CHECK(fixture.batch.element(1) == 3);
}

TEST_CASE("explode: what the records of a payload hold together is bounded") {
  DecodeFixture fixture(NewDecoder(), 4);
  const auto payload = [](size_t text, size_t elements) {
    std::string list = "0";
    for (size_t k = 1; k < elements; ++k) list += ",0";
    return R"({"id":")" + std::string(text, 'x') + R"(","list":[)" + list + "]}";
  };
  const auto decode = [&fixture](const std::string& text) {
    fixture.batch.Reset(4, 2);
    fixture.errors.clear();
    fixture.Feed(text);
  };
  decode(payload(16 << 10, 1024));
  CHECK(fixture.errors.empty());
  CHECK(fixture.batch.rows == 1024);
  const std::string over = payload(16 << 10, 1025);
  CHECK(fixture.Error(over).code == ErrorCode::kExpandsTooFar);
  CHECK(fixture.Error(over).raw == over);
  // Of several records in a payload, those that still find room count.
  decode("[" + payload(16 << 10, 600) + "," + payload(16 << 10, 600) + "," + payload(1, 2) + "]");
  CHECK(fixture.batch.rows == 602);
  CHECK(fixture.errors.size() == 1);
  decode("[" + payload(1, 65535) + "," + payload(1, 2) + "," + payload(1, 1) + "]");
  CHECK(fixture.batch.rows == 65536);
  REQUIRE(fixture.errors.size() == 1);
  CHECK(fixture.errors[0].code == ErrorCode::kRecordTooLarge);
}

TEST_CASE("explode: hostile arrays") {
  DecodeFixture fixture(NewDecoder(), 4);
  std::string many = R"({"list":[0)";
  for (int k = 1; k < 65536; ++k) many += ",0";
  fixture.Feed(many + "]}");  // not Decode: the rows as text would repeat the array in each
  CHECK(fixture.batch.rows == 65536);
  const std::string more = many + ",0]}";
  const DecodeError error = fixture.Error(more);
  CHECK(error.code == ErrorCode::kRecordTooLarge);
  CHECK(error.raw == more);
  const std::string deep = R"({"list":")" + std::string(500, '[') + std::string(500, ']') + R"("})";
  CHECK(fixture.Error(deep).code == ErrorCode::kWrongFieldType);
  const std::string nearly = R"({"list":")" + std::string(127, '[') + std::string(127, ']') + R"("})";
  fixture.Decode(nearly);
  CHECK(fixture.batch.rows + fixture.errors.size() == 1);
}

TEST_CASE("explode: fields that are looked out for are found in the record and in its elements") {
  DecodedField whole{"a-b", kAnyType, false, 1}, inner{"e.a-b", kAnyType, false, 3};
  whole.presence = inner.presence = true;
  DecodedField outer = whole;
  const std::vector<DecodedField> fields = {{"list", kAnyType, false, 0}, outer};
  DecodeFixture fixture(NewExplodeDecoder(NewJsonDecoder(fields), fields, {0, 1},
                                          {{"e", kAnyType, false, 2}, inner}, {"list", "e"}),
                        4);
  const std::string rows = fixture.Decode(R"({"list":[{"a-b":[]},{"a-b":null},7],"a-b":"x"})");
  CHECK(rows.find(R"(,true,"{\"a-b\":[]}",true])") != std::string::npos);
  for (uint32_t row = 0; row < 3; ++row) {
    CHECK(fixture.batch.columns[1].type(row) == Type::kBool);
    CHECK(fixture.batch.columns[3].is_null(row) == (row > 0));
  }
}

}  // namespace
}  // namespace rivulet
