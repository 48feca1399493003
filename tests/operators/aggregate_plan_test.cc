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

TEST_CASE("parameters that shape the state are part of the accumulator, others of the output") {
  const TestPlan plan({"median(x)", "percentile(x, 0.95)", "percentile(x, 0.99, 0.01)",
                       "percentile(x, 0.5, 0.05)", "top_k(x, 3)", "mode(x)", "top_k(x, 5)",
                       "collect(x, 5)", "collect(x)", "histogram(x, -1, 1.5, 3)", "delta(x)", "last(x)",
                       "range(x)", "min(x)", "twa(x)", "integral(x, 'step')", "rate(x)",
                       "integral(x, 5m)", "twa(x, 'step', 5m)", "percentile_disc(x, 0.5)", "slope(x)",
                       "slope(x, y)", "corr(x, y)", "ewma(x, 1m)", "bool_and(z)", "bool_or(z)"});
  std::vector<std::string> signatures;
  for (const AccumulatorSlot& slot : plan->slots()) {
    signatures.push_back(slot.signature);
    // A signature's beginning says how to make its accumulator.
    const auto spec = ParseAccumulator(slot.signature.substr(0, slot.signature.find('(')));
    REQUIRE(spec.has_value());
    CHECK(spec->kind == slot.kind);
    CHECK(NewAccumulator(*spec)->size() == slot.accumulator->size());
  }
  CHECK(signatures ==
        std::vector<std::string>{
            "quantiles[0.01](x)", "quantiles[0.05](x)", "frequent(x)", "list[5](x)", "list[100](x)",
            "histogram[-1,1.5,3](x)", "last(x)", "first(x)", "max(x)", "min(x)", "curve(x)",
            "curve[300000](x)", "comoments(x)", "comoments(x, y)", "decay[60000](x)", "truths(z)"});
  CHECK(plan->output_is_json(4));
  CHECK_FALSE(plan->output_is_json(5));
  for (const char* bad : {"", "rows[", "rows[1]", "list", "list[", "list[1", "list[x]", "list[1,2]",
                          "lists[1]"}) {
    CAPTURE(bad);
    CHECK_FALSE(ParseAccumulator(bad).has_value());
  }
  for (const char* bad : {"list[0]", "list[1e9]", "list[1.5]", "quantiles[0]", "quantiles[nan]",
                          "histogram[1,1,4]", "histogram[0,1,1e6]", "decay[-1]", "list[inf]"}) {
    CAPTURE(bad);
    CHECK(NewAccumulator(*ParseAccumulator(bad)) == nullptr);
  }
}

TEST_CASE("parameters are checked, and found where they are") {
  TestPlan plan({});
  for (const char* bad :
       {"percentile(x, 1.5)", "percentile(x, -0.1)", "percentile(x, y)", "percentile(x, 'a')",
        "percentile(x, 0.5, 0)", "percentile(x, null)", "top_k(x, 0)", "top_k(x, 101)",
        "top_k(x, 2.5)", "collect(x, 1001)", "histogram(x, 1, 1, 5)", "histogram(x, 0, 1, 257)",
        "histogram(x, -1e308, 1e308, 5)", "ewma(x, 0)", "ewma(x, 1.5)", "ewma(x, '1s')",
        "twa(x, 'cubic')", "twa(x, 0)", "integral(x, 5m, 'step')", "integral(x, 'step', 0.5)",
        "integral(x, 'step', 'step')", "percentile_disc(x, 2)"}) {
    CAPTURE(bad);
    const Status status = plan.Add(bad);
    CHECK(status.code() == ErrorCode::kBadArgument);
  }
  CHECK(plan.Add("percentile(x)").message() ==
        "'percentile' takes 2 to 3 arguments: percentile(x, p[, error]), found 1");
  CHECK(plan.Add("percentile(x, 2)").message() ==
        "'p' of percentile(x, p[, error]) is '2'; expected a number from 0 to 1");
  CHECK(plan.Add("corr(x)").code() == ErrorCode::kWrongArgumentCount);
  CHECK(plan.Add("corr(x, 'a')").code() == ErrorCode::kWrongArgumentType);
  CHECK(plan.Add("bool_and(1)").code() == ErrorCode::kWrongArgumentType);
  CHECK(plan->outputs() == 0);
  CHECK(plan->slots().empty());
}

TEST_CASE("names are sorted") {
  const std::vector<std::string> names = AggregatePlan::Names();
  CHECK(std::is_sorted(names.begin(), names.end()));
  CHECK(names.size() == 35);
}

}  // namespace rivulet
