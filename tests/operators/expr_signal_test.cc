// bits() against a reading of DBC's rules bit by bit, and against signals known from elsewhere.
#include <doctest/doctest.h>

#include <random>

#include "operators/expr/text_encoding.h"
#include "tests/operators/expr_testing.h"

namespace rivulet::expr {
namespace {

// The value of a signal, one bit after the other, as the DBC format describes it.
int64_t ReadSignal(const std::string& frame, int start, int length, bool is_signed, bool big) {
  uint64_t value = 0;
  int bit = start;
  for (int k = 0; k < length; ++k) {
    const uint64_t b = static_cast<uint8_t>(frame[static_cast<size_t>(bit / 8)]) >> (bit % 8) & 1;
    if (big) {
      value = value << 1 | b;
      bit = bit % 8 == 0 ? bit + 15 : bit - 1;
    } else {
      value |= b << k;
      ++bit;
    }
  }
  if (is_signed && length < 64 && (value >> (length - 1)) != 0) value |= ~uint64_t{0} << length;
  return static_cast<int64_t>(value);
}

TEST_CASE("bits: known signals") {
  // OBD-II: engine speed, 41 0C A B, (256 A + B) / 4; in DBC 31|16@0+ (0.25,0).
  CHECK(Eval("bits('04410C1AF8000000', 31, 16, false, 0.25, 0, 'big')") == "float 1726");
  // OBD-II: coolant temperature, 41 05 A, A - 40; 31|8@0+ (1,-40).
  CHECK(Eval("bits('0341057B00000000', 31, 8, false, 1, -40, 'motorola')") == "int 83");
  // J1939 EEC1, engine speed: 24|16@1+ (0.125,0).
  CHECK(Eval("bits('FF FF FF 68 13 FF FF FF', 24, 16, false, 0.125)") == "float 621");
  // J1939 ET1, coolant temperature: 0|8@1+ (1,-40).
  CHECK(Eval("bits('0x7DFFFFFFFFFFFFFF', 0, 8, false, 1, -40)") == "int 85");
  // The textbook pair: the same 12 bits, 0xABC, told in both orders.
  CHECK(Eval("bits('ABC0', 7, 12, false, 1, 0, 'big')") == "int 2748");
  CHECK(Eval("bits('BC0A', 0, 12, false, 1, 0, 'little')") == "int 2748");
  CHECK(Eval("bits('qwA=', 7, 8, false, 1, 0, 'big', 'base64')") == "int 171");
}

TEST_CASE("bits: signs, widths and scale") {
  CHECK(Eval("bits('FF', 0, 8)") == "int 255");
  CHECK(Eval("bits('FF', 0, 8, true)") == "int -1");
  CHECK(Eval("bits('08', 3, 1, true)") == "int -1");
  CHECK(Eval("bits('FFFFFFFFFFFFFFFF', 0, 64, true)") == "int -1");
  CHECK(Eval("bits('FFFFFFFFFFFFFFFF', 0, 64)") == "float 18446744073709551616");
  CHECK(Eval("bits('0000000000000080', 0, 64, true)") == "int -9223372036854775808");
  CHECK(Eval("bits('F0FFFFFFFFFFFFFF0F', 4, 64, true)") == "int -1");
  CHECK(Eval("bits('0A', 0, 8, false, 2, 1)") == "int 21");
  CHECK(Eval("bits('0A', 0, 8, false, 9223372036854775807)") == "float 92233720368547758080");
  CHECK(Eval("bits('FFFFFFFFFFFFFFFF', 0, 64, false, -9223372036854775808, -9223372036854775808)") ==
        "float -1.7014118346046923e+38");
}

TEST_CASE("bits: frames at fault") {
  CHECK(Eval("bits('FF', 1, 8)") == "null");
  CHECK(Eval("bits('', 0, 1)") == "null");
  CHECK(Eval("bits('  ', 0, 1)") == "null");
  CHECK(Eval("bits(null, 0, 1)") == "null");
  CHECK(Eval("bits('F', 0, 1)") ==
        "error: bits: 'F' is not a frame in hexadecimal, two digits a byte");
  CHECK(Eval("bits('0xFG', 0, 1)").starts_with("error: bits: '0xFG' is not a frame"));
  CHECK(Eval("bits('A A', 0, 1)").starts_with("error: bits:"));
  CHECK(Eval("bits('A===', 0, 8, false, 1, 0, 'big', 'base64')").starts_with("error: bits:"));
}

TEST_CASE("bits: parameters are checked before anything runs") {
  const std::vector<Field> fields = {{"d", MaskOf(Type::kString), 0}, {"n", MaskOf(Type::kInt), 1}};
  std::string message;
  CHECK(CompileError("bits(d, 0, 65)", fields, &message) == "E2012 at 11");
  CHECK(message == "bits: the length is 65, expected 1 to 64");
  CHECK(CompileError("bits(d, -1, n)", fields, &message) == "E2012 at 8");
  CHECK(CompileError("bits(d, n, 8, false, 1, 0, 'bog')", fields, &message) == "E2012 at 27");
  CHECK(message == "bits: 'bog' is not known, expected 'little' or 'big'");
  CHECK(CompileError("bits(d, 0, 8, 1)", fields) == "E2005 at 14");
  CHECK(CompileError("bits(d, 0, 8, false, 0.1, n, 'big', 'hex')", fields) == "ok");
  // Parameters that come with the record are checked there.
  CHECK(Eval("bits('FF', n, 8)", {{"n", Value::Int(70000)}}) ==
        "error: bits: the start bit is 70000, expected 0 to 65535");
  CHECK(Eval("bits('F0', n, 4)", {{"n", Value::Int(4)}}) == "int 15");
  CHECK(Eval("bits('FF', n, 8)", {{"n", Value::Null()}}) == "null");
}

TEST_CASE("bits: equals a reading bit by bit") {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string frame(1 + random() % 16, '\0');
    for (char& byte : frame) byte = static_cast<char>(random());
    const auto bits = static_cast<int>(frame.size()) * 8;
    const int start = static_cast<int>(random() % static_cast<unsigned>(bits));
    const int length = 1 + static_cast<int>(random() % 64);
    const bool big = random() % 2 == 0, is_signed = length == 64 || random() % 2 == 0;
    const int first = big ? start / 8 * 8 + 7 - start % 8 : start;
    std::string data;
    AppendHex(frame, &data);
    std::string text = "bits('" + data + "', " + std::to_string(start) + ", " +
                       std::to_string(length) + ", " + (is_signed ? "true" : "false") +
                       ", 1, 0, " + (big ? "'big')" : "'little')");
    INFO(text);
    if (first + length > bits) {
      REQUIRE(Eval(text) == "null");
    } else {
      REQUIRE(Eval(text) ==
              "int " + std::to_string(ReadSignal(frame, start, length, is_signed, big)));
    }
  }
}

}  // namespace
}  // namespace rivulet::expr
