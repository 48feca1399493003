#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "base/random.h"
#include "base/wide_int.h"
#include "operators/aggregate/compare.h"
#include "tests/operators/window_testing.h"

namespace rivulet {
namespace {

constexpr int64_t kMaxInt = std::numeric_limits<int64_t>::max();
constexpr int64_t kMinInt = std::numeric_limits<int64_t>::min();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::numeric_limits<double>::quiet_NaN();

const std::vector<std::string> kAllCalls = {
    "count()", "count(v)", "sum(v)", "avg(v)", "min(v)",    "max(v)",
    "first(v)", "last(v)", "var(v)", "var_pop(v)", "stddev(v)", "stddev_pop(v)"};
// Those whose merge does not care in which order times come.
const std::vector<std::string> kMoreCalls = {
    "median(v)",    "percentile_exact(v, 0.3)", "distinct(v)",  "mode(v)",  "top_k(v, 5)",
    "range(v)",     "histogram(v, -20, 20, 8)", "slope(v)",     "ewma(v, 1s)"};

std::string Over(const std::string& call, const std::vector<Value>& values) {
  const TestPlan plan({call});
  Block block(plan.get());
  block.Add(values);
  return block.Show();
}

Value I(int64_t v) { return Value::Int(v); }
Value F(double v) { return Value::Float(v); }
Value S(std::string_view v) { return Value::String(v); }
const Value kNull = Value::Null();

}  // namespace

TEST_CASE("aggregates of nothing and of nulls") {
  for (const std::string& call : kAllCalls) {
    CAPTURE(call);
    const bool count = call.starts_with("count");
    CHECK(Over(call, {}) == (count ? "int 0" : "null"));
    CHECK(Over(call, {kNull, kNull}) == (call == "count()" ? "int 2" : count ? "int 0" : "null"));
  }
  CHECK(Over("count(v)", {I(1), kNull, S("x"), Value::Bool(false)}) == "int 3");
}

TEST_CASE("sums of ints are exact, and floats beyond 64 bits") {
  CHECK(Over("sum(v)", {I(kMaxInt)}) == "int 9223372036854775807");
  CHECK(Over("sum(v)", {I(kMinInt), I(kMaxInt)}) == "int -1");
  CHECK(Over("sum(v)", {I(9007199254740993), I(1)}) == "int 9007199254740994");
  CHECK(Over("sum(v)", {I(kMaxInt), I(1)}) == "float 9.2233720368547758e+18");
  CHECK(Over("sum(v)", {I(kMinInt), I(kMinInt)}) == "float -1.8446744073709552e+19");
  CHECK(Over("sum(v)", {I(kMaxInt), I(1), I(-kMaxInt)}) == "int 1");
  CHECK(Over("sum(v)", {I(-1), I(kMaxInt), I(1)}) == "int 9223372036854775807");
  CHECK(Over("sum(v)", {I(kMaxInt), I(1), I(-1)}) == "int 9223372036854775807");
  CHECK(Over("sum(v)", {I(1), F(0.5)}) == "float 1.5");
  CHECK(Over("sum(v)", {I(1), F(2)}) == "float 3");
  CHECK(Over("avg(v)", {I(kMaxInt), I(kMaxInt)}) == "float 9.2233720368547758e+18");
  CHECK(Over("avg(v)", {I(1), I(2)}) == "float 1.5");
}

TEST_CASE("sums of floats are compensated; NaN and infinity go through") {
  CHECK(Over("sum(v)", {F(1e16), F(1), F(-1e16)}) == "float 1");
  CHECK(Over("sum(v)", {F(1), F(1e100), F(1), F(-1e100)}) == "float 2");
  CHECK(Over("sum(v)", std::vector<Value>(10, F(0.1))) == "float 1");
  CHECK(Over("sum(v)", {F(kInfinity), F(1)}) == "float inf");
  CHECK(Over("sum(v)", {F(1e308), F(1e308)}) == "float inf");
  CHECK(Over("avg(v)", {F(-kInfinity), I(1)}) == "float -inf");
  const TestPlan plan({"sum(v)"});
  Block block(plan.get());
  block.Add({F(kInfinity), F(-kInfinity)});
  CHECK(std::isnan(block.Float()));
}

TEST_CASE("min and max") {
  CHECK(Over("min(v)", {I(3), I(-2), I(5)}) == "int -2");
  CHECK(Over("max(v)", {F(0.5), kNull, F(2.5), F(1)}) == "float 2.5");
  CHECK(Over("min(v)", {F(kNan), F(2), F(kNan)}) == "float 2");
  CHECK(Over("max(v)", {F(kNan)}) == "null");
  CHECK(Over("max(v)", {F(-kInfinity)}) == "float -inf");
  CHECK(Over("max(v)", {S("b"), S("abc"), S("")}) == "string b");
  CHECK(Over("min(v)", {S("b"), S("abc"), S("")}) == "string ");
  CHECK(Over("max(v)", {Value::Bool(false), Value::Bool(true)}) == "bool true");
  // Compared exactly: as floats these two would be equal.
  CHECK(Over("max(v)", {F(9007199254740992.0), I(9007199254740993)}) == "int 9007199254740993");
  CHECK(Over("min(v)", {I(9007199254740993), F(9007199254740992.0)}) == "float 9007199254740992");
  CHECK(Over("max(v)", {I(kMaxInt), F(0x1p63)}) == "float 9.2233720368547758e+18");
  CHECK(Over("min(v)", {I(kMinInt), F(-0x1p63)}) == "int -9223372036854775808");  // equal: the first stays
}

TEST_CASE("ints and floats compare by value") {
  CHECK(CompareIntFloat(1, 1.0) == 0);
  CHECK(CompareIntFloat(1, 1.5) == -1);
  CHECK(CompareIntFloat(-1, -1.5) == 1);
  CHECK(CompareIntFloat(0, -0.0) == 0);
  CHECK(CompareIntFloat(0, 5e-324) == -1);
  CHECK(CompareIntFloat(kMaxInt, 0x1p63) == -1);
  CHECK(CompareIntFloat(kMinInt, -0x1p63) == 0);
  CHECK(CompareIntFloat(kMinInt, -0x1.0000000000001p63) == 1);
  CHECK(CompareIntFloat(5, kInfinity) == -1);
  CHECK(CompareIntFloat(5, -kInfinity) == 1);
}

TEST_CASE("first and last go by event time, among equals by arrival") {
  const TestPlan plan({"first(v)", "last(v)"});
  Block block(plan.get());
  block.Add(std::vector<Sample>{{5, I(1)}, {3, S("b")}, {3, S("c")}, {7, F(4)}, {7, S("z")}, {6, I(6)},
                                {1, kNull}, {9, kNull}});
  CHECK(block.Show(0) == "string b");
  CHECK(block.Show(1) == "string z");
  block.Add(std::vector<Sample>{{kMinInt, I(8)}, {kMaxInt, I(9)}});
  CHECK(block.Show(0) == "int 8");
  CHECK(block.Show(1) == "int 9");
}

TEST_CASE("deviation agrees with two passes, also far from zero") {
  Random random(3);
  for (const double base : {0.0, 1e9, -1e6}) {
    std::vector<Value> values;
    std::vector<double> numbers;
    for (int i = 0; i < 1000; ++i) {
      numbers.push_back(base + random.Unit() * 10);
      values.push_back(F(numbers.back()));
    }
    double mean = 0, squares = 0;
    for (const double v : numbers) mean += (v - base) / 1000;
    for (const double v : numbers) squares += (v - base - mean) * (v - base - mean);
    const TestPlan plan({"var(v)", "var_pop(v)", "stddev(v)", "stddev_pop(v)"});
    Block block(plan.get());
    block.Add(values);
    CHECK(block.Float(0) == doctest::Approx(squares / 999).epsilon(1e-7));
    CHECK(block.Float(1) == doctest::Approx(squares / 1000).epsilon(1e-7));
    CHECK(block.Float(2) == doctest::Approx(std::sqrt(squares / 999)).epsilon(1e-7));
    CHECK(block.Float(3) == doctest::Approx(std::sqrt(squares / 1000)).epsilon(1e-7));
  }
  CHECK(Over("var(v)", {I(3)}) == "null");
  CHECK(Over("var_pop(v)", {I(3)}) == "float 0");
  CHECK(Over("stddev(v)", {I(2), I(2), F(2)}) == "float 0");
}

namespace {

std::vector<std::string> Concatenated(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Numbers whose sums are exact in any order, so that merging must give the same bits; text for min and max.
std::vector<Sample> RandomSamples(Random* random, size_t count, bool text, int64_t first_time) {
  static const char* const kWords[] = {"", "a", "ab", "b", "a string too long for any small buffer"};
  std::vector<Sample> samples;
  for (size_t i = 0; i < count; ++i) {
    const auto time = first_time + static_cast<int64_t>(random->Below(10));
    Value v;
    if (random->Chance(0.2)) v = Value::Null();
    else if (text && random->Chance(0.5)) v = S(kWords[random->Below(5)]);
    else if (random->Chance(0.5)) v = I(static_cast<int64_t>(random->Below(100)) - 50);
    else v = F(static_cast<double>(random->Below(400)) / 4 - 50);
    samples.push_back({time, v});
  }
  return samples;
}

bool Close(const std::string& a, const std::string& b) {
  if (a == b) return true;
  double x = 0, y = 0;
  return std::sscanf(a.c_str(), "float %lf", &x) == 1 && std::sscanf(b.c_str(), "float %lf", &y) == 1 &&
         std::fabs(x - y) <= 1e-9 * (1 + std::fabs(x));
}

}  // namespace

TEST_CASE("merging is as if all had gone into one; encoding keeps everything") {
  Random random(5);
  for (int round = 0; round < 300; ++round) {
    const bool text = random.Chance(0.3);
    const TestPlan plan(text ? std::vector<std::string>{"count(v)", "min(v)", "max(v)", "first(v)",
                                                        "last(v)", "distinct(v)", "top_k(v, 3)"}
                             : Concatenated(kAllCalls, kMoreCalls));
    const std::vector<Sample> a = RandomSamples(&random, random.Below(20), text, 0);
    const std::vector<Sample> b = RandomSamples(&random, random.Below(20), text, 5);
    std::vector<Sample> all = a;
    all.insert(all.end(), b.begin(), b.end());
    Block one(plan.get()), left(plan.get()), right(plan.get()), copy(plan.get());
    one.Add(all);
    left.Add(a);
    right.Add(b);
    plan->Merge(left.bytes(), right.bytes());
    std::string bytes;
    plan->Encode(left.bytes(), &bytes);
    bytes += "rest";
    std::string_view in = bytes;
    REQUIRE(plan->Decode(&in, copy.bytes()));
    REQUIRE(in == "rest");
    for (size_t i = 0; i < plan->outputs(); ++i) {
      CAPTURE(plan->slots()[std::min(i, plan->slots().size() - 1)].signature);
      CHECK(Close(one.Show(i), left.Show(i)));
      CHECK(left.Show(i) == copy.Show(i));
    }
  }
}

TEST_CASE("sums of ints are the same whatever their order and however they are merged") {
  Random random(11);
  const TestPlan plan({"sum(v)", "avg(v)"});
  for (int round = 0; round < 300; ++round) {
    std::vector<Value> values;
    Int128 exact = 0;
    for (uint64_t n = 1 + random.Below(40); n > 0; --n) {
      const auto v = static_cast<int64_t>(random.Next()) >> random.Below(3);
      values.push_back(I(random.Chance(0.2) ? (v < 0 ? kMinInt : kMaxInt) : v));
      exact += values.back().i;
    }
    const bool fits = exact >= Int128(kMinInt) && exact <= Int128(kMaxInt);
    for (int order = 0; order < 4; ++order) {
      for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.Below(i)]);
      Block merged(plan.get());
      for (size_t from = 0; from < values.size();) {
        const size_t to = std::min<size_t>(values.size(), from + 1 + random.Below(9));
        Block part(plan.get()), stored(plan.get());
        part.Add(std::vector<Value>(values.begin() + static_cast<std::ptrdiff_t>(from),
                                    values.begin() + static_cast<std::ptrdiff_t>(to)));
        std::string bytes;
        plan->Encode(part.bytes(), &bytes);
        std::string_view in = bytes;
        REQUIRE(plan->Decode(&in, stored.bytes()));
        plan->Merge(merged.bytes(), stored.bytes());
        from = to;
      }
      if (fits) {
        REQUIRE(merged.Show(0) == "int " + std::to_string(static_cast<int64_t>(exact)));
      } else {
        REQUIRE(merged.Float(0) == static_cast<double>(exact));
      }
      REQUIRE(merged.Float(1) == static_cast<double>(exact) / static_cast<double>(values.size()));
    }
  }
}

