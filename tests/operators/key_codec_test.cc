#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "base/hash.h"
#include "base/random.h"
#include "operators/key/key_codec.h"

namespace rivulet {
namespace {

std::string Key(const Value& v) {
  std::string key;
  AppendKeyValue(&key, v);
  return key;
}

bool Same(const Value& a, const Value& b) {
  if (a.type != b.type) return false;
  switch (a.type) {
    case Type::kNull: return true;
    case Type::kBool: return a.b == b.b;
    case Type::kInt: return a.i == b.i;
    case Type::kFloat: return a.f == b.f || (std::isnan(a.f) && std::isnan(b.f));
    case Type::kString: return a.s == b.s;
  }
  return false;
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("keys sort as documented") {
  using namespace std::string_view_literals;
  const std::vector<Value> ascending = {
      Value::Null(),
      Value::Bool(false),
      Value::Bool(true),
      Value::Int(std::numeric_limits<int64_t>::min()),
      Value::Int(-256),
      Value::Int(-1),
      Value::Int(0),
      Value::Int(1),
      Value::Int(255),
      Value::Int(256),
      Value::Int(std::numeric_limits<int64_t>::max()),
      Value::Float(-kInfinity),
      Value::Float(-1e300),
      Value::Float(-2.5),
      Value::Float(-0.5),
      Value::Float(5e-324),
      Value::Float(0.5),
      Value::Float(2.5),
      Value::Float(1e300),
      Value::Float(kInfinity),
      Value::String(""),
      Value::String("\0"sv),
      Value::String("\0\0"sv),
      Value::String("\0a"sv),
      Value::String("\x01"),
      Value::String("a"),
      Value::String("a\0"sv),
      Value::String("a\0b"sv),
      Value::String("a\0\xff"sv),
      Value::String("ab"),
      Value::String("b"),
      Value::String("\xff"),
  };
  for (size_t a = 0; a < ascending.size(); ++a) {
    for (size_t b = 0; b < ascending.size(); ++b) {
      CAPTURE(a);
      CAPTURE(b);
      const int order = Key(ascending[a]).compare(Key(ascending[b]));
      CHECK((order < 0) == (a < b));
      CHECK((order == 0) == (a == b));
    }
  }
}

TEST_CASE("keys of several parts keep their parts apart and sort by the first") {
  using namespace std::string_view_literals;
  const auto pair = [](std::string_view a, std::string_view b) {
    return Key(Value::String(a)) + Key(Value::String(b));
  };
  CHECK(pair("a", "bc") != pair("ab", "c"));
  CHECK(pair("a", "z") < pair("aa", "a"));
  CHECK(pair("a", "") < pair("a\0"sv, ""));
  CHECK(pair("", "\xff") < pair("\0"sv, ""));
}

TEST_CASE("whole floats are the ints they equal") {
  CHECK(Key(Value::Float(1.0)) == Key(Value::Int(1)));
  CHECK(Key(Value::Float(-0.0)) == Key(Value::Int(0)));
  CHECK(Key(Value::Float(0x1p53)) == Key(Value::Int(int64_t{1} << 53)));
  CHECK(Key(Value::Float(0x1p54)) != Key(Value::Int(int64_t{1} << 54)));
  CHECK(Key(Value::Float(1.5)) != Key(Value::Int(1)));
  CHECK(Key(Value::Float(std::nan("1"))) == Key(Value::Float(-std::nan("2"))));
}

TEST_CASE("what is encoded comes back") {
  Random random(7);
  for (int round = 0; round < 2000; ++round) {
    std::vector<Value> values;
    std::vector<std::string> texts(4);
    std::string key;
    for (size_t part = 0; part < 4; ++part) {
      switch (random.Below(5)) {
        case 0: values.push_back(Value::Null()); break;
        case 1: values.push_back(Value::Bool(random.Chance(0.5))); break;
        case 2: values.push_back(Value::Int(static_cast<int64_t>(random.Next()))); break;
        case 3: values.push_back(Value::Float(random.Unit() + 0.0001)); break;
        default:
          for (uint64_t n = random.Below(6); n > 0; --n) {
            texts[part] += static_cast<char>(random.Chance(0.5) ? 0 : random.Next());
          }
          values.push_back(Value::String(texts[part]));
      }
      AppendKeyValue(&key, values.back());
    }
    std::string_view rest = key;
    std::string scratch;
    for (const Value& expected : values) {
      Value value;
      REQUIRE(NextKeyValue(&rest, &value, &scratch));
      REQUIRE(Same(value, expected));
    }
    REQUIRE(rest.empty());
  }
}

TEST_CASE("no bytes crash the reader") {
  Random random(11);
  const char tags[] = {0x00, 0x01, 0x02, 0x03, 0x10, 0x11, 0x20, 0x21, '\x7f'};
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(1, tags[random.Below(sizeof(tags))]);
    for (uint64_t n = random.Below(14); n > 0; --n) {
      bytes += static_cast<char>(random.Chance(0.3) ? 0 : random.Chance(0.3) ? 0xff : random.Next());
    }
    std::string_view rest = bytes;
    std::string scratch;
    Value value;
    size_t left = rest.size();
    while (NextKeyValue(&rest, &value, &scratch)) {
      REQUIRE(rest.size() < left);
      left = rest.size();
    }
  }
  std::string_view open = "\x20text without end";
  std::string scratch;
  Value value;
  CHECK_FALSE(NextKeyValue(&open, &value, &scratch));
  std::string_view nothing;
  CHECK_FALSE(NextKeyValue(&nothing, &value, &scratch));
}

TEST_CASE("rows without a key, or with one too long, are reported and left out") {
  RecordBatch batch;
  batch.Reset(2, 5);
  batch.rows = 5;
  const std::string longest(kMaxKeyBytes - 2 - 9, 'x');
  const std::string too_long = longest + "x";
  batch.columns[0].SetString(0, "a");
  batch.columns[1].SetInt(0, 1);
  batch.columns[0].SetString(1, "a");  // second part missing
  batch.columns[0].SetString(2, too_long);
  batch.columns[1].SetInt(2, 1);
  batch.columns[0].SetString(3, longest);
  batch.columns[1].SetInt(3, 1);
  batch.columns[0].SetString(4, "not selected");
  const std::vector<uint32_t> selected = {0, 1, 2, 3};
  KeyColumn keys;
  std::vector<uint32_t> kept;
  std::vector<RowError> errors;
  EncodeKeys(batch, {selected.data(), 4}, {0, 1}, {"site", "unit"}, &keys, &kept, &errors);
  CHECK(kept == std::vector<uint32_t>{0, 3});
  CHECK(keys.Key(0) == Key(Value::String("a")) + Key(Value::Int(1)));
  CHECK(keys.hashes[0] == Hash64(keys.Key(0)));
  CHECK(keys.Key(3).size() == kMaxKeyBytes);
  REQUIRE(errors.size() == 2);
  CHECK(errors[0].row == 1);
  CHECK(errors[0].code == ErrorCode::kMissingField);
  CHECK(errors[0].detail == "key field 'unit' is null");
  CHECK(errors[1].row == 2);
  CHECK(errors[1].code == ErrorCode::kRecordTooLarge);
}

}  // namespace rivulet
