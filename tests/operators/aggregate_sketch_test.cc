// Sketches keep what they promise: errors, and bytes that do not depend on order.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/random.h"
#include "operators/aggregate/accumulator_bounds.h"
#include "operators/aggregate/distinct_counter.h"
#include "operators/aggregate/frequent_values.h"
#include "operators/aggregate/number_list.h"
#include "operators/aggregate/quantile_sketch.h"

namespace rivulet {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::numeric_limits<double>::quiet_NaN();

template <typename T>
std::string Bytes(const T& object) {
  std::string bytes;
  object.Encode(&bytes);
  return bytes;
}

template <typename T>
void Shuffle(Random* random, std::vector<T>* values) {
  for (size_t i = values->size(); i > 1; --i) std::swap((*values)[i - 1], (*values)[random->Below(i)]);
}

double RandomNumber(Random* random, int shape) {
  const double u = random->Unit();
  switch (shape) {
    case 0: return 20 + u * 10;
    case 1: return (u - 0.5) * 1e6;
    case 2: return random->Chance(0.3) ? 0 : std::ldexp(1 + u, static_cast<int>(random->Below(50)));
    default: return std::ldexp(u - 0.5, static_cast<int>(random->Below(30)) - 15);
  }
}

}  // namespace

TEST_CASE("every bucket's middle is within the error of what the bucket takes") {
  Random random(1);
  for (const double error : {0.001, 0.01, 0.05, 0.2}) {
    const QuantileMapping mapping(error);
    for (int round = 0; round < 2000; ++round) {
      const double v =
          std::ldexp(1 + random.Unit(), static_cast<int>(random.Below(2040)) - 1020);
      const double middle = mapping.Middle(mapping.Index(v));
      REQUIRE(std::fabs(middle - v) <= error * v * (1 + 1e-9));
    }
    CHECK(mapping.Index(std::numeric_limits<double>::min()) <
          mapping.Index(std::numeric_limits<double>::max()));
  }
}

TEST_CASE("quantiles are within the error of the exact ones, however parts are merged") {
  Random random(2);
  for (int round = 0; round < 40; ++round) {
    const double error = round % 2 == 0 ? 0.01 : 0.05;
    const QuantileMapping mapping(error);
    std::vector<double> values;
    for (uint64_t n = 1 + random.Below(3000); n > 0; --n) {
      values.push_back(RandomNumber(&random, round % 4));
    }
    QuantileSketch whole, parts[3], merged;
    for (const double v : values) {
      whole.Add(mapping, v);
      parts[random.Below(3)].Add(mapping, v);
    }
    for (const int i : {2, 0, 1}) merged.Merge(mapping, parts[i]);
    CHECK(Bytes(whole) == Bytes(merged));
    std::sort(values.begin(), values.end());
    for (const double p : {0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 1.0}) {
      const auto rank = static_cast<size_t>(p * static_cast<double>(values.size() - 1));
      const double exact = values[rank];
      REQUIRE(std::fabs(whole.Quantile(mapping, p) - exact) <= error * std::fabs(exact) * (1 + 1e-9));
    }
    QuantileSketch copy;
    const std::string bytes = Bytes(whole);
    std::string_view in = bytes;
    REQUIRE(copy.Decode(mapping, &in));
    CHECK(in.empty());
    CHECK(Bytes(copy) == bytes);
  }
}

TEST_CASE("a sketch takes zero, infinities and numbers of all sizes in bounded memory") {
  const QuantileMapping mapping(0.01);
  QuantileSketch sketch;
  for (const double v : {-kInfinity, -5.0, 0.0, 5e-324, kNan, 7.0, kInfinity}) sketch.Add(mapping, v);
  CHECK(sketch.count() == 6);
  CHECK(sketch.Quantile(mapping, 0) == -kInfinity);
  CHECK(sketch.Quantile(mapping, 0.2) == doctest::Approx(-5).epsilon(0.01));
  CHECK(sketch.Quantile(mapping, 0.4) == 0);
  CHECK(sketch.Quantile(mapping, 0.6) == 0);
  CHECK(sketch.Quantile(mapping, 0.8) == doctest::Approx(7).epsilon(0.01));
  CHECK(sketch.Quantile(mapping, 1) == kInfinity);

  Random random(3);
  std::vector<double> values;
  for (int i = 0; i < 20000; ++i) {
    values.push_back(std::ldexp(1 + random.Unit(), static_cast<int>(random.Below(2040)) - 1020));
  }
  std::string expected;
  for (int order = 0; order < 3; ++order) {
    QuantileSketch wide;
    for (const double v : values) wide.Add(mapping, v);
    CHECK(wide.HeapBytes() <= 2 * 8 * static_cast<size_t>(mapping.limit()) + 256);
    // What is within 2^60 of the largest keeps its error.
    std::vector<double> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    const double exact = sorted[static_cast<size_t>(0.99 * 19999)];
    CHECK(wide.Quantile(mapping, 0.99) == doctest::Approx(exact).epsilon(0.0101));
    if (order == 0) expected = Bytes(wide);
    CHECK(Bytes(wide) == expected);
    QuantileSketch parts[4], merged;
    for (const double v : values) parts[random.Below(4)].Add(mapping, v);
    for (const QuantileSketch& part : parts) merged.Merge(mapping, part);
    CHECK(Bytes(merged) == expected);
    QuantileSketch small;  // whose largest number lies far below
    small.Add(mapping, 1e-300);
    QuantileSketch one = small, other = wide;
    one.Merge(mapping, wide);
    other.Merge(mapping, small);
    CHECK(Bytes(one) == Bytes(other));
    Shuffle(&random, &values);
  }
}

