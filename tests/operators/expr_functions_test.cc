// Every function of the registry, by family.
#include <doctest/doctest.h>

#include <limits>
#include <set>

#include "operators/expr/civil_time.h"
#include "operators/expr/iso_text.h"
#include "tests/operators/expr_testing.h"

namespace rivulet::expr {

static constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
static constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

struct Example {
  std::string text;
  std::string result;
};

static void CheckAll(const std::vector<Example>& examples) {
  for (const Example& e : examples) {
    INFO(e.text);
    CHECK(Eval(e.text) == e.result);
  }
}

TEST_CASE("expr: functions on numbers") {
  CheckAll({
      {"abs(-3)", "int 3"}, {"abs(-3.5)", "float 3.5"},
      {"abs(-9223372036854775808)", "float 9223372036854775808"},
      {"sign(-3)", "int -1"}, {"sign(0)", "int 0"}, {"sign(2.5)", "float 1"},
      {"floor(2)", "int 2"}, {"floor(-2.5)", "float -3"}, {"ceil(2.1)", "float 3"},
      {"ceil(7)", "int 7"}, {"trunc(-2.7)", "float -2"}, {"trunc(5)", "int 5"},
      {"round(2.5)", "float 3"}, {"round(-2.5)", "float -3"}, {"round(3)", "int 3"},
      {"round(3.14159, 2)", "float 3.14"}, {"round(1234.5, -2)", "float 1200"},
      {"round(1250, -2)", "int 1300"}, {"round(-1250, -2)", "int -1300"}, {"round(5, 3)", "int 5"},
      {"round(9223372036854775807, -1)", "float 9223372036854775808"},
      {"round(9223372036854775807, -19)", "float 1e+19"},
      {"round(4, -20)", "int 0"}, {"round(1e300, 20)", "float 1e+300"},
      {"round(1.5, -400)", "float 0"}, {"round(1.23, 100)", "float 1.23"},
      {"sqrt(9)", "float 3"}, {"sqrt(-1)", "float NaN"}, {"exp(0)", "float 1"},
      {"ln(1)", "float 0"}, {"ln(0)", "float -Infinity"}, {"log10(1000)", "float 3"},
      {"log2(8)", "float 3"}, {"log(10, 1000)", "float 3"}, {"log(2, 8)", "float 3"},
      {"log(4, 16)", "float 2"}, {"pow(2, 10)", "float 1024"}, {"mod(-7, 3)", "int 2"},
      {"sin(0)", "float 0"}, {"cos(0)", "float 1"}, {"tan(0)", "float 0"}, {"asin(0)", "float 0"},
      {"acos(1)", "float 0"}, {"atan(0)", "float 0"}, {"atan2(0, 1)", "float 0"},
      {"round(degrees(pi()), 9)", "float 180"}, {"round(radians(180), 5)", "float 3.14159"},
      {"pi()", "float 3.141592653589793"},
      {"isnan(sqrt(-1))", "bool true"}, {"isnan(1)", "bool false"}, {"isinf(ln(0))", "bool true"},
      {"isinf(1.5)", "bool false"},
      {"least(3, 1.5, 2)", "float 1.5"}, {"least('b', 'a')", "string a"},
      {"least(1, null)", "null"}, {"greatest(3, 1.5)", "int 3"}, {"greatest(7)", "int 7"},
      {"greatest(1, sqrt(-1), 5)", "float NaN"}, {"least(sqrt(-1), 1)", "float NaN"},
      {"greatest(1, 'a')", "error: greatest: cannot compare string with int"},
      {"clamp(5, 1, 3)", "int 3"}, {"clamp(-5, 1, 3)", "int 1"}, {"clamp(2.5, 1, 3)", "float 2.5"},
  });
  // Over a column, not folded.
  CHECK(Eval("sqrt(x)", {{"x", Value::Float(2.25)}}) == "float 1.5");
  CHECK(Eval("sqrt(x)", {{"x", Value::Int(4)}}) == "float 2");
  CHECK(Eval("round(x, n)", {{"x", Value::Float(2.345)}, {"n", Value::Int(1)}}) == "float 2.3");
}

TEST_CASE("expr: functions on bits") {
  CheckAll({
      {"bit_and(12, 10)", "int 8"}, {"bit_or(12, 10)", "int 14"}, {"bit_xor(12, 10)", "int 6"},
      {"bit_not(0)", "int -1"}, {"shift_left(1, 10)", "int 1024"},
      {"shift_left(1, 63)", "int -9223372036854775808"}, {"shift_right(-8, 1)", "int -4"},
      {"shift_left(1, 64)", "error: shift_left: cannot shift by 64 bits, expected 0 to 63"},
      {"shift_right(1, -1)", "error: shift_right: cannot shift by -1 bits, expected 0 to 63"},
      {"hex(255)", "string FF"}, {"hex(0)", "string 0"}, {"hex(-1)", "string FFFFFFFFFFFFFFFF"},
      {"from_hex('ff')", "int 255"}, {"from_hex('0xFF')", "int 255"},
      {"from_hex('FFFFFFFFFFFFFFFF')", "int -1"},
      {"from_hex('')", "error: from_hex: '' is not a hexadecimal number of up to 16 digits"},
      {"from_hex('0x12g')",
       "error: from_hex: '0x12g' is not a hexadecimal number of up to 16 digits"},
      {"from_hex('00000000000000001')",
       "error: from_hex: '00000000000000001' is not a hexadecimal number of up to 16 digits"},
      {"bit_and(1.5, 1)", "E2005 at 8: bit_and needs int as argument 1, found float"},
  });
}

TEST_CASE("expr: functions on text") {
  CheckAll({
      {"lower('AbC\xc3\x84')", "string abc\xc3\x84"}, {"upper('abc1')", "string ABC1"},
      {"length('a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80')", "int 4"}, {"length('')", "int 0"},
      {"length('\xff\xc3')", "int 2"},
      {"trim('  a b\t')", "string a b"}, {"ltrim('  a ')", "string a "},
      {"rtrim(' a  ')", "string  a"}, {"ltrim('  ')", "string "}, {"rtrim('  ')", "string "},
      {"substr('abcdef', 2, 3)", "string bcd"}, {"substr('abcdef', 4)", "string def"},
      {"substr('abc', 0, 2)", "string a"}, {"substr('abc', -5, 7)", "string a"},
      {"substr('abc', 9)", "string "}, {"substr('\xc3\xa4" "bc', 2, 1)", "string b"},
      {"substr('abc', 2, 9223372036854775807)", "string bc"},
      {"substr('abc', -9223372036854775808)", "string abc"},
      {"substr('abc', 1, -1)", "error: substr: length -1 is negative"},
      {"left('abcd', 2)", "string ab"}, {"left('abcd', -1)", "string abc"},
      {"left('abcd', -9)", "string "}, {"right('abcd', 2)", "string cd"},
      {"right('abcd', -1)", "string bcd"}, {"right('abcd', 9)", "string abcd"},
      {"right('abcd', -9223372036854775808)", "string "},
      {"replace('aXbX', 'X', '--')", "string a--b--"}, {"replace('abc', '', 'x')", "string abc"},
      {"replace('abc', 'z', 'x')", "string abc"}, {"replace('aaa', 'a', '')", "string "},
      {"concat('a', 1, true, 2.5)", "string a1true2.5"}, {"concat('a', null)", "null"},
      {"'a' || 1 || '-' || 2.0", "string a1-2"},
      {"starts_with('abc', 'ab')", "bool true"}, {"ends_with('abc', 'bc')", "bool true"},
      {"ends_with('c', 'bc')", "bool false"}, {"contains('abc', 'b')", "bool true"},
      {"position('c', '\xc3\xa4" "bc')", "int 3"}, {"position('x', 'abc')", "int 0"},
      {"position('', 'abc')", "int 1"},
      {"lpad('7', 3, '0')", "string 007"}, {"lpad('abc', 2)", "string ab"},
      {"lpad('a', 6, 'xyz')", "string xyzxya"}, {"rpad('a', 3)", "string a  "},
      {"rpad('a', 4, '\xc3\xa4')", "string a\xc3\xa4\xc3\xa4\xc3\xa4"},
      {"lpad('a', 5, '')", "string a"}, {"lpad('a', -5)", "string "},
      {"reverse('ab\xc3\xa4')", "string \xc3\xa4" "ba"},
      {"split_part('a,b,c', ',', 2)", "string b"}, {"split_part('a,b', ',', 3)", "string "},
      {"split_part('a', '', 1)", "string a"}, {"split_part('a,', ',', 2)", "string "},
      {"split_part('a', ',', 0)", "error: split_part: part 0 asked for, expected 1 or more"},
      {"repeat('ab', 3)", "string ababab"}, {"repeat('a', -1)", "string "},
      {"repeat('', 9223372036854775807)", "string "},
      {"length(repeat('ab', 32768))", "int 65536"},
  });
  for (const char* text : {"repeat('ab', 32769)", "lpad('a', 9223372036854775807)",
                           "replace(repeat('a', 60000), 'a', repeat('b', 60000))",
                           "repeat('a', 60000) || repeat('a', 60000)",
                           "concat(repeat('a', 60000), repeat('a', 60000))"}) {
    INFO(text);
    CHECK(Eval(text).find("bytes, at most 65536 are allowed") != std::string::npos);
  }
}

TEST_CASE("expr: conversions") {
  CheckAll({
      {"to_int(' -12 ')", "int -12"}, {"to_int('+5')", "int 5"}, {"to_int(2.9)", "int 2"},
      {"to_int(-2.9)", "int -2"}, {"to_int(true)", "int 1"}, {"cast('7' as int)", "int 7"},
      {"to_int('12.5')", "error: to_int: cannot make int of string '12.5'"},
      {"to_int('9223372036854775808')",
       "error: to_int: cannot make int of string '9223372036854775808'"},
      {"to_int(1e19)", "error: to_int: cannot make int of float 1e+19"},
      {"to_int(sqrt(-1))", "error: to_int: cannot make int of float NaN"},
      {"try_to_int('x')", "null"}, {"try_to_int(1e19)", "null"}, {"try_to_int('8')", "int 8"},
      {"to_float('1.5e3')", "float 1500"},
      {"to_float(3)", "float 3"}, {"to_float(true)", "float 1"},
      {"to_float('-inf')", "float -Infinity"}, {"to_float('NaN')", "float NaN"},
      {"to_float('nan(1)')", "error: to_float: cannot make float of string 'nan(1)'"},
      {"to_float('')", "error: to_float: cannot make float of string ''"},
      {"to_float('+-1')", "error: to_float: cannot make float of string '+-1'"},
      {"try_to_float('1.5x')", "null"}, {"try_to_float(' 2 ')", "float 2"},
      {"to_string(12)", "string 12"}, {"to_string(12.0)", "string 12"},
      {"to_string(0.1)", "string 0.1"}, {"to_string(1e30)", "string 1e+30"},
      {"to_string(false)", "string false"}, {"to_string('a')", "string a"},
      {"to_string(ln(0))", "string -Infinity"}, {"cast(5 as string) || 'x'", "string 5x"},
      {"to_bool('Yes')", "bool true"}, {"to_bool('off')", "bool false"},
      {"to_bool(0)", "bool false"},
      {"to_bool(0.5)", "bool true"}, {"try_to_bool('maybe')", "null"},
      {"to_bool('maybe')", "error: to_bool: cannot make bool of string 'maybe'"},
      {"cast(null as int)", "null"},
      {"typeof(null)", "string null"}, {"typeof(true)", "string bool"}, {"typeof(1)", "string int"},
      {"typeof(1.0)", "string float"}, {"typeof('')", "string string"},
  });
}

TEST_CASE("expr: times") {
  CheckAll({
      {"format_time(0)", "string 1970-01-01T00:00:00.000Z"},
      {"format_time(-1)", "string 1969-12-31T23:59:59.999Z"},
      {"format_time(1714567496789)", "string 2024-05-01T12:44:56.789Z"},
      {"format_time(-62167219200000)", "string 0000-01-01T00:00:00.000Z"},
      {"format_time(-62167219200001)", "string -000001-12-31T23:59:59.999Z"},
      {"format_time(253402300800000)", "string +010000-01-01T00:00:00.000Z"},
      {"parse_time('2024-05-01T12:44:56.789Z')", "int 1714567496789"},
      {"parse_time('2024-05-01')", "int 1714521600000"},
      {"parse_time('2024-05-01 14:44:56.7891+02:00')", "int 1714567496789"},
      {"parse_time('2024-05-01T10:44-0200')", "int 1714567440000"},
      {"parse_time('1969-12-31T23:59:59.999Z')", "int -1"},
      {"parse_time('2024-02-29')", "int 1709164800000"},
      {"parse_time('+010000-01-01T00:00:00Z')", "int 253402300800000"},
      {"year(1714567496789)", "int 2024"}, {"month(1714567496789)", "int 5"},
      {"day(1714567496789)", "int 1"}, {"hour(1714567496789)", "int 12"},
      {"minute(1714567496789)", "int 44"}, {"second(1714567496789)", "int 56"},
      {"millisecond(1714567496789)", "int 789"}, {"millisecond(-1)", "int 999"},
      {"hour(-1)", "int 23"}, {"year(-1)", "int 1969"},
      {"day_of_week(0)", "int 4"}, {"day_of_week(-1)", "int 3"},
      {"day_of_week(1714867200000)", "int 7"}, {"day_of_year(0)", "int 1"},
      {"day_of_year(parse_time('2024-12-31'))", "int 366"},
      {"format_time(date_trunc('second', 1714567496789))", "string 2024-05-01T12:44:56.000Z"},
      {"format_time(date_trunc('minute', 1714567496789))", "string 2024-05-01T12:44:00.000Z"},
      {"format_time(date_trunc('hour', 1714567496789))", "string 2024-05-01T12:00:00.000Z"},
      {"format_time(date_trunc('day', -1))", "string 1969-12-31T00:00:00.000Z"},
      {"format_time(date_trunc('week', 1714567496789))", "string 2024-04-29T00:00:00.000Z"},
      {"format_time(date_trunc('month', 1716567496789))", "string 2024-05-01T00:00:00.000Z"},
      {"format_time(date_trunc('year', 1714567496789))", "string 2024-01-01T00:00:00.000Z"},
      {"date_trunc('decade', 0)",
       "E2012 at 11: date_trunc: 'decade' is not a unit, expected millisecond, second, minute, "
       "hour, day, week, month, quarter or year"},
      {"year(9223372036854775807)", "int 292278994"},
      {"year(-9223372036854775808)", "int -292275055"},
      {"date_trunc('year', -9223372036854775808)",
       "error: date_trunc: the beginning of the year is beyond int64"},
      {"date_trunc('second', -9223372036854775808)",
       "error: date_trunc: the beginning of the second is beyond int64"},
      {"year(1.5)", "E2005 at 5: year needs int as argument 1, found float"},
  });
  for (const char* text : {"", "2024", "2024-13-01", "2023-02-29", "2024-05-01T24:00:00",
                           "2024-05-01T12:60", "2024-05-01T12:00:60", "2024-05-01T12:00:00.",
                           "2024-05-01T12:00:00x", "2024-05-01T12:00:00+1", "24-05-01", "2024-5-1",
                           "+12345-01-01", "2024-00-10", "2024-01-00", "+999999999-01-01"}) {
    INFO(text);
    CHECK_FALSE(ParseIso(text).has_value());
  }
}

TEST_CASE("expr: calendar agrees with itself over all of int64") {
  for (int64_t ms : {kMin, kMin + 1, int64_t{-62135596800001}, int64_t{-1}, int64_t{0},
                     int64_t{951782400000}, int64_t{4107542399999}, kMax - 1, kMax}) {
    std::string text;
    AppendIso(ms, &text);
    INFO(text);
    CHECK(ParseIso(text) == ms);
  }
  // Every day of 1200 years follows the one before.
  CivilDate last = CivilFromDays(-400000);
  for (int64_t day = -399999; day < 40000; ++day) {
    const CivilDate date = CivilFromDays(day);
    CHECK(DaysFromCivil(date.year, date.month, date.day) == day);
    const bool next_day = date.year == last.year && date.month == last.month &&
                          date.day == last.day + 1;
    const bool next_month = date.day == 1 && last.day >= 28 && date.year == last.year &&
                            date.month == last.month + 1;
    const bool next_year = date.day == 1 && date.month == 1 && last.month == 12 &&
                           last.day == 31 && date.year == last.year + 1;
    if (!(next_day || next_month || next_year)) FAIL("gap after day " << day - 1);
    last = date;
  }
}

}  // namespace rivulet::expr
