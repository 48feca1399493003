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

TEST_CASE("names: calls, outputs and elements of patterns are no forgotten back quotes") {
  const auto warnings = [](const std::string& rest) {
    const Planned p = Plan("time: { field: t }", rest);
    REQUIRE(p.plan);
    return p.plan->warnings.size();
  };
  CHECK(warnings("where: v > 1\n  - where: v-abs(v) > 1\n  - select: [v]") == 0);
  CHECK(warnings("window: { tumbling: 1s }\n"
                 "    aggregate: { a: sum(v), b: sum(w), c: 'round(a-b, 1) * count()' }") == 0);
  const std::string pattern = "pattern:\n      sequence: [{ name: x, where: v > 1 }, { name: y, where: ";
  CHECK(warnings(pattern + "v-x.w > 1 }]\n    select: { d: y.v-x.w }") == 0);
  CHECK(warnings(pattern + "x.temp-C > 1 }]\n    select: { d: y.v }") == 1);
}

TEST_CASE("names: each place without back quotes is a warning") {
  const Planned p =
      Plan("time: { field: t }", "where: temp-C > 1\n  - set: { x: temp-C, y: a-b }\n  - select: [x]");
  REQUIRE(p.plan);
  CHECK(Has(p.plan->warnings, ErrorCode::kUnknownName, 5, 12));
  CHECK(Has(p.plan->warnings, ErrorCode::kUnknownName, 6, 15));
  CHECK(Has(p.plan->warnings, ErrorCode::kUnknownName, 6, 26));
  CHECK(p.plan->warnings.size() == 3);
  REQUIRE(p.plan->unquoted.size() == 2);
  CHECK(p.plan->unquoted[0].place.line == 5);
  CHECK(p.plan->unquoted[1].name == "a-b");
}

// The fields of which only the presence is read.
std::vector<std::string> LookedOutFor(const SourcePlan& source) {
  std::vector<std::string> names;
  for (const DecodedField& f : source.payload_fields) {
    if (f.presence) names.push_back(f.name);
  }
  return names;
}

using Names = std::vector<std::string>;

TEST_CASE("names: with a number they are no warning, but looked out for") {
  const auto names = [](const std::string& condition) {
    const Planned p = Plan("time: { field: t }", "where: " + condition + "\n  - select: [v]");
    REQUIRE(p.plan);
    for (const ConfigError& w : p.plan->warnings) CHECK(w.message.find("-2'") == std::string::npos);
    return std::pair(LookedOutFor(p.plan->source), p.plan->warnings.size());
  };
  CHECK(names("temp-1 > 0 and temp-2 > 0") == std::pair(Names{"temp-1", "temp-2"}, size_t{0}));
  CHECK(names("temp-1 > 0\n  - where: temp-2 > 0") == std::pair(Names{"temp-1", "temp-2"}, size_t{0}));
  CHECK(names("a-C-2 > 0") == std::pair(Names{"a-C-2", "a-C"}, size_t{1}));
  CHECK(names("a-1-C > 0") == std::pair(Names{"a-1-C"}, size_t{1}));
  CHECK(names("t-1 > 0 and 5-w > 0 and w -1 > 0 and w-1.5 > 0 and w-1s > 0").first.empty());
  // That a name stands in front of a number is no forgotten back quote by itself.
  CHECK(names("w-1 > 0\n  - where: w-t > 0") == std::pair(Names{"w-1"}, size_t{0}));
}

TEST_CASE("names: sources look out for what may be a field, and nothing else changes") {
  const std::string rest = "window: { tumbling: 1s }\n    aggregate: { m: avg(air-temp-C) }";
  const Planned p = Plan("time: { field: t }", rest);
  const Planned quiet =
      Plan("time: { field: t }", "window: { tumbling: 1s }\n    aggregate: { m: avg(air - temp - C) }");
  REQUIRE(p.plan);
  CHECK(LookedOutFor(p.plan->source) == Names{"air-temp-C"});
  CHECK(quiet.plan->unquoted.empty());
  CHECK(LookedOutFor(quiet.plan->source).empty());
  CHECK(p.plan->source.columns == quiet.plan->source.columns + 1);
  CHECK(p.plan->argument_columns == quiet.plan->argument_columns);
  CHECK(p.plan->StateSignature() == quiet.plan->StateSignature());
  const UnquotedName& name = p.plan->unquoted.at(0);
  CHECK(name.column == p.plan->source.columns - 1);
  CHECK(name.parts.size() == 3);
  CHECK(name.Found("p", 7).ToString() ==
        "p.yaml:6:25: E2002 unknown field name: pipeline 'p': 7 records have the field 'air-temp-C', which "
        "'avg(air-temp-C)' does not read: without back quotes air-temp-C means air - temp - C. Write "
        "`air-temp-C`, or, if the difference is meant, put blanks around the minus sign");
  CHECK(name.Found("p", 1).message.find("a record has the field") != std::string::npos);
}

