// The short way through flat objects takes exactly what the general decoder takes.
#include <random>

#include "operators/decode/decoder.h"
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
