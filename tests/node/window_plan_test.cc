// What the plan of each kind of window is: in the words of `rivulet explain`, and as a form of state.

#include <doctest/doctest.h>

#include "node/config/reader.h"
#include "node/plan/explain.h"
#include "node/plan/pipeline_plan.h"

namespace rivulet {
namespace {

std::unique_ptr<PipelinePlan> Plan(const std::string& window) {
  PipelineSpec spec;
  ConfigErrors errors;
  const std::string yaml =
      "pipeline: p\nsource: { mqtt: a, time: { field: t } }\nsteps:\n  - key: k\n  - window: { " +
      window + " }\n    aggregate: { n: count() }\nsinks: { stdout: true }\n";
  REQUIRE(ReadPipeline(yaml, "p.yaml", &spec, &errors));
  std::unique_ptr<PipelinePlan> plan = PlanPipeline(spec, PlanOptions{}, &errors);
  REQUIRE(plan != nullptr);
  return plan;
}

std::string Explained(const std::string& window) {
  const std::string text = ExplainPlan(*Plan(window), 64);
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
  CHECK(Explained("global: true, emit: on close, keep: 30d") == "global, keys kept for 30d");
  CHECK(Explained("count: 100, keep: 24h") == "count 100 records, by arrival, keys kept for 1d");
  CHECK(Explained("global: true, emit: every 1m, mode: discarding") ==
        "global, early results every 1m, discarding");
  CHECK(Explained("tumbling: 1d, zone: Europe/Berlin, emit: [on change, every 5s, every 9 records]") ==
        "tumbling 1d, wall clock of Europe/Berlin, lateness 0s, early results on change, "
        "early results every 5s, early results every 9 records");
  CHECK(Explained("tumbling: 1 month, day: 15, zone: Europe/Berlin") ==
        "tumbling 1 month from day 15, wall clock of Europe/Berlin, lateness 0s");
  CHECK(Explained("tumbling: 2 years, day: 6, month: 4, offset: 6h") ==
        "tumbling 2 years from day 6 of month 4, offset 6h, lateness 0s");
  CHECK(Explained("tumbling: 1 quarter") == "tumbling 3 months from month 1, lateness 0s");
  CHECK(Explained("tumbling: 1h, zone: Europe/Berlin, repeated_hour: apart") ==
        "tumbling 1h, wall clock of Europe/Berlin, what it shows twice told apart, lateness 0s");
  CHECK(Explained("tumbling: 10s, emit: on close, mode: discarding") ==
        "tumbling 10s, lateness 0s, discarding");
}

TEST_CASE("explain: a window that grows by the whole is a tumbling one") {
  CHECK(Explained("cumulate: 1h, every: 1h, offset: 90m") == "tumbling 1h, offset 30m, lateness 0s");
}

TEST_CASE("open windows go on when only the times of early results change, and what is no part of them") {
  const auto form = [](const std::string& window) { return Plan(window)->StateSignature(); };
  // Of the first version: stores written by it go on.
  CHECK(form("tumbling: 10s") == "k\n0 10000000 10000000 0");
  CHECK(form("session: 10s, lateness: 5s") == "k\n2 10000000 10000000 0");
  const std::string early = form("tumbling: 10s, emit: every 1s");
  CHECK(early != form("tumbling: 10s"));
  CHECK(early == form("tumbling: 10s, emit: [on change, every 3 records], lateness: 1h"));
  CHECK(early != form("tumbling: 10s, emit: every 1s, mode: discarding"));
  CHECK(form("tumbling: 10s, emit: on close") == form("tumbling: 10s"));
  CHECK(form("tumbling: 1d, zone: Europe/Berlin") != form("tumbling: 1d"));
  CHECK(form("tumbling: 1d, zone: Europe/Berlin") != form("tumbling: 1d, zone: UTC"));
  CHECK(form("tumbling: 1h, zone: Europe/Berlin") !=
        form("tumbling: 1h, zone: Europe/Berlin, repeated_hour: apart"));
  CHECK(form("tumbling: 1 month") != form("tumbling: 30d"));
  CHECK(form("tumbling: 1 month") != form("tumbling: 1 month, day: 2"));
  CHECK(form("tumbling: 1 year") != form("tumbling: 1 year, month: 2"));
  CHECK(form("tumbling: 10s, emit: on close, mode: discarding") != form("tumbling: 10s"));
  CHECK(form("session: { gap: g, max: 10s }") != form("session: 10s"));
  CHECK(form("count: 10") != form("count: 10, every: 5"));
  CHECK(form("count: 10") == form("count: 10, keep: 1h"));
  CHECK(form("global: true, emit: on close, keep: 1h") == form("global: true, emit: on close"));
  CHECK(form("cumulate: 1h, every: 10m") != form("sliding: 1h, every: 10m"));
}

}  // namespace rivulet
