// Units, hashes, encodings, further functions on numbers and text.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include "operators/expr/text_encoding.h"
#include "operators/expr/units.h"
#include "tests/operators/expr_testing.h"

namespace rivulet::expr {
namespace {

struct Example {
  std::string text, result;
};

void CheckAll(const std::vector<Example>& examples) {
  for (const Example& e : examples) {
    INFO(e.text);
    CHECK(Eval(e.text) == e.result);
  }
}

TEST_CASE("units: conversions") {
  CheckAll({
      {"convert(36, 'km/h', 'm/s')", "float 10"}, {"convert(10, 'm/s', 'km/h')", "float 36"},
      {"convert(100, 'C', 'F')", "float 212"}, {"convert(-40, 'F', 'C')", "float -40"},
      {"convert(0, 'K', 'C')", "float -273.15"}, {"convert(1, 'mi', 'km')", "float 1.609344"},
      {"convert(1, 'kWh', 'MJ')", "float 3.6"}, {"convert(60, 'rpm', 'Hz')", "float 1"},
      {"round(convert(1, 'bar', 'psi'), 6)", "float 14.503774"},
      {"round(convert(1, 'hp', 'W'), 6)", "float 745.699872"},
      {"convert(1, 'PS', 'W')", "float 735.49875"},
      {"convert(1, 'gal', 'l')", "float 3.785411784"}, {"convert(180, 'deg', 'turn')", "float 0.5"},
      {"convert(5, 'm', 'm')", "float 5"}, {"convert(null, 'm', 'm')", "null"},
      {"convert(1e308, 'km', 'nm')", "float Infinity"},
      {"convert(1e308 * 10, 'm', 'km')", "float Infinity"},
  });
  constexpr auto kNumber = static_cast<StaticType>(MaskOf(Type::kInt) | MaskOf(Type::kFloat));
  const std::vector<Field> fields = {{"x", kNumber, 0}};
  std::string message;
  CHECK(CompileError("convert(x, 'kmh', 'mph')", fields, &message) == "E2012 at 11");
  CHECK(message == "convert: 'kmh' is not a known unit (did you mean 'km'?)");
  CHECK(CompileError("convert(x, 'km', 'mph')", fields, &message) == "E2012 at 17");
  CHECK(message ==
        "convert: 'mph' is a unit of speed, 'km' one of length; expected one of m km dm cm mm um nm "
        "in ft yd mi nmi");
  CHECK(CompileError("convert('1', 'km', 'm')", fields) == "E2005 at 8");
  // There and back, whatever the units.
  for (const std::string& from : MeasureUnitNames()) {
    for (const std::string& to : MeasureUnitNames(FindMeasureUnit(from)->dimension)) {
      const std::string text = "abs(convert(convert(12.5, '" + from + "', '" + to + "'), '" + to +
                               "', '" + from + "') / 12.5 - 1) < 1e-12";
      INFO(text);
      CHECK(Eval(text) == "bool true");
    }
  }
}

TEST_CASE("encodings and hashes") {
  CheckAll({
      {"crc32('123456789')", "int 3421780262"}, {"crc32('')", "int 0"},
      {"hash64('') = hash64('')", "bool true"}, {"hash64('')", "int 3244421341483603138"},
      {"hash64(1) = hash64('1')", "bool true"}, {"hash64(null)", "null"},
      {"hex('abc')", "string 616263"}, {"hex(0)", "string 0"}, {"hex(16)", "string 10"},
      {"hex(-1)", "string FFFFFFFFFFFFFFFF"}, {"hex('')", "string "},
      {"unhex('61 62')", "string ab"},
      {"unhex('6')", "error: unhex: '6' is not hexadecimal, two digits a byte"},
      {"to_base64('any carnal pleas')", "string YW55IGNhcm5hbCBwbGVhcw=="},
      {"to_base64('')", "string "},
      {"from_base64('YW55IGNhcm5hbCBwbGVhcw==')", "string any carnal pleas"},
      {"from_base64('YW55IGNhcm5hbCBwbGVhcw')", "string any carnal pleas"},
      {"from_base64('YW5=')", "error: from_base64: 'YW5=' is not base64"},
      {"from_base64('Y')", "error: from_base64: 'Y' is not base64"},
      {"from_base64('Y W5')", "error: from_base64: 'Y W5' is not base64"},
      {"bit_count(-1)", "int 64"}, {"bit_count(0)", "int 0"}, {"bit_test(5, 2)", "bool true"},
      {"bit_test(-1, 63)", "bool true"},
      {"bit_test(5, 64)", "error: bit_test: there is no bit 64, expected 0 to 63"},
      {"bit_set(0, 63, true)", "int -9223372036854775808"}, {"bit_set(7, 1, false)", "int 5"},
  });
  CHECK(Eval("hex(repeat('a', 60000))").find("at most 65536") != std::string::npos);
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 40, '\0'), hex, base64, back;
    for (char& c : bytes) c = static_cast<char>(random());
    AppendHex(bytes, &hex);
    CHECK((DecodeHex(hex, &back) && back == bytes));
    AppendBase64(bytes, &base64);
    back.clear();
    CHECK((DecodeBase64(base64, &back) && back == bytes));
  }
}

