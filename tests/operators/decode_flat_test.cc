// The short way through flat objects takes exactly what the general decoder takes.
#include <random>

#include "operators/decode/decoder.h"
#include "operators/decode/flat_object.h"
#include "tests/operators/decode_fixture.h"

namespace rivulet {
namespace {

std::vector<DecodedField> Fields() {
  return {{"vehicle", kAnyType, false, 0}, {"speed", kAnyType, false, 1}, {"gear", kAnyType, false, 2}};
}

// Values that are read the short way, and ones just beyond it.
std::string RandomValue(std::mt19937_64* random) {
  static const std::vector<std::string> kValues = {
      "0", "-0", "1", "-17", "63.2", "-0.5", "0.000001", "123456789012345", "1234567.12345678",
      "12345678901234.5", "123456789012345678", "1234567890123456789", "99999999999999999999",
      "1e3", "1.5E-3", "01", "1.", ".5", "-", "+1", "1.2.3", "1,2", "tru", "true", "false", "null",
      "nul", "\"\"", "\"v0042\"", "\"a\\nb\"", "\"caf\xc3\xa9\"", "\"a,b}c\"", "\"tab\there\"",
      "\"\xff\"", "{\"a\":1}", "[1,2]", "\"open", "1 ", " 1"};
  return kValues[(*random)() % kValues.size()];
}

std::string RandomObject(std::mt19937_64* random) {
  const char* const colon = (*random)() % 4 == 0 ? ": " : ":";
  const char* const comma = (*random)() % 4 == 0 ? ", " : ",";
  std::string text = "{";
  for (const char* key : {"vehicle", "ts", "speed", "rpm", "gear"}) {
    if ((*random)() % 12 == 0) continue;
    if (text.size() > 1) text += comma;
    text += "\"" + std::string(key) + "\"" + colon;
    // Mostly values that keep the record well-formed, so that whole records go the short way.
    text += (*random)() % 8 == 0 ? RandomValue(random) : std::to_string((*random)() % 1000) + ".25";
  }
  text += "}";
  if ((*random)() % 10 == 0) text += " \n";
  if ((*random)() % 20 == 0) text.resize((*random)() % (text.size() + 1));
  if ((*random)() % 40 == 0) text += "x";
  return text;
}

std::string Outcome(DecodeFixture* fixture, const std::string& text, char padding) {
  std::string outcome = fixture->Decode(text, padding);
  for (const DecodeError& e : fixture->errors) outcome += " E" + std::to_string(static_cast<int>(e.code));
  return outcome;
}

}  // namespace

TEST_CASE("json: flat objects read the short way come out as from a decoder that knows no keys yet") {
  std::mt19937_64 random(7);
  DecodeFixture taught(NewJsonDecoder(Fields()), 3);
  taught.Decode(R"({"vehicle":"v","ts":1,"speed":2,"rpm":3,"gear":4})");
  for (int i = 0; i < 20000; ++i) {
    const std::string text = RandomObject(&random);
    const char padding = "0}\",x"[random() % 5];
    DecodeFixture fresh(NewJsonDecoder(Fields()), 3);
    CAPTURE(text);
    REQUIRE(Outcome(&taught, text, padding) == Outcome(&fresh, text, padding));
  }
}

// Equal results alone would not show it: everything may go the long way round.
TEST_CASE("json: the readings people send do go the short way") {
  const std::vector<std::string> readings = {
      R"({"vehicle":"v0001","ts":1700000000000,"speed":52.4,"rpm":2444})",
      R"({"vehicle": "v0001", "ts": 1700000000000, "speed": -0.5, "rpm": 0})",
      R"({"vehicle":"a string of more than sixteen bytes, with commas","ts":1,"speed":2,"rpm":3})",
      R"({"vehicle":"","ts":1700000000000000,"speed":48.13715432109876543,"rpm":1.5e3})",
      R"({"vehicle":true,"ts":null,"speed":false,"rpm":123456789012345})",
      R"({"ts":1700000000000,"speed":52.4,"rpm":1700000000000000000})",
      "{\"vehicle\":\"v\",\"ts\":1,\"speed\":2,\"rpm\":3} \r\n"};
  const std::vector<DecodedField> fields = {{"vehicle", kAnyType, false, 0}, {"ts", kAnyType, false, 1}};
  const std::string order = R"("vehicle":"ts":"speed":"rpm":)";
  const std::unique_ptr<decode::FieldNode> root = decode::BuildFieldTree(fields);
  const decode::KeyOrder::Key* place = root->order.first();
  for (const char* key : {"vehicle", "ts", "speed", "rpm"}) {
    const size_t at = order.find(key);
    place = root->order.Learn(std::string_view(order).substr(at, std::strlen(key)), root->Find(key), place);
  }
  RecordBatch batch;
  batch.Reset(2, 16);
  decode::RowWriter writer(fields);
  for (std::string text : readings) {
    CAPTURE(text);
    const size_t size = text.size();
    text.append(kPayloadPadding, '}');
    writer.Begin(&batch);
    CHECK(decode::ReadFlatObject(std::string_view(text).substr(0, size), *root, &writer));
    std::vector<DecodeError> errors;
    writer.Finish({text, 0, 0}, text, &errors);
    CHECK(errors.empty());
  }
  CHECK(batch.rows == readings.size());
  CHECK(batch.columns[1].Int(3) == 1700000000000000);
  CHECK(batch.columns[0].String(2) == "a string of more than sixteen bytes, with commas");
}

TEST_CASE("json: decimals read the short way are the nearest floats") {
  std::mt19937_64 random(11);
  DecodeFixture taught(NewJsonDecoder({{"speed", kAnyType, false, 0}}), 1);
  taught.Decode(R"({"speed":1})");
  for (int i = 0; i < 20000; ++i) {
    std::string number = std::to_string(random() % 10000000) + ".";
    for (uint64_t digits = 1 + random() % 9; digits > 0; --digits) {
      number += static_cast<char>('0' + random() % 10);
    }
    CAPTURE(number);
    taught.Decode("{\"speed\":" + number + "}");
    REQUIRE(taught.batch.columns[0].type(0) == Type::kFloat);
    REQUIRE(taught.batch.columns[0].Float(0) == std::strtod(number.c_str(), nullptr));
  }
}

}  // namespace rivulet
