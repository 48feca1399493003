#include <doctest/doctest.h>

#include "tests/operators/window_testing.h"

namespace rivulet {

TEST_CASE("aggregates share what they can") {
  const TestPlan plan({"avg(x)", "sum(x)", "count()", "min(x)", "sum( x )", "avg(y)",
                       "count() where x > 1", "stddev(x)", "var_pop(x)"});
  std::vector<std::string> signatures;
  for (const AccumulatorSlot& slot : plan->slots()) signatures.push_back(slot.signature);
  CHECK(signatures == std::vector<std::string>{"sum(x)", "rows()", "min(x)", "sum(y)",
                                               "rows() where x > 1", "moments(x)"});
  CHECK(plan->outputs() == 9);
  CHECK(plan->arguments().size() == 3);  // x, y, x > 1
  size_t end = 0;
  for (const AccumulatorSlot& slot : plan->slots()) {
    CHECK(slot.offset % 8 == 0);
    CHECK(slot.offset == end);
    end = slot.offset + ((slot.accumulator->size() + 7) & ~size_t{7});
  }
  CHECK(plan->block_bytes() == end);
  CHECK(plan->has_heap());
  CHECK_FALSE(TestPlan({"sum(x)", "count()", "var(x)"})->has_heap());
}

TEST_CASE("what arguments may be at run time") {
  const TestPlan plan({"max(x)", "sum(y)", "count() where z", "count(y)"});
  const TypeMask null = MaskOf(Type::kNull);
  CHECK(plan->argument_accepts(0) == kAnyType);
  CHECK(plan->argument_accepts(1) == (MaskOf(Type::kInt) | MaskOf(Type::kFloat) | null));
  CHECK(plan->argument_accepts(2) == (MaskOf(Type::kBool) | null));
}

TEST_CASE("what results can be") {
  const TestPlan plan({"count()", "sum(x)", "avg(x)", "min(x)", "last(1.5)", "stddev(x)"});
  const TypeMask null = MaskOf(Type::kNull);
  CHECK(plan->output_type(0) == MaskOf(Type::kInt));
  CHECK(plan->output_type(1) == (MaskOf(Type::kInt) | MaskOf(Type::kFloat) | null));
  CHECK(plan->output_type(2) == (MaskOf(Type::kFloat) | null));
  CHECK(plan->output_type(3) == kAnyType);
  CHECK(plan->output_type(4) == (MaskOf(Type::kFloat) | null));
  CHECK(plan->output_type(5) == (MaskOf(Type::kFloat) | null));
}

TEST_CASE("calls that are no aggregates") {
  TestPlan plan({});
  CHECK(plan.Add("mean(x)").code() == ErrorCode::kUnknownAggregate);
  const Status near = plan.Add("coutn(x)");
  CHECK(near.code() == ErrorCode::kUnknownAggregate);
  CHECK(near.message().find("did you mean 'count'") != std::string::npos);
  CHECK(plan.Add("sum()").code() == ErrorCode::kWrongArgumentCount);
  CHECK(plan.Add("sum(x, y)").code() == ErrorCode::kWrongArgumentCount);
  CHECK(plan.Add("count(x, y)").code() == ErrorCode::kWrongArgumentCount);
  CHECK(plan.Add("sum('text')").code() == ErrorCode::kWrongArgumentType);
  CHECK(plan.Add("avg(x > 1)").code() == ErrorCode::kWrongArgumentType);
  CHECK(plan.Add("sum(null)").ok());
  CHECK(plan->outputs() == 1);
}

TEST_CASE("names are sorted") {
  const std::vector<std::string> names = AggregatePlan::Names();
  CHECK(std::is_sorted(names.begin(), names.end()));
  CHECK(names.size() == 34);
}

}  // namespace rivulet