TEST_CASE("numbers: further functions") {
  CheckAll({
      {"round(cbrt(27), 9)", "float 3"}, {"sinh(0)", "float 0"}, {"cosh(0)", "float 1"},
      {"tanh(0)", "float 0"},
      {"round(e(), 5)", "float 2.71828"}, {"hypot(3, 4)", "float 5"}, {"isfinite(1)", "bool true"},
      {"isfinite(ln(0))", "bool false"}, {"gcd(12, -18)", "int 6"}, {"gcd(0, 0)", "int 0"},
      {"gcd(-9223372036854775808, 0)", "float 9223372036854775808"},
      {"lcm(4, 6)", "int 12"}, {"lcm(0, 6)", "int 0"},
      {"lcm(9223372036854775807, 9223372036854775806)", "float 8.507059173023462e+37"},
      {"bucket(17, 5)", "int 15"}, {"bucket(-1, 5)", "int -5"}, {"bucket(1.7, 0.5)", "float 1.5"},
      {"bucket(5, 0)", "null"}, {"bucket(-9223372036854775808, 10)", "float -9223372036854775808"},
      {"width_bucket(5.35, 0.024, 10.06, 5)", "int 3"}, {"width_bucket(-1, 0, 10, 5)", "int 0"},
      {"width_bucket(10, 0, 10, 5)", "int 6"}, {"width_bucket(9.99, 0, 10, 5)", "int 5"},
      {"width_bucket(1, 5, 5, 5)", "null"}, {"width_bucket(sqrt(-1), 0, 1, 5)", "null"},
      {"width_bucket(0, ln(0), 1, 5)", "int 1"},
      {"width_bucket(1, 0, 1, 0)", "error: width_bucket: expected 1 to 2147483648 buckets"},
      {"rescale(512, 0, 1024, 4, 20)", "float 12"}, {"rescale(1, 2, 2, 0, 1)", "null"},
  });
}

TEST_CASE("text: further functions") {
  CheckAll({
      {"byte_length('\xc3\xa4')", "int 2"}, {"concat_ws('-', 'a', null, 1)", "string a-1"},
      {"concat_ws(null, 'a')", "null"}, {"concat_ws(',')", "string "},
      {"translate('h\xc3\xa4llo', '\xc3\xa4lx', 'ay')", "string hayyo"},
      {"translate('abc', 'ab', '')", "string c"}, {"translate('', 'a', 'b')", "string "},
      {"translate('\xff', '\xff', 'b')", "string b"},
      {"trim_chars('--a-b--', '-')", "string a-b"}, {"trim_chars('--', '-')", "string "},
      {"trim_chars('\xc3\xa4x\xc3\xa4', '\xc3\xa4')", "string x"},
      {"trim_chars('ab', '')", "string ab"},
      {"initcap('hELLO wORLD 2nd')", "string Hello World 2nd"},
      {"code_point('\xe2\x82\xac')", "int 8364"}, {"code_point('')", "null"},
      {"code_point('\xff')", "int 255"},
      {"chr(8364)", "string \xe2\x82\xac"}, {"chr(65)", "string A"},
      {"chr(128512)", "string \xf0\x9f\x98\x80"},
      {"chr(55296)", "error: chr: 55296 is no character's code point"},
      {"chr(-1)", "error: chr: -1 is no character's code point"},
      {"to_fixed(2.5, 0)", "string 2"}, {"to_fixed(3.14159, 2)", "string 3.14"},
      {"to_fixed(7, 2)", "string 7.00"},
      {"to_fixed(-9223372036854775808, 0)", "string -9223372036854775808"},
      {"length(to_fixed(1.7e308, 30))", "int 340"}, {"to_fixed(ln(0), 2)", "null"},
      {"to_fixed(1, 31)", "error: to_fixed: 31 digits asked for, expected 0 to 30"},
      {"count_text('aaaa', 'aa')", "int 2"}, {"count_text('abc', '')", "int 0"},
      {"count_text('', 'a')", "int 0"},
  });
  CHECK(Eval("translate('a', repeat('b', 257), '')").find("at most 256") != std::string::npos);
  CHECK(Eval("concat_ws('', repeat('a', 60000), repeat('a', 60000))").find("at most 65536") !=
        std::string::npos);
}

}  // namespace
}  // namespace rivulet::expr
