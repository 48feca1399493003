// Whole documents, value by value, against an independent parser: numbers to the last bit, strings to the
// last byte, in whatever way a decoder finds them (payload, text of a cell, inside of an expression).
#include <bit>
#include <nlohmann/json.hpp>
#include <random>

#include "operators/decode/text_value.h"
#include "operators/expr/json_text.h"
#include "tests/operators/decode_fixture.h"

namespace rivulet {
namespace {

class Documents {
 public:
  explicit Documents(uint64_t seed) : random_(seed) {}

  size_t Pick(size_t n) { return static_cast<size_t>(random_() % n); }

  std::string Digits(size_t most) {
    std::string out;
    for (size_t n = 1 + Pick(most); n > 0; --n) out += static_cast<char>('0' + Pick(10));
    return out;
  }

  // Of RFC 8259, and well within the range of a double, beyond which the reference is of another opinion.
  std::string Number() {
    std::string out = Pick(3) == 0 ? "-" : "";
    switch (Pick(6)) {
      case 0: out += "0"; break;
      case 1: out += std::to_string(random_()); break;
      case 2: out += "9223372036854775" + std::to_string(800 + Pick(20)); break;
      case 3: out += "1844674407370955161" + std::to_string(Pick(10)); break;
      default: out += std::to_string(1 + Pick(9)) + Digits(25); break;
    }
    if (Pick(2) == 0) out = (Pick(2) == 0 ? std::string("0") : out) + "." + Digits(Pick(4) == 0 ? 60 : 12);
    if (Pick(4) == 0) out += std::string(Pick(2) ? "e" : "E") + (Pick(2) ? "-" : "+") + Digits(2);
    return out;
  }

  std::string String() {
    static const std::string kParts[] = {"a",      "é",       "\\n",     "\\\"",           "\\\\",  "\\/",
                                         "\\u0000", "\\u00e9", "\\u20AC", "\\ud83d\\ude97", "🚗",    ",",
                                         "}",      "]",       ":",       "\\t",            "long ",
                                         "\xf4\x8f\xbf\xbf",
                                         "\\uDBFF\\uDFFF", "\\b\\f\\r"};
    std::string out = "\"";
    for (size_t n = Pick(12); n > 0; --n) out += kParts[Pick(std::size(kParts))];
    return out + "\"";
  }

  std::string Scalar() {
    switch (Pick(5)) {
      case 0: return String();
      case 1: return Pick(2) ? "true" : "false";
      case 2: return Pick(3) ? Number() : "null";
      default: return Number();
    }
  }

  std::string Space() { return std::string(Pick(6) == 0 ? Pick(3) : 0, " \n\t\r"[Pick(4)]); }

  std::string Nested(size_t depth) {
    if (depth == 0 || Pick(2) == 0) return Scalar();
    std::string out = Pick(2) ? "[" : "{";
    const bool object = out == "{";
    for (size_t n = Pick(4); n > 0; --n) {
      if (out.size() > 1) out += ",";
      out += Space();
      if (object) out += String() + Space() + ":" + Space();
      out += Nested(depth - 1) + Space();
    }
    return out + (object ? "}" : "]");
  }

 private:
  std::mt19937_64 random_;
};

void CheckSame(const Value& got, const nlohmann::json& expected) {
  switch (expected.type()) {
    case nlohmann::json::value_t::null: REQUIRE(got.is_null()); break;
    case nlohmann::json::value_t::boolean:
      REQUIRE(got.type == Type::kBool);
      REQUIRE(got.b == expected.get<bool>());
      break;
    case nlohmann::json::value_t::string:
      REQUIRE(got.type == Type::kString);
      REQUIRE(got.s == expected.get_ref<const std::string&>());
      break;
    case nlohmann::json::value_t::number_unsigned:
      if (expected.get<uint64_t>() > INT64_MAX) {
        REQUIRE(got.type == Type::kFloat);
        REQUIRE(got.f == static_cast<double>(expected.get<uint64_t>()));
        break;
      }
      [[fallthrough]];
    case nlohmann::json::value_t::number_integer:
      REQUIRE(got.type == Type::kInt);
      REQUIRE(got.i == expected.get<int64_t>());
      break;
    case nlohmann::json::value_t::number_float:
      REQUIRE(got.type == Type::kFloat);
      REQUIRE(std::bit_cast<uint64_t>(got.f) == std::bit_cast<uint64_t>(expected.get<double>()));
      break;
    default:  // an object or array comes as its text
      REQUIRE(got.type == Type::kString);
      REQUIRE(nlohmann::json::parse(got.s) == expected);
  }
}

TEST_CASE("json: values are what an independent parser makes of them") {
  Documents documents(11);
  DecodeFixture flat(NewJsonDecoder({{"a", kAnyType, false, 0}, {"b", kAnyType, false, 1}}), 2);
  DecodeFixture deep(NewJsonDecoder({{"a.x", kAnyType, false, 0}, {"b", kAnyType, false, 1}}), 2);
  std::string scratch;
  for (int k = 0; k < 60000; ++k) {
    const std::string a = documents.Scalar(), b = documents.Nested(3);
    CAPTURE(a);
    CAPTURE(b);
    const nlohmann::json first = nlohmann::json::parse(a), second = nlohmann::json::parse(b);
    // The short way is left for a while when it leads nowhere: `a` twice goes it now and then.
    const bool short_way = k % 4 < 2;
    flat.Decode("{\"a\":" + a + ",\"b\":" + (short_way ? a : b) + "}", "\0}]\",1"[documents.Pick(6)]);
    REQUIRE(flat.batch.rows == 1);
    CheckSame(flat.batch.columns[0].Get(0), first);
    CheckSame(flat.batch.columns[1].Get(0), short_way ? first : second);
    deep.Decode("[{\"a\":{\"y\":" + b + ",\"x\":" + a + "},\"b\":" + b + "}]");
    REQUIRE(deep.batch.rows == 1);
    CheckSame(deep.batch.columns[0].Get(0), first);
    CheckSame(deep.batch.columns[1].Get(0), second);
    REQUIRE(expr::IsJson(a));
    CheckSame(*expr::JsonToValue(a, &scratch), first);
    Value number;
    if (first.is_number()) {
      REQUIRE(decode::ParseNumber(a, &number));
      CheckSame(number, first);
    }
  }
}

TEST_CASE("json: numbers that the library alone misreads") {
  DecodeFixture f(NewJsonDecoder({{"v", kAnyType, false, 0}}), 1);
  const auto value = [&f](std::string_view text) {
    f.Decode("{\"v\":" + std::string(text) + "}");
    REQUIRE(f.batch.rows == 1);
    return f.batch.columns[0].Get(0).f;
  };
  for (int k = 0; k < 3; ++k) {  // first the long way, then the short one
    CHECK(value("0.50000000000000000000") == 0.5);
    CHECK(value("-0.33333333333333333333") == -1.0 / 3);
    CHECK(value("0.1000000000000000055511151231257827021181583404541015625") == 0.1);
    CHECK(value("18446744073709551617") == 0x1p64);
    CHECK(value("1e-400") == 0);
    CHECK(value("2e-324") == 0);
  }
}

}  // namespace
}  // namespace rivulet
