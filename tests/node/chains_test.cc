// Pipelines that read others: what the reader takes, what the planner makes of it, and which sets of them can
// run.
#include "node/plan/chains.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "node/config/reader.h"
#include "node/plan/explain.h"
#include "node/plan/pipeline_plan.h"
#include "node/plan/publish_loops.h"
#include "tests/node/config_test_util.h"

namespace rivulet {
namespace {

PipelineSpec Spec(const std::string& name, const std::string& source, bool sinks = true) {
  PipelineSpec spec;
  ConfigErrors errors;
  const bool good = ReadPipeline("pipeline: " + name + "\nsource: " + source +
                                     "\nsteps:\n  - key: k\n  - window: { tumbling: 5s }\n"
                                     "    aggregate: { n: count() }\n" +
                                     (sinks ? "sinks: { stdout: true }\n" : ""),
                                 name + ".yaml", &spec, &errors);
  REQUIRE_MESSAGE(good, errors.front().ToString());
  return spec;
}

const char* const kMessages = "{ mqtt: in, time: { field: ts } }";

std::vector<std::string> Faults(const std::vector<PipelineSpec>& specs, bool all,
                                std::vector<size_t>* faulty) {
  std::vector<const PipelineSpec*> pointers;
  for (const PipelineSpec& s : specs) pointers.push_back(&s);
  ConfigErrors errors;
  *faulty = CheckChains(pointers, all, &errors);
  std::vector<std::string> lines;
  for (const ConfigError& e : errors) lines.push_back(e.ToString());
  return lines;
}

}  // namespace

TEST_CASE("chains: each starts behind the one it reads, otherwise in the order given") {
  const std::vector<PipelineSpec> specs = {Spec("c", "{ pipeline: b }"), Spec("x", kMessages),
                                           Spec("b", "{ pipeline: a }"), Spec("a", kMessages)};
  std::vector<const PipelineSpec*> pointers;
  for (const PipelineSpec& s : specs) pointers.push_back(&s);
  CHECK(ChainOrder(pointers) == std::vector<size_t>{1, 3, 2, 0});
}

TEST_CASE("chains: who is not there, who goes round, who gives to nobody") {
  std::vector<size_t> faulty;
  CHECK(Faults({Spec("a", kMessages, false), Spec("b", "{ pipeline: a }")}, true, &faulty).empty());

  std::vector<std::string> lines =
      Faults({Spec("speed", kMessages), Spec("b", "{ pipeline: sped }")}, true, &faulty);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0] ==
        "b.yaml:2:21: E1014 there is no such pipeline to read: 'b' reads the results of 'sped', which is not "
        "there (did you mean 'speed'?); expected the name of another pipeline of this node");
  CHECK(faulty == std::vector<size_t>{1});
  CHECK(Faults({Spec("b", "{ pipeline: sped }")}, false, &faulty).empty());

  lines = Faults({Spec("a", "{ pipeline: c }"), Spec("b", "{ pipeline: a }"), Spec("c", "{ pipeline: b }"),
                  Spec("d", "{ pipeline: b }"), Spec("own", "{ pipeline: own }")},
                 true, &faulty);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].find("a.yaml:2:21: E1015") == 0);
  CHECK(lines[0].find("'a' reads 'c' reads 'b' reads 'a'") != std::string::npos);
  CHECK(lines[1].find("'own' reads 'own'") != std::string::npos);
  CHECK(faulty == std::vector<size_t>{0, 1, 2, 4});

  lines = Faults({Spec("a", kMessages, false)}, false, &faulty);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("a.yaml:1:11: E1006") == 0);
}

TEST_CASE("chains: settings that have no meaning for results") {
  const auto fault = [](const std::string& source, ErrorCode code, const std::string& part) {
    PipelineSpec spec;
    ConfigErrors errors;
    CHECK_FALSE(ReadPipeline("pipeline: p\nsource: " + source + "\nsinks: { stdout: true }\n", "p.yaml",
                             &spec, &errors));
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].code == code);
    CHECK_MESSAGE(errors[0].message.find(part) != std::string::npos, errors[0].message);
  };
  fault("{ pipeline: [a, b] }", ErrorCode::kWrongSettingType, "is a list");
  fault("{ pipeline: a, mqtt: in }", ErrorCode::kBadSettingValue, "'mqtt' in 'source'");
  fault("{ pipeline: a, format: csv }", ErrorCode::kBadSettingValue, "'format' in 'source'");
  fault("{ pipeline: a, time: arrival }", ErrorCode::kBadSettingValue, "no arrival time");
  fault("{ pipeline: a, time: { arrival: true } }", ErrorCode::kBadSettingValue, "no arrival time");
  fault("{ pipeline: a, time: { max_ahead: 1m } }", ErrorCode::kBadSettingValue, "'max_ahead'");
  fault("{ pipeline: a, time: { unit: s } }", ErrorCode::kBadSettingValue, "'unit'");
  fault("{ }", ErrorCode::kMissingSetting, "'mqtt'");
}

