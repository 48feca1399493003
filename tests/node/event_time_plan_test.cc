// What event_time() in expressions makes of a plan.
#include <algorithm>

#include "node/plan/explain.h"
#include "node/plan/pipeline_plan.h"
#include "tests/node/config_test_util.h"

namespace rivulet {
namespace {

std::unique_ptr<PipelinePlan> Plan(const std::string& steps, const std::string& source = "mqtt: \"d/{k}\"") {
  PipelineSpec spec;
  ConfigErrors errors;
  const std::string yaml = "pipeline: p\nsource: { " + source + ", time: { field: t } }\nsteps:\n" + steps +
                           "sinks: { stdout: true }\n";
  REQUIRE_MESSAGE(ReadPipeline(yaml, "p.yaml", &spec, &errors), errors.front().ToString());
  std::unique_ptr<PipelinePlan> plan = PlanPipeline(spec, PlanOptions{}, &errors);
  REQUIRE_MESSAGE(plan != nullptr, errors.front().ToString());
  return plan;
}

constexpr const char* kWindow = "  - window: { tumbling: 1s }\n    aggregate: { n: count(), m: max(v) }\n";

}  // namespace

TEST_CASE("event_time: a column for each unit that is asked for, which is no field of the payload") {
  const auto without = Plan("  - set: { a: v + 1 }\n  - key: k\n" + std::string(kWindow));
  CHECK(without->event_times.empty());
  CHECK(ExplainPlan(*without, 1).find("event_time") == std::string::npos);
  const auto with = Plan("  - set: { a: v + event_time(), b: event_time('us') - event_time('ms') }\n"
                         "  - where: event_time() > prior\n  - key: k\n" + std::string(kWindow));
  REQUIRE(with->event_times.size() == 2);
  CHECK(with->event_times[0].unit_us == 1000);
  CHECK(with->event_times[1].unit_us == 1);
  std::vector<std::string> fields;
  for (const DecodedField& field : with->source.payload_fields) fields.push_back(field.name);
  CHECK(fields == std::vector<std::string>{"t", "v", "prior"});
  for (const EventTimeColumn& at : with->event_times) {
    CHECK(at.column < with->source.columns);
    for (const DecodedField& field : with->source.payload_fields) CHECK(field.column != at.column);
  }
  const std::string said = "    event_time('us'): int, when the record happened\n";
  CHECK(ExplainPlan(*with, 1).find(said) != std::string::npos);
  // Open windows go on when it is asked for.
  CHECK(with->StateSignature() == without->StateSignature());
}

TEST_CASE("event_time: steps with a memory take it over; what time makes has a time of its own") {
  const auto plan = Plan("  - key: k\n  - set: { d: event_time() - prev(event_time()) }\n"
                         "  - detect: { name: hot, when: v > 1, for: 5s }\n"
                         "  - select: [hot, w, d, { at: event_time() }]\n");
  REQUIRE(plan->event_times.size() == 1);
  const uint32_t column = plan->event_times[0].column;
  const auto& gathered = plan->keyed.gathered;
  CHECK(std::find(gathered.begin(), gathered.end(), column) != gathered.end());
  const DetectSpec* detect = nullptr;
  for (const KeyedPlanStep& step : plan->keyed.steps) {
    if (const auto* spec = std::get_if<DetectSpec>(&step.what)) detect = spec;
  }
  REQUIRE(detect != nullptr);
  CHECK(detect->by_time);
  REQUIRE(detect->event_times.size() == 1);
  CHECK(detect->event_times[0].column == column);
  CHECK(detect->carried.size() == 2);  // w and d
  for (const DetectSpec::Carried& c : detect->carried) CHECK(c.column != column);
}

TEST_CASE("event_time: a source whose fields are declared has it as well") {
  const auto plan = Plan("  - key: k\n  - select: [v, { at: event_time('s') }]\n",
                         "mqtt: \"d/{k}\", fields: { t: int, v: int }");
  REQUIRE(plan->event_times.size() == 1);
  CHECK(plan->event_times[0].unit_us == 1'000'000);
  CHECK(plan->argument_columns.back() == plan->event_times[0].column);
}

}  // namespace rivulet
