#include <doctest/doctest.h>

#include <set>

#include "operators/key/key_codec.h"
#include "operators/result/result_batch.h"
#include "tests/operators/window_testing.h"

namespace rivulet {
namespace {

std::string Key(const std::vector<Value>& values) {
  std::string key;
  for (const Value& v : values) AppendKeyValue(&key, v);
  return key;
}

}  // namespace

TEST_CASE("results have their key, their window and their aggregates, in this order") {
  const TestPlan plan({"count()", "max(v)"});
  Block block(plan.get());
  block.Add({Value::Int(3), Value::Int(5)});
  ResultBatch results;
  results.Reset(6);
  using namespace std::string_view_literals;
  const std::string key = Key({Value::String("a\0b"sv), Value::Float(2.0)});
  results.Add(*plan, 2, {10'000, 0, 0}, key, 0, 10'000, 0, block.bytes());
  results.Add(*plan, 2, {10'000, 1, 7}, Key({Value::String("b"), Value::Bool(true)}), 0, 10'000, 3,
              block.bytes());
  const ResultEncoder encoder({{"site", 0}, {"unit \"1\"", 1}, {"window_start", 2},
                               {"window_end", 3}, {"n", 4}, {"high", 5}});
  std::string out;
  encoder.Append(results, 0, &out);
  CHECK(out ==
        R"({"site":"a\u0000b","unit \"1\"":2,"window_start":0,"window_end":10,"n":2,"high":5})");
  out.clear();
  encoder.Append(results, 1, &out);
  CHECK(out == R"({"site":"b","unit \"1\"":true,"window_start":0,"window_end":10,"n":2,"high":5,)"
               R"("revision":3})");
  CHECK(results.Key(0) == key);
  CHECK(results.meta[1].order.position == 7);
  CHECK(results.batch.event_time[0] == 9'999);
}

TEST_CASE("times below a millisecond are rounded down, before 1970 too") {
  const TestPlan plan({"count()"});
  Block block(plan.get());
  ResultBatch results;
  results.Reset(4);
  const auto start_of = [&](int64_t us) {
    results.Reset(4);
    results.Add(*plan, 1, {}, Key({Value::Int(1)}), us, us + 1, 0, block.bytes());
    return results.batch.columns[1].Int(0);
  };
  CHECK(start_of(0) == 0);
  CHECK(start_of(999) == 0);
  CHECK(start_of(1000) == 1);
  CHECK(start_of(-1) == -1);
  CHECK(start_of(-1000) == -1);
  CHECK(start_of(-1001) == -2);
}

TEST_CASE("a batch grows, and is empty after Reset") {
  const TestPlan plan({"max(v)"});
  ResultBatch results;
  results.Reset(4);
  for (int64_t i = 0; i < 1000; ++i) {
    Block block(plan.get());
    block.Add({Value::String("text " + std::to_string(i))});
    results.Add(*plan, 1, {i, 0, 0}, Key({Value::Int(i)}), i, i + 1, 0, block.bytes());
  }
  REQUIRE(results.batch.rows == 1000);
  for (uint32_t i = 0; i < 1000; ++i) {
    REQUIRE(results.batch.columns[0].Int(i) == i);
    REQUIRE(results.batch.columns[3].String(i) == "text " + std::to_string(i));
  }
  results.Reset(5);
  CHECK(results.batch.rows == 0);
  CHECK(results.meta.empty());
  Block block(plan.get());
  results.Add(*plan, 1, {}, Key({Value::Int(1)}), 0, 1, 0, block.bytes());
  CHECK(results.batch.columns[3].is_null(0));
  CHECK(results.batch.columns[4].is_null(0));
}

TEST_CASE("ids differ where results differ, and never change") {
  std::set<std::string> ids;
  for (const char* pipeline : {"p", "pp"}) {
    for (const char* key : {"", "p", "k"}) {
      for (const int64_t start : {-1, 0, 1}) {
        for (const uint32_t revision : {0u, 1u}) {
          const std::string id = ResultId(pipeline, key, start, revision);
          CHECK(id.size() == 32);
          CHECK(id == ResultId(pipeline, key, start, revision));
          ids.insert(id);
        }
        ids.insert(WindowId(pipeline, key, start));
      }
    }
  }
  CHECK(ids.size() == 2 * 3 * 3 * 3);
}

}  // namespace rivulet