TEST_CASE("chains: the plan of a reader, live and over a file") {
  ConfigErrors errors;
  const auto live = PlanPipeline(Spec("b", "{ pipeline: a, time: { delay: 2s } }"), {}, &errors);
  REQUIRE(live != nullptr);
  CHECK(live->source.brings_watermark);
  CHECK(live->source.Brought(5'000'000) == 3'000'000);
  const std::string text = ExplainPlan(*live, 64);
  CHECK(text.find("read results of pipeline a\n") != std::string::npos);
  CHECK(text.find("time: of the result, watermark = that of a - 2s\n") != std::string::npos);
  PlanOptions options;
  options.replay = true;
  const auto file = PlanPipeline(Spec("b", "{ pipeline: a, fields: { k: string } }"), options, &errors);
  REQUIRE(file != nullptr);
  CHECK_FALSE(file->source.brings_watermark);
  CHECK(file->source.start_column.has_value());
}

namespace {

PipelineSpec Publisher(const std::string& name, const std::string& source, const std::string& sinks) {
  PipelineSpec spec;
  ConfigErrors errors;
  const bool messages = source.find("mqtt:") != std::string::npos;
  const std::string timed =
      messages ? source.substr(0, source.rfind('}')) + ", time: arrival }" : source;
  const std::string text = "pipeline: " + name + "\nsource: " + timed +
                           "\nsteps:\n  - key: k\n  - select: [v]\n" + sinks + "\n";
  const bool good = ReadPipeline(text, name + ".yaml", &spec, &errors);
  REQUIRE_MESSAGE(good, (errors.empty() ? text : errors.front().ToString()));
  return spec;
}

}  // namespace

TEST_CASE("chains: who publishes into a source that comes back to it is refused where it can be seen") {
  std::vector<size_t> faulty;
  // Into its own source; by late records; by dead letters.
  std::vector<std::string> lines =
      Faults({Publisher("a", "{ mqtt: \"plant/#\" }", "sinks: { mqtt: \"plant/mean/{k}\" }"),
              Publisher("b", "{ mqtt: b/+ }", "sinks: { mqtt: out }\nlate: { mqtt: b/late }"),
              Publisher("c", "{ mqtt: c }", "sinks: { mqtt: out }\ndead_letters: { mqtt: c }")},
             true, &faulty);
  REQUIRE(lines.size() == 3);
  CHECK_MESSAGE(lines[0].starts_with("a.yaml:6:17: E1017"), lines[0]);
  CHECK(lines[1].find("E1017") != std::string::npos);
  CHECK(lines[2].find("E1017") != std::string::npos);
  CHECK(faulty == std::vector<size_t>{0, 1, 2});
  // In a circle of three, one step of which is not over the broker.
  lines = Faults({Publisher("a", "{ mqtt: in/+ }", "sinks: { mqtt: \"mid/{k}\" }"),
                  Publisher("b", "{ mqtt: \"mid/#\" }", "sinks: { mqtt: out }"),
                  Publisher("c", "{ pipeline: b }", "sinks: { mqtt: \"in/{k}\" }")},
                 true, &faulty);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("'a' publishes 'mid/{k}', which 'b' takes in, which 'c' takes in, which 'a' takes") !=
        std::string::npos);
  CHECK(faulty == std::vector<size_t>{0, 1, 2});
}

TEST_CASE("chains: over the broker without a circle, and topics that only may meet, are allowed") {
  std::vector<size_t> faulty;
  const std::vector<PipelineSpec> specs = {
      Publisher("a", "{ mqtt: in/+ }", "sinks: { mqtt: \"mid/{k}\" }"),
      Publisher("b", "{ mqtt: [\"mid/#\", other] }", "sinks: { mqtt: \"{k}/x\" }"),
      Publisher("c", "{ mqtt: in/x }", "sinks: { mqtt: \"mid/{k}\" }")};
  CHECK(Faults(specs, true, &faulty).empty());
  // What would close the circle is known when there are topics.
  std::vector<const PipelineSpec*> all;
  for (const PipelineSpec& spec : specs) all.push_back(&spec);
  const auto back = TopicsThatComeBack(all);
  std::vector<std::string_view> captures;
  const auto comes_back = [&](const std::string& name, const char* topic) {
    const auto& patterns = back.at(name);
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const TopicPattern& p) { return p.Match(topic, &captures); });
  };
  CHECK(comes_back("b", "in/x"));
  CHECK(comes_back("b", "mid/x"));
  CHECK_FALSE(comes_back("b", "out/x"));
  CHECK_FALSE(comes_back("a", "mid/x"));
}

}  // namespace rivulet
