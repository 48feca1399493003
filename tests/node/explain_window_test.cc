// What `rivulet explain` says of each kind of window.

#include <doctest/doctest.h>

#include "node/config/reader.h"
#include "node/plan/explain.h"
#include "node/plan/pipeline_plan.h"

namespace rivulet {
namespace {

std::string Explained(const std::string& window) {
  PipelineSpec spec;
  ConfigErrors errors;
  const std::string yaml =
      "pipeline: p\nsource: { mqtt: a, time: { field: t } }\nsteps:\n  - key: k\n  - window: { " +
      window + " }\n    aggregate: { n: count() }\nsinks: { stdout: true }\n";
  REQUIRE(ReadPipeline(yaml, "p.yaml", &spec, &errors));
  const std::unique_ptr<PipelinePlan> plan = PlanPipeline(spec, PlanOptions{}, &errors);
  REQUIRE(plan != nullptr);
  const std::string text = ExplainPlan(*plan, 64);
  const size_t begin = text.find("window: ") + 8;
  return text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace

TEST_CASE("explain: windows of each kind") {
  CHECK(Explained("tumbling: 10s, offset: 3s") == "tumbling 10s, offset 3s, lateness 0s");
  CHECK(Explained("sliding: 1m, every: 10s, lateness: 5s") == "sliding 1m every 10s, lateness 5s");
  CHECK(Explained("session: 30s") == "session, gap 30s, lateness 0s");
  CHECK(Explained("session: { gap: g * 2, max: 1h }") ==
        "session, gap g * 2 of each record, at most 1h, lateness 0s");
  CHECK(Explained("cumulate: 1h, every: 10m") == "cumulating up to 1h every 10m, lateness 0s");
  CHECK(Explained("count: 100") == "count 100 records, by arrival");
  CHECK(Explained("count: 100, every: 10") == "count 100 every 10 records, by arrival");
  CHECK(Explained("global: true, emit: on close") == "global");
  CHECK(Explained("global: true, emit: every 1m, mode: discarding") ==
        "global, early results every 1m, discarding");
  CHECK(Explained("tumbling: 1d, zone: Europe/Berlin, emit: [on change, every 5s, every 9 records]") ==
        "tumbling 1d, wall clock of Europe/Berlin, lateness 0s, early results on change, "
        "early results every 5s, early results every 9 records");
}

TEST_CASE("explain: a window that grows by the whole is a tumbling one") {
  CHECK(Explained("cumulate: 1h, every: 1h, offset: 90m") == "tumbling 1h, offset 30m, lateness 0s");
}

}  // namespace rivulet
