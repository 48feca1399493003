// What is found in a source before anything runs: event times that are worked out, values that stand for
// null, names with hyphens.
#include "node/plan/explain.h"
#include "node/plan/pipeline_plan.h"
#include "tests/node/config_test_util.h"

namespace rivulet {
namespace {

using config_test::Has;

struct Planned {
  std::unique_ptr<PipelinePlan> plan;
  ConfigErrors errors;
};

// `source` in line 2, the steps' `rest` in line 5.
Planned Plan(const std::string& source, const std::string& rest = "select: [v]") {
  Planned planned;
  PipelineSpec spec;
  const std::string yaml = "pipeline: p\nsource: { mqtt: \"d/{k}\", " + source +
                           " }\nsteps:\n  - key: k\n  - " + rest + "\nsinks: { stdout: true }\n";
  if (ReadPipeline(yaml, "p.yaml", &spec, &planned.errors)) {
    planned.plan = PlanPipeline(spec, PlanOptions{}, &planned.errors);
  }
  CHECK((planned.plan != nullptr) == planned.errors.empty());
  return planned;
}

TEST_CASE("time: what is worked out is known by the fields it takes") {
  const Planned p = Plan("time: { value: \"b || ' ' || a || b\", format: \"%F %T\", zone: Europe/Berlin }");
  REQUIRE(p.plan);
  const SourcePlan& source = p.plan->source;
  REQUIRE(source.computed_time);
  CHECK(source.computed_time->inputs.size() == 2);
  CHECK(source.time.zone);
  const std::string said = "time: b || ' ' || a || b, as %F %T, local time of Europe/Berlin, watermark";
  CHECK(ExplainPlan(*p.plan, 1).find(said) != std::string::npos);
}

TEST_CASE("time: what cannot be one is refused") {
  CHECK(Has(Plan("time: { value: \"a ||\" }").errors, ErrorCode::kExpressionSyntax, 2, 46));
  CHECK(Has(Plan("time: { value: \"a > 1\" }").errors, ErrorCode::kWrongArgumentType, 2, 42));
  CHECK(Has(Plan("time: { value: a + 1, format: \"%F\" }").errors, ErrorCode::kWrongArgumentType, 2, 57));
  CHECK(Has(Plan("time: { field: a, format: \"%Q\" }").errors, ErrorCode::kBadArgument, 2, 53, "%Q"));
  CHECK(Has(Plan("time: { field: a, zone: Europe/Berlim }").errors, ErrorCode::kBadArgument, 2, 50,
            "Europe/Berlin"));
  CHECK(Has(Plan("time: { field: a, value: b }").errors, ErrorCode::kBadSettingValue, 2, 44));
  CHECK(Has(Plan("time: { zone: UTC }").errors, ErrorCode::kBadSettingValue, 2, 34));
  CHECK(Has(Plan("time: { field: \"f(a)\" }").errors, ErrorCode::kUnknownName, 2, 42, "value: "));
  CHECK(Plan("fields: { v: int, \"f(a)\": int }, time: { field: \"f(a)\" }").plan);
}

TEST_CASE("csv without columns is said where the format is given") {
  CHECK(Has(Plan("format: csv, time: { field: t }").errors, ErrorCode::kMissingSetting, 2, 26,
            "columns"));
}

TEST_CASE("values: a field's own rules come before those of its source") {
  const Planned p = Plan("\"null\": [NA, -1], bad: null, fields: { v: { type: int, null: [] }, w: { "
                         "type: int, bad: dead }, x: int }, time: { field: x }");
  REQUIRE(p.plan);
  for (const DecodedField& field : p.plan->source.payload_fields) {
    CAPTURE(field.name);
    const std::vector<std::string> none, both = {"NA", "-1"};
    CHECK(field.nulls == (field.name == "v" ? none : both));
    CHECK(field.bad_is_null == (field.name != "w"));
  }
  CHECK(Has(Plan("null: [[NA]], time: { field: x }").errors, ErrorCode::kWrongSettingType, 2, 33));
  CHECK(Has(Plan("bad: skip, time: { field: x }").errors, ErrorCode::kBadSettingValue, 2, 31));
}

TEST_CASE("names: a hyphen without back quotes is a warning where fields are open") {
  const auto warnings = [](const std::string& rest) {
    const Planned p = Plan("time: { field: t }", rest);
    REQUIRE(p.plan);
    return p.plan->warnings;
  };
  CHECK(Has(warnings("where: temp-C > 1\n  - select: [v]"), ErrorCode::kUnknownName, 5, 12, "`temp-C`"));
  CHECK(Has(warnings("window: { tumbling: 1s }\n    aggregate: { m: avg(temp-C) }"),
            ErrorCode::kUnknownName, 6, 25));
  CHECK(Has(warnings("where: air-temp-C > 1\n  - select: [v]"), ErrorCode::kUnknownName, 5, 12,
            "`air-temp-C`"));
  CHECK(warnings("where: temp - C > 1 and temp -C > 1 and -C < 1 and t-1 > 0\n  - select: [v]").empty());
  CHECK(warnings("where: '`temp-C` > 1'\n  - select: [v]").empty());
  CHECK(warnings("where: temp > 1 and C > 1\n  - where: temp-C > 1\n  - select: [v]").empty());
}

TEST_CASE("names: where fields are declared, the hint at back quotes comes with the fault") {
  const Planned p = Plan("fields: { temp-C: float, t: int, v: int }, time: { field: t }",
                         "where: temp-C > 1\n  - select: [v]");
  REQUIRE(p.errors.size() == 1);
  CHECK(Has(p.errors, ErrorCode::kUnknownName, 5, 12, "`temp-C`, in back quotes"));
}

}  // namespace
}  // namespace rivulet
