// Pipeline files that are wrong: the number, the place and the words of each fault.
#include "tests/node/config_test_util.h"

namespace rivulet {
namespace {

using config_test::AllErrors;
using config_test::Has;
using config_test::Pipeline;

// One fault expected in a source, step or sink; the fragment begins in line 4, column 3.
struct Fault {
  const char* yaml;
  ErrorCode code;
  int line;
  int column;
  const char* part;
};

void CheckFaults(const std::string& before, const std::string& after,
                 std::initializer_list<Fault> faults) {
  for (const Fault& fault : faults) {
    CAPTURE(fault.yaml);
    const auto read = Pipeline(before + fault.yaml + "\n" + after);
    CHECK_MESSAGE(read.errors.size() == 1, AllErrors(read.errors));
    CHECK_MESSAGE(Has(read.errors, fault.code, fault.line, fault.column, fault.part),
                  AllErrors(read.errors));
  }
}

TEST_CASE("an unknown setting names the place, the nearest name and the valid ones") {
  const auto read = Pipeline(
      "pipeline: p\nsource: { mqtt: a, time: arrival }\nsteps:\n"
      "  - window: { tumbling: 5s, lateniss: 1m }\n    aggregate: { n: count() }\n"
      "sinks: { stdout: true }\n");
  REQUIRE(read.errors.size() == 1);
  CHECK(read.errors[0].ToString() ==
        "p.yaml:4:29: E1003 unknown setting: 'lateniss' in 'window' (did you mean 'lateness'?); "
        "valid: tumbling, sliding, session, cumulate, count, global, every, offset, zone, lateness, emit, "
        "mode, keep, day, month, repeated_hour, carry, fill");
}

TEST_CASE("an empty file lacks what every pipeline needs") {
  for (const char* yaml : {"", "# nothing\n", "---\n", "null\n"}) {
    const auto read = Pipeline(yaml);
    CHECK_MESSAGE(read.errors.size() == 2, AllErrors(read.errors));
    for (const ConfigError& error : read.errors) CHECK(error.code == ErrorCode::kMissingSetting);
  }
  CHECK(Pipeline("[a]").errors[0].code == ErrorCode::kWrongSettingType);
  CHECK(Pipeline("hello").errors[0].code == ErrorCode::kWrongSettingType);
}

TEST_CASE("pipeline names") {
  for (const char* name : {"Temp", "-a", "_a", "a.b", "\xC3\xA9", "a b"}) {
    const auto read = Pipeline("pipeline: '" + std::string(name) +
                               "'\nsource: { mqtt: a }\nsinks: { stdout: true }\n");
    CHECK_MESSAGE(Has(read.errors, ErrorCode::kBadSettingValue, 1, 12), AllErrors(read.errors));
  }
  const std::string rest = "\nsource: { mqtt: a }\nsinks: { stdout: true }\n";
  CHECK(Pipeline("pipeline: " + std::string(63, 'a') + rest).ok);
  CHECK_FALSE(Pipeline("pipeline: " + std::string(64, 'a') + rest).ok);
}

TEST_CASE("faults of the source") {
  CheckFaults(
      "pipeline: p\nsource:\n  mqtt: a\n", "sinks: { stdout: true }\n",
      {{"  topic: b", ErrorCode::kUnknownSetting, 4, 3, "valid: mqtt"},
       {"  format: jsn", ErrorCode::kBadSettingValue, 4, 11, "did you mean 'json'"},
       {"  format: {}", ErrorCode::kMissingSetting, 4, 11, "csv"},
       {"  format: { cvs: {} }", ErrorCode::kUnknownSetting, 4, 13, "did you mean 'csv'"},
       {"  format: { csv: {}, value: {} }", ErrorCode::kBadSettingValue, 4, 22, "two formats"},
       {"  format: { csv: { delimiter: ab } }", ErrorCode::kBadSettingValue, 4, 31, "'ab'"},
       {"  format: { csv: { columns: [] } }", ErrorCode::kBadSettingValue, 4, 29, "empty list"},
       {"  format: { csv: { columns: [a, a] } }", ErrorCode::kDuplicateSetting, 4, 33, "'a'"},
       {"  fields: [a]", ErrorCode::kWrongSettingType, 4, 11, "a map"},
       {"  fields: { a: flot }", ErrorCode::kBadSettingValue, 4, 16, "did you mean 'float'"},
       {"  fields: { a: { required: true } }", ErrorCode::kMissingSetting, 4, 16, "'type'"},
       {"  fields: { a: { type: int, required: 1 } }", ErrorCode::kWrongSettingType, 4, 39,
        "true or false"},
       {"  time: arival", ErrorCode::kBadSettingValue, 4, 9, "did you mean 'arrival'"},
       {"  time: { delay: 5s }", ErrorCode::kMissingSetting, 4, 9, "'field'"},
       {"  time: { field: ts, unit: mins }", ErrorCode::kBadSettingValue, 4, 28, "iso8601"},
       {"  time: { field: ts, delay: 5 parsecs }", ErrorCode::kBadDuration, 4, 29, "parsecs"},
       {"  time: { field: ts, delay: [5s] }", ErrorCode::kWrongSettingType, 4, 29, "a list"},
       {"  time: { field: ts, idle: 0s }", ErrorCode::kBadSettingValue, 4, 28, "'idle'"},
       {"  time: { field: ts, idle: 99999d }", ErrorCode::kBadSettingValue, 4, 28, "'idle'"},
       {"  time: { arrival: true, field: ts }", ErrorCode::kBadSettingValue, 4, 26, "'field'"},
       {"  mqtt: b", ErrorCode::kDuplicateSetting, 4, 3, "line 3"}});
}

TEST_CASE("faults of topics") {
  CheckFaults("pipeline: p\nsource:\n", "sinks: { stdout: true }\n",
              {{"  mqtt: a/b{x}", ErrorCode::kBadTopicPattern, 3, 9, "a/b{x}"},
               {"  mqtt: [a, 'a/#/b']", ErrorCode::kBadTopicPattern, 3, 14, "#"},
               {"  mqtt: [a, a]", ErrorCode::kDuplicateSetting, 3, 13, "'a'"},
               {"  mqtt: []", ErrorCode::kBadSettingValue, 3, 9, "empty list"},
               {"  mqtt: { topic: a }", ErrorCode::kWrongSettingType, 3, 9, "a map"},
               {"  mqtt: ''", ErrorCode::kBadSettingValue, 3, 10, "a topic"},
               {"  mqtt:", ErrorCode::kWrongSettingType, 3, 3, "nothing"},
               {"  format: json", ErrorCode::kMissingSetting, 3, 3, "'mqtt'"}});
}

TEST_CASE("faults of steps") {
  CheckFaults(
      "pipeline: p\nsource: { mqtt: a, time: arrival }\nsteps:\n", "sinks: { stdout: true }\n",
      {{"  - filter: a > 1", ErrorCode::kUnknownSetting, 4, 5, "valid: explode, set, where"},
       {"  - where: a > 1\n    key: a", ErrorCode::kBadSettingValue, 5, 5, "its own step"},
       {"  - where: [a]", ErrorCode::kWrongSettingType, 4, 12, "a list"},
       {"  - where:", ErrorCode::kWrongSettingType, 4, 5, "nothing"},
       {"  - where: ' '", ErrorCode::kBadSettingValue, 4, 13, "a condition"},
       {"  - hello", ErrorCode::kWrongSettingType, 4, 5, "'hello'"},
       {"  - set: celsius", ErrorCode::kWrongSettingType, 4, 10, "a map from names"},
       {"  - set: {}", ErrorCode::kWrongSettingType, 4, 10, "empty"},
       {"  - set: { a: 1, a: 2 }", ErrorCode::kDuplicateSetting, 4, 18, "'a'"},
       {"  - set: { a: [1] }", ErrorCode::kWrongSettingType, 4, 15, "a list"},
       {"  - set: { a: max(b, c) }", ErrorCode::kWrongSettingType, 4, 22, "holds a comma"},
       {"  - set: { a: }", ErrorCode::kWrongSettingType, 4, 12, "nothing"},
       {"  - key: []", ErrorCode::kBadSettingValue, 4, 10, "empty list"},
       {"  - key: [a, b, a]", ErrorCode::kDuplicateSetting, 4, 17, "'a'"},
       {"  - {}", ErrorCode::kMissingSetting, 4, 5, "does nothing"},
       {"  - aggregate: { n: count() }", ErrorCode::kMissingSetting, 4, 5, "'window'"},
       {"  - where: a\n    aggregate: { n: count() }", ErrorCode::kBadSettingValue, 5, 5,
        "'window'"},
       {"  - window: { tumbling: 5s }", ErrorCode::kMissingSetting, 4, 5, "'aggregate'"}});
}

TEST_CASE("faults of windows") {
  const std::string after = "    aggregate: { n: count() }\nsinks: { stdout: true }\n";
  CheckFaults(
      "pipeline: p\nsource: { mqtt: a, time: arrival }\nsteps:\n", after,
      {{"  - window: { lateness: 5s }", ErrorCode::kMissingSetting, 4, 13, "tumbling"},
       {"  - window: { tumbling: 0s }", ErrorCode::kBadSettingValue, 4, 25, "'tumbling'"},
       {"  - window: { tumbling: 5 }", ErrorCode::kBadDuration, 4, 25, "no unit"},
       {"  - window: { tumbling: 5s, session: 5s }", ErrorCode::kBadSettingValue, 4, 29,
        "two kinds"},
       {"  - window: { sliding: 5s }", ErrorCode::kMissingSetting, 4, 13, "'every'"},
       {"  - window: { sliding: 5s, every: 6s }", ErrorCode::kBadSettingValue, 4, 35, "to 5s"},
       {"  - window: { tumbling: 5s, every: 1s }", ErrorCode::kBadSettingValue, 4, 29, "sliding"},
       {"  - window: { session: 5s, offset: 1s }", ErrorCode::kBadSettingValue, 4, 28, "sessions"},
       {"  - window: { cumulate: 5s }", ErrorCode::kMissingSetting, 4, 13, "'every'"},
       {"  - window: { count: 0 }", ErrorCode::kBadSettingValue, 4, 22, "'count'"},
       {"  - window: { count: 5, every: 6 }", ErrorCode::kBadSettingValue, 4, 32, "'every'"},
       {"  - window: { count: 5, lateness: 1s }", ErrorCode::kBadSettingValue, 4, 25, "arrival"},
       {"  - window: { count: 5, emit: on change }", ErrorCode::kBadSettingValue, 4, 25, "full"},
       {"  - window: { global: false, emit: on change }", ErrorCode::kBadSettingValue, 4, 23, "true"},
       {"  - window: { global: true }", ErrorCode::kMissingSetting, 4, 13, "'emit'"},
       {"  - window: { session: { gap: g } }", ErrorCode::kMissingSetting, 4, 24, "'max'"},
       {"  - window: { session: { max: 5s } }", ErrorCode::kMissingSetting, 4, 24, "'gap'"},
       {"  - window: { session: 5s, zone: UTC }", ErrorCode::kBadSettingValue, 4, 28, "tumbling"},
       {"  - window: { tumbling: 5s, mode: discarding }", ErrorCode::kBadSettingValue, 4, 29, "'emit'"},
       {"  - window: { tumbling: 5s, emit: sometimes }", ErrorCode::kBadSettingValue, 4, 35, "every 1s"},
       {"  - window: { tumbling: 5s, emit: every 0s }", ErrorCode::kBadSettingValue, 4, 35, "every 1s"},
       {"  - window: { tumbling: 5s, emit: every 5 }", ErrorCode::kBadSettingValue, 4, 35, "every 1s"},
       {"  - window: { tumbling: 5s, emit: [every 1s, every 2s] }", ErrorCode::kBadSettingValue, 4, 46,
        "at most once"},
       {"  - window: 5s", ErrorCode::kWrongSettingType, 4, 13, "a map"}});
  const auto twice = Pipeline(
      "pipeline: p\nsource: { mqtt: a, time: arrival }\nsteps:\n  - window: { tumbling: 5s }\n"
      "    aggregate: [{ n: count() }, { n: count() }]\nsinks: { stdout: true }\n");
  CHECK(Has(twice.errors, ErrorCode::kDuplicateSetting, 5, 35, "'n'"));
}

TEST_CASE("a window needs to know its time") {
  const auto read = Pipeline(
      "pipeline: p\nsource: { mqtt: a }\nsteps:\n  - window: { tumbling: 5s }\n"
      "    aggregate: { n: count() }\nsinks: { stdout: true }\n");
  CHECK(Has(read.errors, ErrorCode::kMissingSetting, 2, 9, "'time'"));
}

TEST_CASE("faults of sinks") {
  CheckFaults(
      "pipeline: p\nsource: { mqtt: a }\nsinks:\n", "",
      {{"  - mqt: a", ErrorCode::kUnknownSetting, 4, 5, "did you mean 'mqtt'"},
       {"  - stdout", ErrorCode::kWrongSettingType, 4, 5, "stdout: true"},
       {"  - {}", ErrorCode::kMissingSetting, 4, 5, "a sink"},
       {"  - stdout: false", ErrorCode::kBadSettingValue, 4, 13, "expected true"},
       {"  - mqtt: a/+", ErrorCode::kBadTopicPattern, 4, 11, "a/+"},
       {"  - mqtt: a/{x", ErrorCode::kBadTopicPattern, 4, 11, "{x"},
       {"  - mqtt: a\n    qos: 3", ErrorCode::kBadSettingValue, 5, 10, "0 to 2"},
       {"  - mqtt: a\n    qos: high", ErrorCode::kWrongSettingType, 5, 10, "0 to 2"},
       {"  - mqtt: a\n    retain: yes", ErrorCode::kWrongSettingType, 5, 13, "true or false"},
       {"  - mqtt: a\n    retain: 'true'", ErrorCode::kWrongSettingType, 5, 14, "true or false"},
       {"  - sqlite: a.db\n    retain: true", ErrorCode::kUnknownSetting, 5, 5, "'sqlite' sink"},
       {"  - sqlite: a.db\n    table: a-b", ErrorCode::kBadSettingValue, 5, 12, "'a-b'"},
       {"  - sqlite: a.db\n    revisions: all", ErrorCode::kBadSettingValue, 5, 16, "replace"},
       {"  - file: a\n  - file: a", ErrorCode::kDuplicateSetting, 5, 5, "line 4"},
       {"  - sqlite: a.db\n  - { sqlite: a.db, table: p }", ErrorCode::kDuplicateSetting, 5, 5,
        "line 4"},
       {"  []", ErrorCode::kBadSettingValue, 4, 3, "empty list"}});
}

TEST_CASE("one pass finds all faults, in the order of the text") {
  const auto read = Pipeline(
      "pipelin: p\nsource: { mqtt: 'a#', format: xml }\nsteps:\n  - wher: a\n  - key: []\n"
      "  - window: { tumbling: 5 min, lateness: soon }\n    aggregate: { n: count() }\n"
      "sinks:\n  - mqtt: out\n    qos: 9\nlate: { fil: x }\n");
  CHECK_MESSAGE(read.errors.size() == 11, AllErrors(read.errors));
  for (size_t i = 1; i < read.errors.size(); ++i) {
    CHECK(read.errors[i - 1].line <= read.errors[i].line);
  }
}

TEST_CASE("files that cannot be read") {
  PipelineSpec spec;
  ConfigErrors errors;
  CHECK_FALSE(ReadPipelineFile("/nonexistent/p.yaml", &spec, &errors));
  CHECK(errors[0].code == ErrorCode::kFileNotReadable);
  CHECK(errors[0].ToString().starts_with("/nonexistent/p.yaml: E1001 file cannot be read: "));
  const config_test::TemporaryFolder folder;
  CHECK_FALSE(ReadPipelineFile(folder.path().string(), &spec, &errors));
  const std::string large = folder.Write("large.yaml", std::string((1 << 20) + 1, '\n'));
  CHECK_FALSE(ReadPipelineFile(large, &spec, &errors));
  CHECK(errors[2].code == ErrorCode::kFileNotReadable);
}

}  // namespace
}  // namespace rivulet
