#include "base/json_writer.h"

#include <doctest/doctest.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

namespace rivulet {
namespace {

std::string Text(std::string_view s) {
  std::string out;
  AppendJsonString(&out, s);
  return out;
}
std::string Number(double v) {
  std::string out;
  AppendJsonFloat(&out, v);
  return out;
}

TEST_CASE("strings are escaped where JSON asks for it and nowhere else") {
  CHECK(Text("") == "\"\"");
  CHECK(Text("plain") == "\"plain\"");
  CHECK(Text("a\"b\\c/d") == R"("a\"b\\c/d")");
  CHECK(Text("\b\f\n\r\t") == R"("\b\f\n\r\t")");
  CHECK(Text(std::string_view("\0\x1f\x7f", 3)) == "\"\\u0000\\u001f\x7f\"");
  CHECK(Text("Z\xC3\xBCrich \xE2\x82\xAC \xF0\x9F\x9A\x97") ==
        "\"Z\xC3\xBCrich \xE2\x82\xAC \xF0\x9F\x9A\x97\"");
}

TEST_CASE("bytes that are not UTF-8 become U+FFFD, one per maximal subpart") {
  const std::string r = "\xEF\xBF\xBD";
  CHECK(Text("a\x80z") == "\"a" + r + "z\"");
  CHECK(Text("\xC0\xAF") == "\"" + r + r + "\"");                      // overlong
  CHECK(Text("\xE0\x80\x80") == "\"" + r + r + r + "\"");              // overlong
  CHECK(Text("\xED\xA0\x80") == "\"" + r + r + r + "\"");              // surrogate
  CHECK(Text("\xF4\x90\x80\x80") == "\"" + r + r + r + r + "\"");      // above U+10FFFF
  CHECK(Text("\xE2\x82") == "\"" + r + "\"");                          // cut off
  CHECK(Text("\xF0\x9F\x9A\"") == "\"" + r + "\\\"\"");                // cut off by a quote
  CHECK(Text("\xFF\xFE") == "\"" + r + r + "\"");
}

TEST_CASE("any bytes give valid JSON") {
  std::mt19937_64 random(2);
  for (int k = 0; k < 20000; ++k) {
    std::string bytes(random() % 12, '\0');
    for (char& c : bytes) c = static_cast<char>(random() >> (random() % 2 == 0 ? 56 : 57));
    CHECK(nlohmann::json::accept(Text(bytes)));
  }
}

TEST_CASE("floats are short, plain where people read them, and exact") {
  CHECK(Number(12) == "12");
  CHECK(Number(100000) == "100000");
  CHECK(Number(-0.0) == "-0");
  CHECK(Number(63.2) == "63.2");
  CHECK(Number(0.1 + 0.2) == "0.30000000000000004");
  CHECK(Number(0.0001) == "0.0001");
  CHECK(Number(1e-7) == "1e-07");
  CHECK(Number(999999999999999) == "999999999999999");
  CHECK(Number(1e22) == "1e+22");
  CHECK(Number(std::numeric_limits<double>::quiet_NaN()) == "null");
  CHECK(Number(-std::numeric_limits<double>::infinity()) == "null");
}

TEST_CASE("every float reads back as itself") {
  std::mt19937_64 random(3);
  for (int k = 0; k < 50000; ++k) {
    const double v = k % 2 == 0 ? std::bit_cast<double>(random())
                                : static_cast<double>(random() % 1000000) / 1000;
    if (!std::isfinite(v)) continue;
    const std::string text = Number(v);
    REQUIRE(nlohmann::json::accept(text));
    double back = 0;
    std::from_chars(text.data(), text.data() + text.size(), back);
    REQUIRE(std::bit_cast<uint64_t>(back) == std::bit_cast<uint64_t>(v));
  }
}

TEST_CASE("values of every type") {
  std::string out;
  for (const Value& v : {Value::Null(), Value::Bool(true), Value::Bool(false),
                         Value::Int(std::numeric_limits<int64_t>::min()), Value::Float(1.5),
                         Value::String("x")}) {
    AppendJsonValue(&out, v);
    out += ' ';
  }
  CHECK(out == "null true false -9223372036854775808 1.5 \"x\" ");
}

}  // namespace
}  // namespace rivulet