TEST_CASE("an overflow on either side of a merge is kept") {
  const TestPlan plan({"sum(v)"});
  Block a(plan.get()), b(plan.get());
  a.Add({I(kMaxInt)});
  b.Add({I(kMaxInt)});
  plan->Merge(a.bytes(), b.bytes());
  CHECK(a.Show() == "float 1.8446744073709552e+19");
  Block c(plan.get());
  c.Add({I(1)});
  plan->Merge(c.bytes(), a.bytes());
  CHECK(c.Show() == "float 1.8446744073709552e+19");
  std::string bytes;
  plan->Encode(c.bytes(), &bytes);
  std::string_view in = bytes;
  Block d(plan.get());
  REQUIRE(plan->Decode(&in, d.bytes()));
  CHECK(d.Show() == c.Show());
}

TEST_CASE("no stored bytes crash a decoder") {
  std::vector<std::string> calls = Concatenated(kAllCalls, kMoreCalls);
  for (const char* call : {"collect(v)", "integral(v)", "max_by(v, v)", "corr(v, v)", "bool_or(w)"}) {
    calls.emplace_back(call);
  }
  const TestPlan plan(calls);
  Block block(plan.get());
  block.Add({F(1.5), I(2), kNull});
  std::string good;
  plan->Encode(block.bytes(), &good);
  for (size_t n = 0; n < good.size(); ++n) {
    std::string_view cut = std::string_view(good).substr(0, n);
    std::vector<int64_t> words(plan->block_bytes() / 8 + 1);
    CHECK_FALSE(plan->Decode(&cut, reinterpret_cast<char*>(words.data())));
  }
  Random random(13);
  for (int round = 0; round < 20000; ++round) {
    std::string bad = good;
    for (uint64_t n = 1 + random.Below(4); n > 0; --n) {
      bad[random.Below(bad.size())] = static_cast<char>(random.Next());
    }
    std::string_view in = bad;
    std::vector<int64_t> words(plan->block_bytes() / 8 + 1);
    char* bytes = reinterpret_cast<char*>(words.data());
    if (plan->Decode(&in, bytes)) plan->Destroy(bytes);
  }
}

}  // namespace rivulet
