// Aggregates over time and over two values: what they are, in which order records may come, and that merged
// parts are as good as the whole.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "base/coding.h"
#include "base/random.h"
#include "operators/aggregate/accumulator_bounds.h"
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

namespace {

void Shuffle(Random* random, std::vector<Sample>* samples) {
  for (size_t i = samples->size(); i > 1; --i) {
    std::swap((*samples)[i - 1], (*samples)[random->Below(i)]);
  }
}

std::vector<Sample> Readings(Random* random, size_t count) {
  std::vector<Sample> ordered;
  for (size_t i = 0; i < count; ++i) {
    ordered.push_back({static_cast<int64_t>(i) * kSecond + static_cast<int64_t>(random->Below(9)),
                       F(random->Unit() * 1000)});
  }
  return ordered;
}

const std::vector<std::string> kOverTime = {"integral(v)", "integral(v, 'step')", "twa(v)", "increase(v)",
                                            "rate(v)", "integral(v, 3s)"};

}  // namespace

TEST_CASE("readings in whichever order, however merged, give the same bytes as in order") {
  Random random(1);
  const TestPlan plan(kOverTime);
  for (int round = 0; round < 200; ++round) {
    const std::vector<Sample> ordered = Readings(&random, 1 + random.Below(bounds::kCurvePoints));
    std::vector<Sample> mixed = ordered;
    Shuffle(&random, &mixed);
    Block a(plan.get()), b(plan.get());
    a.Add(ordered);
    for (size_t from = 0; from < mixed.size();) {
      const size_t to = std::min<size_t>(mixed.size(), from + 1 + random.Below(200));
      Block part(plan.get());
      part.Add(std::vector<Sample>(mixed.begin() + static_cast<std::ptrdiff_t>(from),
                                   mixed.begin() + static_cast<std::ptrdiff_t>(to)));
      plan->Merge(b.bytes(), part.bytes());
      from = to;
    }
    REQUIRE(Bytes(*plan, &a) == Bytes(*plan, &b));
    for (size_t i = 0; i < plan->outputs(); ++i) REQUIRE(a.Show(i) == b.Show(i));
  }
}

TEST_CASE("backlogs of any length behind what is live, forwards or backwards, lose nothing") {
  Random random(7);
  const TestPlan plan(kOverTime);
  for (int round = 0; round < 60; ++round) {
    const std::vector<Sample> ordered = Readings(&random, 4000);
    // A stretch comes late; or all are up to 200 places out of order.
    std::vector<Sample> now, later;
    const size_t from = random.Below(3000), length = 300 + random.Below(900);
    for (size_t i = 0; i < ordered.size(); ++i) {
      (i >= from && i < from + length ? later : now).push_back(ordered[i]);
    }
    if (round % 3 == 1) std::reverse(later.begin(), later.end());
    std::vector<Sample> arrival;
    const size_t until = std::min<size_t>(now.size(), from + 100 + random.Below(2000));
    for (size_t n = 0, l = 0; n < now.size() || l < later.size();) {
      const bool live = l == later.size() || n < until || (n < now.size() && random.Chance(0.3));
      arrival.push_back(live ? now[n++] : later[l++]);
    }
    if (round % 3 == 2) {
      arrival = ordered;
      for (size_t i = 0; i + 200 <= arrival.size(); i += 200) {
        for (size_t k = 199; k > 0; --k) std::swap(arrival[i + k], arrival[i + random.Below(k + 1)]);
      }
    }
    Block a(plan.get()), b(plan.get());
    a.Add(ordered);
    b.Add(arrival);
    std::string bytes = Bytes(*plan, &b);
    CHECK(bytes.size() < 3 * (2 + bounds::kCurvePoints * 16 + bounds::kCurveStretches * 100));
    Block c(plan.get());
    std::string_view in = bytes;
    REQUIRE(plan->Decode(&in, c.bytes()));
    for (size_t i = 0; i < plan->outputs(); ++i) {
      CAPTURE(round);
      CAPTURE(i);
      REQUIRE(c.Show(i) != "null");
      REQUIRE(c.Float(i) == doctest::Approx(a.Float(i)).epsilon(1e-13));
    }
  }
}

TEST_CASE("a reading that belongs into what is folded leaves no result rather than a wrong one") {
  std::vector<Sample> samples;
  for (int64_t i = 0; i < 5000; ++i) {
    if (i != 100) samples.push_back({i * kSecond, I(10)});
  }
  CHECK(Over("integral(v)", samples) == "float 49990");
  samples.push_back({100 * kSecond, I(20)});  // where one was missing
  CHECK(Over("integral(v)", samples) == "float 50000");
  samples.push_back({200 * kSecond + 1, I(1'000'000)});
  for (const std::string& call : kOverTime) CHECK(Over(call, samples) == "null");
  CHECK(Over("count(v)", samples) == "int 5001");
}

TEST_CASE("areas across gaps longer than max_gap are left out") {
  const std::vector<Sample> power = {
      {0, I(10)}, {2 * kSecond, I(20)}, {5 * kSecond, I(0)}, {6 * kSecond, I(4)}};
  CHECK(Over("integral(v, 3s)", power) == "float 62");
  CHECK(Over("integral(v, 2s)", power) == "float 32");            // 30 + 2
  CHECK(Over("integral(v, 'step', 2s)", power) == "float 20");
  CHECK(Over("twa(v, 'linear', 2s)", power) == "float 10.666666666666666");  // of 3 s
  CHECK(Over("twa(v, 500ms)", power) == "null");
  CHECK(Over("twa(v, 500ms)", {{1, I(7)}}) == "float 7");
}

TEST_CASE("curves that version 0.1 stored are read") {
  const TestPlan plan({"integral(v)", "increase(v)", "twa(v, 'step')"});
  // 11 readings of 10 W, a second apart: three folded, eight kept.
  std::string row;
  PutVarint(&row, 3);
  for (const int64_t t : {int64_t{0}, 2 * kSecond}) {
    PutFixed(&row, t);
    PutFixed(&row, 10.0);
  }
  for (const double sum : {20.0, 0.0, 20.0, 0.0, 0.0, 0.0}) PutFixed(&row, sum);
  PutVarint(&row, 8);
  for (int64_t i = 3; i < 11; ++i) {
    PutFixed(&row, i * kSecond);
    PutFixed(&row, 10.0);
  }
  Block block(plan.get());
  std::string_view in = row;
  REQUIRE(plan->Decode(&in, block.bytes()));
  CHECK(in.empty());
  block.Add({{11 * kSecond, I(13)}});
  CHECK(block.Show(0) == "float 111.5");
  CHECK(block.Show(1) == "float 3");
  CHECK(block.Show(2) == "float 10");
  Block nothing(plan.get());
  in = std::string_view("\0\0", 2);
  REQUIRE(plan->Decode(&in, nothing.bytes()));
  CHECK(nothing.Show(0) == "null");
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
