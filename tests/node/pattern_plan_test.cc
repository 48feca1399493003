// What the plan of a pattern is: in the words of `rivulet explain`, and as a form of state.

#include <doctest/doctest.h>

#include "node/config/reader.h"
#include "node/plan/explain.h"
#include "node/plan/pipeline_plan.h"

namespace rivulet {
namespace {

constexpr const char* kSequence =
    "{ name: a, where: x = 1 }, { not: y > 0, for: 5s }, "
    "{ name: b, where: x > a.x, times: 2.., next: true }";

std::unique_ptr<PipelinePlan> Plan(const std::string& pattern, const std::string& select,
                                   const std::string& key = "key: k") {
  PipelineSpec spec;
  ConfigErrors errors;
  const std::string yaml = "pipeline: p\nsource: { mqtt: a, time: { field: t } }\nsteps:\n  - " + key +
                           "\n  - pattern: { " + pattern + " }\n    select: { " + select +
                           " }\nsinks: { stdout: true }\n";
  REQUIRE_MESSAGE(ReadPipeline(yaml, "p.yaml", &spec, &errors), yaml);
  std::unique_ptr<PipelinePlan> plan = PlanPipeline(spec, PlanOptions{}, &errors);
  REQUIRE_MESSAGE(plan != nullptr, errors.front().ToString());
  return plan;
}

std::string Sequence(const std::string& more = "") {
  return "sequence: [" + std::string(kSequence) + "]" + more;
}

}  // namespace

TEST_CASE("explain: a pattern") {
  const auto plan = Plan(Sequence(", within: 1m, timeouts: true"), "n: count(b), v: last(b.v)");
  const std::string text = ExplainPlan(*plan, 64);
  CHECK(text.find("    pattern: within 1m, a record is in one match at most, time running out is a result\n"
                  "      a where x = 1\n"
                  "      no record where y > 0 for 5s\n"
                  "      b where x > `a.last(x)`, 2 or more times, as many as can be, each the very next "
                  "record, within 1d\n"
                  "    select n = count(b)\n"
                  "    select v = last(b.v)\n") != std::string::npos);
  CHECK(text.find("holding a last(x), b rows(), b last(v)\n") != std::string::npos);
}

TEST_CASE("what is kept of a record: each value once, and nothing that is not asked for") {
  const auto plan = Plan(Sequence(), "m: max(b.v * 2), s: sum(b.v * 2), w: avg(a.w), x: first(a.x)");
  // x of a and of the condition; v * 2 of b; w of a.
  CHECK(plan->pattern.accepts.size() == 3);
  CHECK(plan->pattern.first_value == 2);  // the conditions of a and of the negation
  CHECK(plan->argument_columns.size() == 5);
  CHECK(plan->pattern.elements[2].linked.has_value());
}

TEST_CASE("matches under way go on when only what is made of them changes") {
  const auto form = [](const std::string& pattern, const std::string& select,
                       const std::string& key = "key: k") {
    return Plan(pattern, select, key)->StateSignature();
  };
  const std::string now = form(Sequence(), "n: count(b), v: b.v");
  CHECK(now == form(Sequence(), "number: count(b) + 1, v: b.v"));
  CHECK(now != form(Sequence(), "n: count(b), v: b.w"));
  CHECK(form(Sequence(", within: 1m"), "v: b.v") == form(Sequence(", within: 1m, timeouts: true"), "v: b.v"));
  CHECK(now != form(Sequence(", within: 1m"), "n: count(b), v: b.v"));
  CHECK(now != form(Sequence(", skip: to_next"), "n: count(b), v: b.v"));
  CHECK(now != form(Sequence(), "n: count(b), v: b.v", "{ key: k, keep: 2h }"));
  CHECK(now != form("sequence: [{ name: a, where: x = 1 }]", "v: a.v"));
}

}  // namespace rivulet
