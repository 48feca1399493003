// Pipeline files that are right: every setting, its short and long forms, and its default.
#include "tests/node/config_test_util.h"

namespace rivulet {
namespace {

using config_test::AllErrors;
using config_test::ConfigFolder;
using config_test::Pipeline;

PipelineSpec Good(std::string_view yaml) {
  auto read = Pipeline(yaml);
  CHECK_MESSAGE(read.ok, AllErrors(read.errors));
  return read.spec;
}

constexpr char kShort[] = "pipeline: p\nsource: { mqtt: a/b }\nsinks: { stdout: true }\n";

TEST_CASE("the shortest pipeline takes every default") {
  const PipelineSpec spec = Good(kShort);
  CHECK(spec.file == "p.yaml");
  CHECK(spec.name.text == "p");
  CHECK(spec.name.mark.line == 1);
  CHECK(spec.name.mark.column == 11);
  REQUIRE(spec.source.topics.size() == 1);
  CHECK(spec.source.topics[0].text == "a/b");
  CHECK(spec.source.format == SourceSpec::Format::kJson);
  CHECK(spec.source.value_field.text == "value");
  CHECK(spec.source.csv.delimiter == ',');
  CHECK(spec.source.fields.empty());
  CHECK(spec.source.time.arrival);
  CHECK(spec.source.time.delay == Duration{});
  CHECK_FALSE(spec.source.time.idle);
  CHECK(spec.source.time.max_ahead == Duration::Seconds(60));
  CHECK(spec.steps.empty());
  REQUIRE(spec.sinks.size() == 1);
  CHECK(spec.sinks[0].kind == SinkSpec::Kind::kStdout);
  CHECK(spec.late.empty());
  CHECK(spec.dead_letters.empty());
}

TEST_CASE("the examples are read whole") {
  PipelineSpec spec;
  ConfigErrors errors;
  const std::string file = (ConfigFolder() / "pipelines/temperature.yaml").string();
  REQUIRE_MESSAGE(ReadPipelineFile(file, &spec, &errors), AllErrors(errors));
  CHECK(spec.name.text == "temperature");
  CHECK(spec.source.time.field.text == "ts");
  CHECK(spec.source.time.delay == Duration::Seconds(2));
  CHECK(spec.source.time.idle == Duration::Seconds(30));
  REQUIRE(spec.source.fields.size() == 2);
  CHECK(spec.source.fields[0].name.text == "fahrenheit");
  CHECK(spec.source.fields[0].type == Type::kFloat);
  REQUIRE(spec.steps.size() == 4);
  const auto& set = std::get<SetStep>(spec.steps[0].what);
  CHECK(set.assignments[0].first.text == "celsius");
  CHECK(set.assignments[0].second.text == "(fahrenheit - 32) * 5 / 9");
  const auto& window = std::get<WindowStep>(spec.steps[3].what);
  CHECK(window.kind == WindowStep::Kind::kTumbling);
  CHECK(window.size == Duration::Seconds(5));
  CHECK(window.lateness == Duration::Seconds(60));
  REQUIRE(window.aggregates.size() == 3);
  CHECK(window.aggregates[2].first.text == "samples");
  REQUIRE(spec.sinks.size() == 2);
  CHECK(spec.sinks[0].retain);
  CHECK(spec.sinks[1].target.text == "results.db");
  CHECK(spec.late[0].target.text == "late/temperature");
  for (const char* name : {"engine-health", "can-frames"}) {
    const auto path = ConfigFolder() / "pipelines" / (std::string(name) + ".yaml");
    CHECK_MESSAGE(ReadPipelineFile(path.string(), &spec, &errors), AllErrors(errors));
    CHECK(spec.name.text == name);
  }
  CHECK(spec.source.format == SourceSpec::Format::kCsv);
  CHECK(spec.source.csv.columns.size() == 4);
  CHECK(spec.sinks[1].keep_revisions);
  CHECK(spec.sinks[1].table == "can_frames");
}

TEST_CASE("topics: one or a list") {
  const PipelineSpec spec = Good(
      "pipeline: p\nsource:\n  mqtt: [a/+/b, 'c/+/#']\nsinks: { stdout: true }\n");
  REQUIRE(spec.source.topics.size() == 2);
  CHECK(spec.source.topics[1].text == "c/+/#");
  CHECK(spec.source.topics[1].mark.column == 18);  // inside the quote
}

PipelineSpec WithSource(const std::string& more) {
  return Good("pipeline: p\nsource:\n  mqtt: a\n" + more + "sinks: { stdout: true }\n");
}

TEST_CASE("formats: words and long forms") {
  CHECK(WithSource("  format: value\n").source.format == SourceSpec::Format::kValue);
  const auto value = WithSource("  format: { value: { field: celsius } }\n").source;
  CHECK(value.format == SourceSpec::Format::kValue);
  CHECK(value.value_field.text == "celsius");
  CHECK(value.value_field.mark.line == 4);
  const auto csv =
      WithSource("  format: { csv: { delimiter: \"\\t\", columns: [a, b] } }\n").source;
  CHECK(csv.format == SourceSpec::Format::kCsv);
  CHECK(csv.csv.delimiter == '\t');
  CHECK(csv.csv.columns == std::vector<std::string>{"a", "b"});
  const auto plain = WithSource("  format:\n    csv:\n").source;
  CHECK(plain.format == SourceSpec::Format::kCsv);
  CHECK(plain.csv.columns.empty());
}

TEST_CASE("fields: a type, or a map with one") {
  const auto fields =
      WithSource("  fields: { a: float, b: int, c: bool, d: { type: string, required: true } }\n")
          .source.fields;
  REQUIRE(fields.size() == 4);
  CHECK(fields[1].type == Type::kInt);
  CHECK(fields[2].type == Type::kBool);
  CHECK_FALSE(fields[2].required);
  CHECK(fields[3].type == Type::kString);
  CHECK(fields[3].required);
  CHECK(fields[3].name.text == "d");
}

TEST_CASE("time: arrival, its long form, and every unit") {
  CHECK(WithSource("  time: arrival\n").source.time.arrival);
  const auto arrival = WithSource("  time: { arrival: true, delay: 1s, idle: 5s }\n").source.time;
  CHECK(arrival.arrival);
  CHECK(arrival.delay == Duration::Seconds(1));
  CHECK(arrival.idle == Duration::Seconds(5));
  const auto time = WithSource("  time: { field: ts, max_ahead: 0 }\n").source.time;
  CHECK_FALSE(time.arrival);
  CHECK(time.unit == TimeUnit::kMillis);
  CHECK(time.max_ahead == Duration{});
  const std::pair<const char*, TimeUnit> units[] = {{"s", TimeUnit::kSeconds},
                                                    {"us", TimeUnit::kMicros},
                                                    {"ns", TimeUnit::kNanos},
                                                    {"iso8601", TimeUnit::kIso8601}};
  for (const auto& [word, unit] : units) {
    const auto spec = WithSource("  time: { field: ts, unit: " + std::string(word) + " }\n");
    CHECK(spec.source.time.unit == unit);
  }
}

PipelineSpec WithSteps(const std::string& steps) {
  return Good("pipeline: p\nsource: { mqtt: a, time: arrival }\nsteps:\n" + steps +
              "sinks: { stdout: true }\n");
}

TEST_CASE("set keeps the order, of a map and of a list of maps") {
  const auto spec = WithSteps("  - set: { z: 1, a: z + 1 }\n  - set: [{ q: null }, { q: true }]\n");
  const auto& map = std::get<SetStep>(spec.steps[0].what).assignments;
  CHECK(map[0].first.text == "z");
  CHECK(map[1].second.text == "z + 1");
  const auto& list = std::get<SetStep>(spec.steps[1].what).assignments;
  REQUIRE(list.size() == 2);
  CHECK(list[0].second.text == "null");
  CHECK(list[1].second.text == "true");
}

TEST_CASE("key: one field or several; a single step needs no list") {
  const auto spec = WithSteps("  - key: a\n  - key: [b, c]\n");
  CHECK(std::get<KeyStep>(spec.steps[0].what).fields.size() == 1);
  CHECK(std::get<KeyStep>(spec.steps[1].what).fields[1].text == "c");
  CHECK(WithSteps("  where: a > 1\n").steps.size() == 1);
}

TEST_CASE("windows of each kind") {
  const auto spec = WithSteps(
      "  - window: { sliding: 1h, every: 1s, offset: 500ms }\n    aggregate: { n: count() }\n"
      "  - window: { session: 30s, lateness: 1m30s }\n"
      "    aggregate: [{ n: count() }, { m: max(x) }]\n");
  const auto& sliding = std::get<WindowStep>(spec.steps[0].what);
  CHECK(sliding.kind == WindowStep::Kind::kSliding);
  CHECK(sliding.size == Duration::Seconds(3600));
  CHECK(sliding.slide == Duration::Seconds(1));
  CHECK(sliding.offset == Duration::Millis(500));
  CHECK(sliding.lateness == Duration{});
  const auto& session = std::get<WindowStep>(spec.steps[1].what);
  CHECK(session.kind == WindowStep::Kind::kSession);
  CHECK(session.size == Duration::Seconds(30));
  CHECK(session.lateness == Duration::Seconds(90));
  CHECK(session.aggregates.size() == 2);
}

TEST_CASE("windows that grow, that count, that never end, and when they are put out") {
  const auto spec = WithSteps(
      "  - window: { cumulate: 1h, every: 10m, emit: on close }\n    aggregate: { n: count() }\n"
      "  - window: { count: 100, every: 10 }\n    aggregate: { n: count() }\n"
      "  - window: { global: true, emit: [every 1m, every 100 records, on change], mode: discarding }\n"
      "    aggregate: { n: count() }\n"
      "  - window: { session: { gap: hold * 2, max: 1h } }\n    aggregate: { n: count() }\n"
      "  - window: { tumbling: 1d, zone: Europe/Berlin }\n    aggregate: { n: count() }\n"
      "  - window: { count: 7 }\n    aggregate: { n: count() }\n");
  const auto window = [&](size_t i) { return std::get<WindowStep>(spec.steps[i].what); };
  CHECK(window(0).kind == WindowStep::Kind::kCumulate);
  CHECK(window(0).slide == Duration::Seconds(600));
  CHECK(window(0).emit.given);
  CHECK(window(1).kind == WindowStep::Kind::kCount);
  CHECK(window(1).count == 100);
  CHECK(window(1).count_slide == 10);
  CHECK(window(2).kind == WindowStep::Kind::kGlobal);
  CHECK(window(2).emit.interval == Duration::Seconds(60));
  CHECK(window(2).emit.records == 100);
  CHECK(window(2).emit.on_change);
  CHECK(window(2).emit.discarding);
  CHECK(window(3).gap.text == "hold * 2");
  CHECK(window(3).size == Duration::Seconds(3600));
  CHECK(window(4).zone.text == "Europe/Berlin");
  CHECK(window(5).count_slide == 7);
}

TEST_CASE("sinks of each kind, with defaults") {
  const auto spec = Good(
      "pipeline: a-b\nsource: { mqtt: a }\nsinks:\n  - mqtt: out/{x}\n    qos: 0\n"
      "  - sqlite: r.db\n  - file: out.ndjson\n  - stdout: true\n"
      "late: { sqlite: r.db }\ndead_letters: [{ sqlite: r.db }, { file: dead.ndjson }]\n");
  REQUIRE(spec.sinks.size() == 4);
  CHECK(spec.sinks[0].kind == SinkSpec::Kind::kMqtt);
  CHECK(spec.sinks[0].qos == 0);
  CHECK_FALSE(spec.sinks[0].retain);
  CHECK(spec.sinks[0].mark.line == 4);
  CHECK(spec.sinks[1].table == "a_b");
  CHECK_FALSE(spec.sinks[1].keep_revisions);
  CHECK(spec.sinks[2].target.text == "out.ndjson");
  CHECK(spec.late[0].table == "a_b_late");
  CHECK(spec.dead_letters[0].table == "a_b_dead_letters");
  CHECK(spec.dead_letters[1].kind == SinkSpec::Kind::kFile);
}

TEST_CASE("a byte order mark and Windows line ends do no harm") {
  const PipelineSpec spec =
      Good("\xEF\xBB\xBFpipeline: p\r\nsource: { mqtt: a/b }\r\nsinks: { stdout: true }\r\n");
  CHECK(spec.name.text == "p");
  CHECK(spec.name.mark.column == 11);
}

TEST_CASE("marks point at the first character of the text") {
  const auto spec = WithSteps(
      "  - where: a > 1\n  - where: \"a > 2\"\n  - where: 'a > 3'\n"
      "  - where: |\n      a >\n      4\n  - where: >-\n\n      a > 5\n");
  const auto mark = [&](size_t i) {
    return std::get<WhereStep>(spec.steps[i].what).condition.mark;
  };
  CHECK(mark(0).line == 4);
  CHECK(mark(0).column == 12);
  CHECK(mark(1).column == 13);
  CHECK(mark(2).line == 6);
  CHECK(mark(2).column == 13);
  CHECK(mark(3).line == 8);
  CHECK(mark(3).column == 7);
  CHECK(mark(4).line == 11);
  CHECK(mark(4).column == 7);
}

}  // namespace
}  // namespace rivulet
