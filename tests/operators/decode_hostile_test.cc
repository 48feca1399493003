// Mutated payloads from fixed seeds: no decoder may crash, leave a trace of a refused record or
// take what an independent reader refuses.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/operators/decode_fixture.h"

namespace rivulet {
namespace {

std::string Mutate(std::string text, std::mt19937_64* random) {
  constexpr std::string_view kBytes = "{}[]\",:\\0123456789.eE+-tfn \r\n\xff\xc3\x80/u";
  const auto pick = [random](size_t n) { return static_cast<size_t>((*random)() % n); };
  for (size_t k = 1 + pick(3); k > 0; --k) {
    const size_t at = pick(text.size() + 1);
    switch (pick(5)) {
      case 0: text.insert(at, 1, kBytes[pick(kBytes.size())]); break;
      case 1: if (at < text.size()) text[at] = kBytes[pick(kBytes.size())]; break;
      case 2: text.erase(at, 1 + pick(4)); break;
      case 3: text.insert(at, text.substr(pick(text.size() + 1), pick(12))); break;
      default: if (pick(8) == 0) text.resize(at); break;
    }
  }
  return text;
}

// Numbers beyond a double are well-formed for us, but not for the reference.
bool HasExponent(std::string_view text) {
  for (size_t k = 0; k + 1 < text.size(); ++k) {
    if (text[k] >= '0' && text[k] <= '9' && (text[k + 1] | 0x20) == 'e') return true;
  }
  return false;
}

TEST_CASE("json: a mutated payload is malformed exactly when an independent parser says so") {
  const std::vector<std::string> seeds = {
      R"({"vehicle":"v0042","ts":1700000000123,"speed":63.2,"gear":4,"on":true,"x":null})",
      R"([{"vehicle":"a","engine":{"rpm":1,"oil":{"t":[1,2,{"z":false}]}}},{"speed":2e5}])",
      R"({"a\"b":"\u00fc\ud83d\ude97","engine.rpm":5,"engine":{"rpm":-0.5},"list":[[],{}]})"};
  DecodeFixture f(NewJsonDecoder({{"vehicle", kAnyType, false, 0},
                                  {"speed", kAnyType, false, 1},
                                  {"engine.rpm", kAnyType, false, 2},
                                  {"engine", kAnyType, false, 3},
                                  {"list", kAnyType, false, 4}}),
                  5);
  std::mt19937_64 random(42);
  uint32_t accepted = 0;
  for (int k = 0; k < 100000; ++k) {
    const std::string text = Mutate(seeds[random() % seeds.size()], &random);
    CAPTURE(text);
    f.batch.Reset(5, 2);
    f.errors.clear();
    DecodeFixture one = std::move(f);
    one.Feed(text, "\0}]\",1"[random() % 6]);
    const bool whole_fault = one.errors.size() == 1 && one.errors[0].raw.size() == text.size() &&
                             one.errors[0].code == ErrorCode::kMalformedPayload;
    const size_t first = text.find_first_not_of(" \r\n\t");
    const bool container = first != text.npos && (text[first] == '{' || text[first] == '[');
    const bool valid = container && nlohmann::json::accept(text);
    if (valid) {
      REQUIRE_FALSE(whole_fault);
      ++accepted;
    } else if (!HasExponent(text)) {
      REQUIRE(whole_fault);
      REQUIRE(one.batch.rows == 0);
    }
    if (k % 16 == 0) one.CheckInvariants();
    f = std::move(one);
  }
  CHECK(accepted > 1000);
  CHECK(accepted < 99000);
}

TEST_CASE("csv and value: mutated and random payloads keep the batch whole") {
  const std::string seed = "id,speed,ts\r\n\"v,1\",63.2,170\n\"a\"\"b\",,1\n\nx,1e5,-7\r\n";
  std::mt19937_64 random(43);
  for (int k = 0; k < 50000; ++k) {
    const std::string text = Mutate(seed, &random);
    DecodeFixture f(NewCsvDecoder({{"id", kAnyType, true, 0}, {"speed", kFloatType, false, 1}}, {}),
                    2);
    f.Feed(text, '"');
    f.CheckInvariants();
    REQUIRE(f.batch.rows + f.errors.size() <=
            static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 1);
    for (const DecodeError& error : f.errors) {
      REQUIRE((error.code == ErrorCode::kMalformedPayload ||
               error.code == ErrorCode::kMissingField || error.code == ErrorCode::kWrongFieldType));
    }
    DecodeFixture v(NewValueDecoder({"v", kAnyType, false, 0}), 1);
    v.Feed(std::string_view(text).substr(0, random() % 20), '1');
    REQUIRE(v.batch.rows + v.errors.size() == 1);
  }
}

TEST_CASE("random bytes behind a brace are refused by the JSON decoder") {
  DecodeFixture f(NewJsonDecoder({{"a", kAnyType, false, 0}}), 1);
  std::mt19937_64 random(44);
  size_t refused = 0;
  for (int k = 0; k < 20000; ++k) {
    std::string text(1 + random() % 100, '\0');
    for (char& c : text) c = static_cast<char>(random());
    text.front() = '{';
    f.Feed(text, static_cast<char>(random()));
    // The reference takes a NUL for the end of the text.
    const bool valid = text.find('\0') == text.npos && nlohmann::json::accept(text);
    refused += valid ? 0 : 1;
    REQUIRE(f.errors.size() == refused);
  }
  CHECK(f.batch.rows == 20000 - refused);
}

}  // namespace
}  // namespace rivulet