TEST_CASE("names: a field that is read anyway is looked at where it is") {
  const Planned read = Plan("time: { field: t }", "where: temp-C > 1\n  - select: { c: '`temp-C`' }");
  REQUIRE(read.plan);
  CHECK(LookedOutFor(read.plan->source).empty());
  CHECK(read.plan->unquoted.at(0).column == read.plan->argument_columns.at(0));
}

TEST_CASE("names: of a pattern's element it is the field of its records") {
  const std::string sequence = "pattern:\n      sequence: [{ name: x, where: v > 1 }, { name: y, where: ";
  const Planned p = Plan("time: { field: t }", sequence + "x.temp-C > v }]\n    select: { d: x.v }");
  REQUIRE(p.plan);
  CHECK(LookedOutFor(p.plan->source) == Names{"temp-C"});
  CHECK(p.plan->unquoted.at(0).written == "x.temp-C");
  CHECK(p.plan->unquoted.at(0).parts.size() == 2);
  CHECK(Has(p.plan->warnings, ErrorCode::kUnknownName, 6, 63, "`x.temp-C`"));
  // What is taken of a match has no other fields than those of elements.
  CHECK(Has(Plan("time: { field: t }", sequence + "v > 2 }]\n    select: { d: x.temp-C }").errors,
            ErrorCode::kUnknownName, 7, 25, "`x.temp-C`, in back quotes"));
}

TEST_CASE("names: of several sources each looks out for what its records may have") {
  const auto plan = [](const std::string& a, const std::string& b, const std::string& rest) {
    PipelineSpec spec;
    ConfigErrors errors;
    const std::string yaml = "pipeline: p\nsource:\n  - { name: a, mqtt: a, time: { field: t }" + a +
                             " }\n  - { name: b, mqtt: b, time: { field: t }" + b +
                             " }\nsteps:\n  - key: k\n  - " + rest + "\nsinks: { stdout: true }\n";
    REQUIRE(ReadPipeline(yaml, "p.yaml", &spec, &errors));
    std::unique_ptr<PipelinePlan> planned = PlanPipeline(spec, PlanOptions{}, &errors);
    REQUIRE(planned);
    return planned;
  };
  const std::string all = "where: temp-C > 1\n  - select: [v]";
  std::unique_ptr<PipelinePlan> p = plan("", "", all);
  CHECK(LookedOutFor(p->source) == Names{"temp-C"});
  CHECK(LookedOutFor(p->source.others[0]) == Names{"temp-C"});
  CHECK_FALSE(p->unquoted.at(0).source);
  // What one goes through alone.
  p = plan("", ", where: temp-C > 1", "select: [v]");
  CHECK(LookedOutFor(p->source).empty());
  CHECK(LookedOutFor(p->source.others[0]) == Names{"temp-C"});
  CHECK(p->unquoted.at(0).source == std::optional<uint8_t>(1));
  p = plan(", where: temp-C > 1", ", where: temp-C > 2", "select: [v]");
  REQUIRE(p->unquoted.size() == 2);
  CHECK(p->unquoted[0].column == p->unquoted[1].column);
  CHECK(p->warnings.size() == 2);
  // A source that declares its fields has no other; where one declares the name, it is read of both.
  p = plan(", fields: { t: int, k: string, v: int, temp: int }", "", all);
  CHECK(LookedOutFor(p->source).empty());
  CHECK(LookedOutFor(p->source.others[0]) == Names{"temp-C"});
  p = plan(", fields: { t: int, k: string, v: int, temp-C: int }", "", all);
  CHECK(LookedOutFor(p->source).empty());
  CHECK(LookedOutFor(p->source.others[0]).empty());
  CHECK(p->unquoted.size() == 1);
}

TEST_CASE("names: where fields are declared, the hint at back quotes comes with the fault") {
  const Planned p = Plan("fields: { temp-C: float, t: int, v: int }, time: { field: t }",
                         "where: temp-C > 1\n  - select: [v]");
  REQUIRE(p.errors.size() == 1);
  CHECK(Has(p.errors, ErrorCode::kUnknownName, 5, 12, "`temp-C`, in back quotes"));
  // A number behind the minus sign is mostly arithmetic: only what is a field gives the hint.
  const std::string condition = "where: temp-1 > 1\n  - select: [v]";
  CHECK(Has(Plan("fields: { temp-1: float, t: int }, time: { field: t }", condition).errors,
            ErrorCode::kUnknownName, 5, 12, "`temp-1`, in back quotes"));
  const Planned without = Plan("fields: { tmp: float, t: int, v: int }, time: { field: t }", condition);
  REQUIRE(without.errors.size() == 1);
  CHECK(without.errors[0].message.find("back quotes") == std::string::npos);
}

}  // namespace
}  // namespace rivulet
