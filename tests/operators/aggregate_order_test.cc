// Aggregates over time and over two values: what they are, in which order records may come, and that merged
// parts are as good as the whole.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "tests/operators/window_testing.h"

namespace rivulet {
namespace {

constexpr int64_t kSecond = 1'000'000;

Value I(int64_t v) { return Value::Int(v); }
Value F(double v) { return Value::Float(v); }
Value S(std::string_view v) { return Value::String(v); }
const Value kNull = Value::Null();

std::string Over(const std::string& call, const std::vector<Sample>& samples) {
  const TestPlan plan({call});
  Block block(plan.get());
  block.Add(samples);
  return block.Show();
}

std::string Bytes(const AggregatePlan& plan, Block* block) {
  std::string bytes;
  plan.Encode(block->bytes(), &bytes);
  return bytes;
}

}  // namespace

TEST_CASE("area and average over time, by lines and by steps") {
  const std::vector<Sample> power = {{0, I(10)}, {2 * kSecond, I(20)}, {5 * kSecond, I(0)}};
  CHECK(Over("integral(v)", power) == "float 60");           // 30 + 30
  CHECK(Over("integral(v, 'step')", power) == "float 80");   // 20 + 60
  CHECK(Over("twa(v)", power) == "float 12");
  CHECK(Over("twa(v, 'step')", power) == "float 16");
  CHECK(Over("twa(v)", {{7, I(3)}}) == "float 3");
  CHECK(Over("integral(v)", {{7, I(3)}}) == "float 0");
  CHECK(Over("twa(v)", {{7, kNull}}) == "null");
  CHECK(Over("twa(v)", {{7, I(3)}, {7, I(5)}}) == "float 5");  // at one time: the last
}

TEST_CASE("increase and rate take a fall for a counter that began again") {
  const std::vector<Sample> counter = {
      {0, I(100)}, {kSecond, I(130)}, {2 * kSecond, I(5)}, {4 * kSecond, I(25)}};
  CHECK(Over("increase(v)", counter) == "float 55");  // 30 + 5 + 20
  CHECK(Over("rate(v)", counter) == "float 13.75");
  CHECK(Over("increase(v)", {{0, I(100)}}) == "float 0");
  CHECK(Over("rate(v)", {{0, I(100)}}) == "null");
  CHECK(Over("rate(v)", {{3, I(1)}, {3, I(2)}}) == "null");
  CHECK(Over("delta(v)", counter) == "int -75");
  CHECK(Over("delta(v)", {{2, F(1.5)}, {1, I(1)}}) == "float 0.5");
  CHECK(Over("range(v)", counter) == "int 125");
  CHECK(Over("range(v)", {}) == "null");
  CHECK(Over("delta(v)", {{1, I(INT64_MIN)}, {2, I(1)}}) == "float 9.2233720368547758e+18");
}

TEST_CASE("disorder among the newest eight readings is put right; what is older is left out") {
  Random random(1);
  const TestPlan plan({"integral(v)", "rate(v)"});
  for (int round = 0; round < 200; ++round) {
    std::vector<Sample> ordered;
    for (int i = 0; i < 60; ++i) {
      ordered.push_back({i * kSecond + static_cast<int64_t>(random.Below(9)),
                         I(static_cast<int64_t>(random.Below(1000)))});
    }
    std::vector<Sample> mixed = ordered;
    // Each comes at most seven places early or late.
    for (size_t i = 0; i + 8 <= mixed.size(); i += 8) {
      for (size_t k = 7; k > 0; --k) std::swap(mixed[i + k], mixed[i + random.Below(k + 1)]);
    }
    Block a(plan.get()), b(plan.get());
    a.Add(ordered);
    b.Add(mixed);
    REQUIRE(Bytes(*plan, &a) == Bytes(*plan, &b));
  }
  std::vector<Sample> samples;
  for (int64_t i = 1; i <= 20; ++i) samples.push_back({i * kSecond, I(10)});
  samples.push_back({0, I(1'000'000)});
  CHECK(Over("integral(v)", samples) == "float 190");
}

TEST_CASE("parts in order of time merge into the whole") {
  Random random(2);
  const TestPlan plan({"integral(v)", "twa(v, 'step')", "increase(v)", "slope(v)", "ewma(v, 10s)",
                       "collect(v, 12)", "corr(v, w)", "max_by(v, w)"});
  for (int round = 0; round < 300; ++round) {
    std::vector<Sample> samples;
    for (uint64_t n = random.Below(60); n > 0; --n) {
      const auto at = static_cast<int64_t>(1'700'000'000) * kSecond +
                      static_cast<int64_t>(random.Below(200)) * kSecond / 4;
      samples.push_back({at, random.Chance(0.1) ? kNull : F(random.Unit() * 100),
                         F(static_cast<double>(random.Below(20)))});
    }
    std::stable_sort(samples.begin(), samples.end(),
                     [](const Sample& a, const Sample& b) { return a.time < b.time; });
    Block whole(plan.get()), merged(plan.get());
    whole.Add(samples);
    for (size_t from = 0; from < samples.size();) {
      const size_t to = std::min<size_t>(samples.size(), from + 1 + random.Below(25));
      Block part(plan.get());
      part.Add(std::vector<Sample>(samples.begin() + static_cast<std::ptrdiff_t>(from),
                                   samples.begin() + static_cast<std::ptrdiff_t>(to)));
      plan->Merge(merged.bytes(), part.bytes());
      from = to;
    }
    Block copy(plan.get());
    const std::string bytes = Bytes(*plan, &merged);
    std::string_view in = bytes;
    REQUIRE(plan->Decode(&in, copy.bytes()));
    for (size_t i = 0; i < plan->outputs(); ++i) {
      CAPTURE(i);
      CHECK(merged.Show(i) == copy.Show(i));
      const std::string one = whole.Show(i), other = merged.Show(i);
      double x = 0, y = 0;
      if (std::sscanf(one.c_str(), "float %lf", &x) == 1 &&
          std::sscanf(other.c_str(), "float %lf", &y) == 1) {
        REQUIRE(std::fabs(x - y) <= 1e-9 * (1 + std::fabs(x)));
      } else {
        REQUIRE(one == other);
      }
    }
  }
}

TEST_CASE("slopes, correlations and covariances, also far from zero") {
  std::vector<Sample> line;
  for (int64_t i = 0; i < 100; ++i) {
    line.push_back({1'700'000'000 * kSecond + i * kSecond / 2, F(1e6 + 0.25 * static_cast<double>(i)),
                    I(1'000'000'000 + 3 * i)});
  }
  const TestPlan plan({"slope(v)", "slope(v, w)", "corr(v, w)", "covar(v, w)", "covar_pop(v, w)"});
  Block block(plan.get());
  block.Add(line);
  CHECK(block.Float(0) == doctest::Approx(0.5).epsilon(1e-9));
  CHECK(block.Float(1) == doctest::Approx(0.25 / 3).epsilon(1e-9));
  CHECK(block.Float(2) == doctest::Approx(1).epsilon(1e-9));
  CHECK(block.Float(3) == doctest::Approx(0.75 * 100 * 101 / 12).epsilon(1e-9));
  CHECK(block.Float(4) == doctest::Approx(0.75 * 99 * 101 / 12).epsilon(1e-9));
  CHECK(Over("slope(v)", {{5, I(1)}, {5, I(2)}}) == "null");
  CHECK(Over("corr(v, w)", {{1, I(1), I(1)}, {2, I(1), I(2)}}) == "null");
  CHECK(Over("covar(v, w)", {{1, I(1), I(1)}, {2, kNull, I(2)}, {3, I(4), kNull}}) == "null");
}

TEST_CASE("random records give what the plainest computation gives") {
  Random random(5);
  const TestPlan plan({"slope(v, w)", "corr(v, w)", "covar(v, w)", "min_by(v, w)", "collect(v, 20)",
                       "integral(v, 'step')", "histogram(v, 1000, 1100, 7)"});
  for (int round = 0; round < 200; ++round) {
    std::vector<Sample> samples;
    const auto n = static_cast<size_t>(2 + random.Below(80));
    for (size_t i = 0; i < n; ++i) {
      samples.push_back({static_cast<int64_t>(i * kSecond), I(1000 + static_cast<int64_t>(random.Below(100))),
                         F(1e6 + random.Unit())});
    }
    Block block(plan.get());
    block.Add(samples);
    long double mean_v = 0, mean_w = 0, ww = 0, vv = 0, vw = 0, area = 0;
    const Sample* least = &samples[0];
    std::string list = "string [";
    std::vector<int> buckets(9);
    for (const Sample& s : samples) {
      mean_v += static_cast<long double>(s.value.i) / static_cast<long double>(n);
      mean_w += static_cast<long double>(s.second.f) / static_cast<long double>(n);
      if (s.second.f < least->second.f) least = &s;
    }
    for (size_t i = 0; i < n; ++i) {
      const long double v = static_cast<long double>(samples[i].value.i) - mean_v;
      const long double w = static_cast<long double>(samples[i].second.f) - mean_w;
      vv += v * v;
      ww += w * w;
      vw += v * w;
      if (i + 1 < n) area += static_cast<long double>(samples[i].value.i);
      if (i < 20) list += (i > 0 ? "," : "") + std::to_string(samples[i].value.i);
      ++buckets[static_cast<size_t>((samples[i].value.i - 1000) * 7 / 100 + 1)];
    }
    const auto close = [](double a, long double b) {
      return std::fabs(static_cast<double>(a - b)) <= 1e-6 * (1e-3 + std::fabs(static_cast<double>(b)));
    };
    CHECK(close(block.Float(0), vw / ww));
    if (vv > 0) CHECK(close(block.Float(1), vw / std::sqrt(vv * ww)));
    CHECK(close(block.Float(2), vw / static_cast<long double>(n - 1)));
    CHECK(block.Show(3) == "int " + std::to_string(least->value.i));
    CHECK(block.Show(4) == list + "]");
    CHECK(close(block.Float(5), area));
    std::string counts = "string [0";
    for (size_t b = 1; b < 9; ++b) counts += "," + std::to_string(buckets[b]);
    CHECK(block.Show(6) == counts + "]");
  }
}

TEST_CASE("a decayed mean weighs by age, in whichever order records come") {
  CHECK(Over("ewma(v, 10s)", {{0, I(10)}, {10 * kSecond, I(40)}}) == "float 30");
  CHECK(Over("ewma(v, 10s)", {{10 * kSecond, I(40)}, {0, I(10)}}) == "float 30");
  CHECK(Over("ewma(v, 10s)", {{5, I(7)}}) == "float 7");
  CHECK(Over("ewma(v, 1ms)", {{0, I(1)}, {3600 * kSecond, I(2)}}) == "float 2");
  Random random(3);
  std::vector<Sample> samples;
  double weights = 0, weighted = 0;
  for (int64_t i = 0; i < 50; ++i) {
    const double v = random.Unit() * 100;
    const int64_t t = i == 49 ? 100 * kSecond : static_cast<int64_t>(random.Below(100)) * kSecond;
    samples.push_back({t, F(v)});
    const double w = std::exp2(-static_cast<double>(100 * kSecond - t) / (7.0 * kSecond));
    weights += w;
    weighted += w * v;
  }
  const TestPlan plan({"ewma(v, 7s)"});
  Block block(plan.get());
  block.Add(samples);
  CHECK(block.Float() == doctest::Approx(weighted / weights).epsilon(1e-12));
}

TEST_CASE("values by another value") {
  const std::vector<Sample> samples = {{4, S("late"), I(9)},  {2, S("early"), F(9)}, {3, I(1), I(2)},
                                       {1, kNull, I(99)},     {1, S("x"), kNull},    {5, I(7), F(2.5)}};
  CHECK(Over("max_by(v, w)", samples) == "string early");
  CHECK(Over("min_by(v, w)", samples) == "int 1");
  CHECK(Over("min_by(v, w)", {{1, kNull, I(1)}}) == "null");
}

TEST_CASE("bools, lists, buckets and frequent values") {
  const Value yes = Value::Bool(true), no = Value::Bool(false);
  CHECK(Over("bool_and(v)", {{1, yes}, {2, kNull}}) == "bool true");
  CHECK(Over("bool_and(v)", {{1, yes}, {2, no}}) == "bool false");
  CHECK(Over("bool_or(v)", {{1, no}, {2, no}}) == "bool false");
  CHECK(Over("bool_or(v)", {{1, kNull}}) == "null");
  CHECK(Over("collect(v)", {}) == "string []");
  CHECK(Over("collect(v)", {{3, S("a\"b")}, {1, I(1)}, {2, yes}, {3, F(2.5)}, {0, kNull}}) ==
        "string [1,true,\"a\\\"b\",2.5]");
  CHECK(Over("collect(v, 2)", {{3, I(3)}, {1, I(1)}, {2, I(2)}, {1, I(11)}}) == "string [1,11]");
  CHECK(Over("histogram(v, 0, 1, 10)", {{1, F(0.3)}, {1, F(0.1)}, {1, F(0.7)}, {1, F(1)}, {1, F(-1)},
                                        {1, F(0.99)}}) == "string [1,0,1,0,1,0,0,0,1,0,1,1]");
  CHECK(Over("histogram(v, -10, 10, 2)", {}) == "string [0,0,0,0]");
  const std::vector<Sample> states = {{1, S("on")}, {2, S("off")}, {3, S("on")}, {4, F(2)}, {5, I(2)},
                                      {6, S("off")}, {7, kNull}, {8, I(1)}};
  CHECK(Over("top_k(v, 2)", states) ==
        "string [{\"value\":2,\"count\":2},{\"value\":\"off\",\"count\":2}]");
  CHECK(Over("mode(v)", states) == "int 2");
  CHECK(Over("mode(v)", {}) == "null");
  CHECK(Over("distinct(v)", states) == "int 4");
  CHECK(Over("distinct(v)", {}) == "int 0");
  CHECK(Over("median(v)", {}) == "null");
  CHECK(Over("percentile_exact(v, 0.5)", {{1, I(1)}, {2, I(2)}}) == "float 1.5");
}

}  // namespace rivulet