TEST_CASE("exact quantiles interpolate; beyond the bound they are a fine sketch") {
  const NumberLimits limits{bounds::kMostNumbers, QuantileMapping(bounds::kErrorBeyond)};
  NumberList list;
  for (const double v : {40.0, 10.0, 30.0, 20.0, kNan}) list.Add(limits, v);
  CHECK(list.Quantile(limits, 0) == 10);
  CHECK(list.Quantile(limits, 0.5) == 25);
  CHECK(list.Quantile(limits, 1.0 / 3) == doctest::Approx(20));
  CHECK(list.Quantile(limits, 1) == 40);
  CHECK(list.Discrete(limits, 0) == 10);
  CHECK(list.Discrete(limits, 0.25) == 10);
  CHECK(list.Discrete(limits, 0.26) == 20);
  CHECK(list.Discrete(limits, 0.5) == 20);
  CHECK(list.Discrete(limits, 1) == 40);
  NumberList large, left, right;
  for (size_t i = 0; i <= bounds::kMostNumbers; ++i) {
    large.Add(limits, static_cast<double>(i));
    (i % 3 == 0 ? left : right).Add(limits, static_cast<double>(i));
  }
  right.Merge(limits, left);
  CHECK(Bytes(large) == Bytes(right));
  CHECK(large.count() == bounds::kMostNumbers + 1);
  CHECK(large.HeapBytes() < 400'000);
  CHECK(large.Quantile(limits, 0.5) == doctest::Approx(bounds::kMostNumbers / 2.0).epsilon(0.001));
  CHECK(large.Discrete(limits, 0.9) == doctest::Approx(bounds::kMostNumbers * 0.9).epsilon(0.001));
  NumberList copy;
  const std::string bytes = Bytes(large);
  std::string_view in = bytes;
  REQUIRE(copy.Decode(limits, &in));
  CHECK(Bytes(copy) == bytes);
}

TEST_CASE("a share that a float cannot hold exactly does not move the discrete quantile") {
  const NumberLimits limits{256, QuantileMapping(bounds::kDefaultError)};
  for (const int n : {10, 20, 100, 200}) {
    NumberList list;
    for (int i = 1; i <= n; ++i) list.Add(limits, i);
    for (int k = 1; k <= n; ++k) REQUIRE(list.Discrete(limits, static_cast<double>(k) / n) == k);
  }
}

TEST_CASE("a few numbers take few bytes, and none are taken for what they are not") {
  const NumberLimits limits{256, QuantileMapping(bounds::kDefaultError)};
  Random random(9);
  for (int round = 0; round < 300; ++round) {
    NumberList list;
    for (uint64_t n = random.Below(257); n > 0; --n) {
      list.Add(limits, round % 2 == 0 ? static_cast<double>(random.Below(200))
                                      : RandomNumber(&random, round % 4));
    }
    std::string bytes;
    list.EncodeFew(&bytes);
    if (round % 2 == 0) REQUIRE(bytes.size() <= 2 + list.count() * 3);
    std::string_view in = bytes;
    NumberList copy;
    REQUIRE(copy.DecodeFew(limits, &in));
    REQUIRE(in.empty());
    REQUIRE(Bytes(copy) == Bytes(list));
    if (bytes.size() < 2) continue;
    bytes[random.Below(bytes.size())] = static_cast<char>(random.Next());
    in = bytes;
    NumberList damaged;
    if (damaged.DecodeFew(limits, &in) && damaged.count() > 0) {
      REQUIRE_FALSE(std::isnan(damaged.Quantile(limits, 0.3)));
    }
  }
}

TEST_CASE("distinct counts are exact for a few and close for many") {
  DistinctCounter counter;
  for (const Value& v : {Value::Int(1), Value::Float(1.0), Value::String("1"), Value::Bool(true),
                         Value::Float(-0.0), Value::Int(0), Value::Null(), Value::Float(kNan)}) {
    counter.Add(v);
  }
  CHECK(counter.Estimate() == 4);
  for (const int64_t n : {256, 257, 1000, 5000, 20000, 100000}) {
    DistinctCounter whole, left, right;
    for (int64_t i = 0; i < n; ++i) {
      const Value v = Value::Int(i * 7919 + n);
      whole.Add(v);
      whole.Add(v);
      (i % 2 == 0 ? left : right).Add(v);
    }
    right.Merge(left);
    CHECK(Bytes(whole) == Bytes(right));
    if (n <= 256) CHECK(whole.Estimate() == n);
    const double off = std::fabs(static_cast<double>(whole.Estimate() - n)) / static_cast<double>(n);
    CHECK(off < 0.05);  // three times the standard error
    DistinctCounter copy;
    const std::string bytes = Bytes(whole);
    std::string_view in = bytes;
    REQUIRE(copy.Decode(&in));
    CHECK(Bytes(copy) == bytes);
    CHECK(copy.Estimate() == whole.Estimate());
    CHECK(whole.HeapBytes() <= 4096 + 16);
  }
}

TEST_CASE("the standard error of distinct counts is what is stated") {
  for (const int64_t n : {400, 3000, 30000}) {
    double squares = 0;
    constexpr int kRounds = 60;
    for (int round = 0; round < kRounds; ++round) {
      DistinctCounter counter;
      for (int64_t i = 0; i < n; ++i) counter.Add(Value::Int(i + round * 1'000'000));
      const double off =
          static_cast<double>(counter.Estimate() - n) / static_cast<double>(n);
      squares += off * off;
    }
    CHECK(std::sqrt(squares / kRounds) < 0.021);  // 0.016 and what 60 samples may add
  }
}

TEST_CASE("frequent values are exact while few, and within their bound when many") {
  Random random(4);
  for (int round = 0; round < 30; ++round) {
    const uint64_t kinds = round % 2 == 0 ? 300 : 5000;
    std::map<int64_t, uint64_t> exact;
    FrequentValues whole, parts[3], merged;
    uint64_t n = 0;
    for (int i = 0; i < 8000; ++i, ++n) {
      // A few values come often, the others rarely.
      const auto v = static_cast<int64_t>(
          random.Chance(0.5) ? random.Below(10) : random.Below(kinds));
      ++exact[v];
      const Value value = random.Chance(0.5) ? Value::Int(v) : Value::Float(static_cast<double>(v));
      whole.Add(value);
      parts[random.Below(3)].Add(value);
    }
    for (const FrequentValues& part : parts) merged.Merge(part);
    for (const FrequentValues* counter : {&whole, &merged}) {
      CHECK(counter->error() <= n / (bounds::kKeptCounters + 1));
      const auto all = counter->Top(10000);
      CHECK(all.size() <= bounds::kMostCounters);
      std::map<int64_t, uint64_t> found;
      for (const auto* entry : all) {
        const int64_t v = entry->value.Get().i;
        found[v] = entry->count;
        REQUIRE(entry->count <= exact[v]);
        REQUIRE(entry->count + counter->error() >= exact[v]);
      }
      for (const auto& [v, count] : exact) {
        if (count > counter->error()) REQUIRE(found.count(v) == 1);
      }
      FrequentValues copy;
      const std::string bytes = Bytes(*counter);
      std::string_view in = bytes;
      REQUIRE(copy.Decode(&in));
      CHECK(Bytes(copy) == bytes);
    }
    if (kinds == 300) CHECK(Bytes(whole) == Bytes(merged));
  }
}

TEST_CASE("long text counts by its beginning and is cut between characters") {
  FrequentValues values;
  const std::string a = std::string(bounds::kLongestText - 1, 'a') + "\xc3\xa4";
  values.Add(Value::String(a));
  values.Add(Value::String(a + "and more"));
  const auto top = values.Top(5);
  REQUIRE(top.size() == 1);
  CHECK(top[0]->count == 2);
  CHECK(top[0]->value.Get().s == std::string(bounds::kLongestText - 1, 'a'));
}

}  // namespace rivulet
