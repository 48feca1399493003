// Pipelines that read each other's results: what comes out does not depend on turns, workers, where commits
// of the one or the other fall, and crashes; and a chain gives what one pipeline gives where both can.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/cases/pipeline_harness.h"
#include "tests/cases/drive_variants.h"

namespace rivulet {
namespace {

std::string Yaml(const std::string& name, const std::string& source, const std::string& steps) {
  return "pipeline: " + name + "\nsource: " + source + "\nsteps:\n" + steps +
         "sinks: { stdout: true }\n";
}

std::vector<StreamLine> RandomLines(Random* random, size_t count, int64_t disorder) {
  std::vector<StreamLine> lines;
  int64_t now = 1'000'000;
  for (size_t i = 0; i < count; ++i) {
    now += static_cast<int64_t>(random->Below(random->Chance(0.05) ? 900 : 12));
    if (random->Chance(0.03)) {
      lines.push_back({"", true, (now - static_cast<int64_t>(random->Below(40))) * 1000});
      continue;
    }
    const int64_t t = now - static_cast<int64_t>(random->Below(static_cast<uint64_t>(disorder) + 1));
    const std::string v = random->Chance(0.03) ? "\"none\"" : std::to_string(random->Below(100));
    lines.push_back({"{\"k\":\"k" + std::to_string(random->Below(5)) + "\",\"t\":" + std::to_string(t) +
                     ",\"v\":" + v + "}"});
  }
  return lines;
}

// Sources of the first pipeline; its results all have k, n and v.
const char* const kSources[] = {
    "{ mqtt: in, time: { field: t, unit: ms, delay: 20ms } }",
    "{ mqtt: in, time: { field: t, unit: ms } }",
};
const char* const kPerKeySource =
    "{ mqtt: in, time: { field: t, unit: ms, delay: 5ms, per: k, hold: 60ms } }";
const char* const kFirst[] = {
    "  - key: k\n  - window: { tumbling: 30ms, lateness: 25ms }\n"
    "    aggregate: { n: count(), v: sum(v) }\n",
    "  - key: k\n  - window: { sliding: 50ms, every: 10ms }\n    aggregate: { n: count(), v: max(v) }\n",
    "  - key: k\n  - window: { session: 15ms, lateness: 10ms }\n    aggregate: { n: count(), v: last(v) }\n"};
// Not with per-key time.
const char* const kFirstOthers[] = {
    "  - key: k\n  - set: { n: 1 }\n  - select: [n, v]\n",
    "  - key: k\n  - window: { tumbling: 70ms, lateness: 10ms, emit: [on change, every 20ms] }\n"
    "    aggregate: { n: count(), v: sum(v) }\n",
    "  - key: k\n  - window: { count: 4, every: 2 }\n    aggregate: { n: count(), v: sum(v) }\n",
    "  - key: k\n  - window: { global: true, emit: every 50ms }\n    aggregate: { n: count(), v: sum(v) }\n"};
const char* const kThen[] = {
    "  - key: k\n  - window: { tumbling: 100ms }\n    aggregate: { n: count(), v: sum(v), all: sum(n) }\n",
    "  - set: { one: \"'x'\" }\n  - key: one\n  - window: { sliding: 90ms, every: 30ms, lateness: 30ms }\n"
    "    aggregate: { n: count(), v: max(v) }\n",
    "  - key: k\n  - window: { session: 40ms, lateness: 20ms }\n    aggregate: { n: count(), v: first(v) }\n",
    "  - where: v > 20\n  - key: k\n  - select: { n: n, v: \"v + coalesce(prev(v), 0)\" }\n",
    "  - key: k\n  - window: { tumbling: 60ms, lateness: 60ms, emit: on change }\n"
    "    aggregate: { n: count(), v: avg(v) }\n"};

template <size_t N>
std::string OneOf(Random* random, const char* const (&texts)[N]) {
  return texts[random->Below(N)];
}

std::vector<std::string> RandomChain(Random* random) {
  const bool per_key = random->Chance(0.3);
  const bool other = !per_key && random->Chance(0.5);
  std::vector<std::string> chain;
  chain.push_back(Yaml("first", per_key ? kPerKeySource : OneOf(random, kSources),
                       other ? OneOf(random, kFirstOthers) : OneOf(random, kFirst)));
  const auto reader = [&](const std::string& name, const std::string& of) {
    std::string source = "{ pipeline: " + of + " }";
    std::string steps = OneOf(random, kThen);
    const bool windows = steps.find("emit") == std::string::npos && steps.find("select") == std::string::npos;
    if (random->Chance(0.3)) source = "{ pipeline: " + of + ", time: { delay: 30ms } }";
    if (windows && steps.find("key: k") != std::string::npos && random->Chance(0.3)) {
      source = "{ pipeline: " + of + ", time: { per: k, hold: 10ms } }";
    }
    chain.push_back(Yaml(name, source, steps));
  };
  reader("second", "first");
  reader("third", random->Chance(0.5) ? "first" : "second");
  return chain;
}

std::string ChainDifference(const std::vector<Outputs>& a, const std::vector<Outputs>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    const std::string difference = Difference(a[i], b[i]);
    if (!difference.empty()) return "pipeline " + std::to_string(i + 1) + ", " + difference;
  }
  return "";
}

}  // namespace

TEST_CASE("chains: cuts, commits, workers and crashes change nothing") {
  for (uint64_t seed = FirstSeed(), end = seed + SeedCount(60); seed < end; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const std::vector<std::string> chain = RandomChain(&random);
    const std::vector<StreamLine> lines = RandomLines(&random, 30 + random.Below(150), 60);
    const std::vector<Outputs> expected = DriveChain(chain, lines, {});
    for (uint64_t variant = 1; variant <= 4; ++variant) {
      DriveOptions options;
      options.workers = static_cast<uint32_t>(1 + variant % 3);
      options.seed = seed * 10 + variant;
      options.longest_turn = variant * variant;
      options.commit = 0.1 * static_cast<double>(variant + 2);
      options.crash = variant == 1 ? 0 : 0.05;
      options.evict = 0.3;
      options.durable = options.any_workers = true;
      const std::string difference = ChainDifference(expected, DriveChain(chain, lines, options));
      CHECK_MESSAGE(difference.empty(), chain[0], chain[1], chain[2], difference);
    }
  }
}

TEST_CASE("chains: windows over records another pipeline selects are windows over the records") {
  for (uint64_t seed = FirstSeed(), end = seed + SeedCount(40); seed < end; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const std::string source = OneOf(&random, kSources);
    const std::string steps = OneOf(&random, kFirst);
    const std::vector<StreamLine> lines = RandomLines(&random, 150, 60);
    const Outputs direct = Drive(Yaml("direct", source, "  - where: v is not null\n" + steps), lines, {});
    DriveOptions options;
    options.seed = seed;
    options.longest_turn = 7;
    options.commit = 0.5;
    options.crash = 0.02;
    options.durable = options.any_workers = true;
    const std::vector<Outputs> chain =
        DriveChain({Yaml("records", source, "  - key: k\n  - select: [v]\n"),
                    Yaml("windows", "{ pipeline: records }", "  - where: v is not null\n" + steps)},
                   lines, options);
    CHECK(Difference(direct.results, chain[1].results) == "");
    CHECK(direct.late.size() == chain[1].late.size());
    CHECK(direct.dead.size() == chain[1].dead.size());
  }
}

TEST_CASE("chains: large windows of small windows are large windows") {
  for (uint64_t seed = FirstSeed(), end = seed + SeedCount(20); seed < end; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const std::string source = "{ mqtt: in, time: { field: t, unit: ms, delay: 60ms } }";
    const std::string of_numbers = "  - where: typeof(v) == 'int'\n  - key: k\n";
    const std::vector<StreamLine> lines = RandomLines(&random, 200, 60);
    std::vector<StreamLine> records;  // punctuations could make some of them late
    for (const StreamLine& line : lines) {
      if (!line.punctuation) records.push_back(line);
    }
    const Outputs direct = Drive(
        Yaml("direct", source, of_numbers + "  - window: { tumbling: 300ms }\n"
                                            "    aggregate: { n: count(), total: sum(v), top: max(v) }\n"),
        records, {});
    DriveOptions options;
    options.seed = seed;
    options.longest_turn = 5;
    options.commit = 0.5;
    options.durable = true;
    const std::vector<Outputs> chain = DriveChain(
        {Yaml("small", source, of_numbers + "  - window: { tumbling: 30ms }\n"
                                            "    aggregate: { n: count(), total: sum(v), top: max(v) }\n"),
         Yaml("large", "{ pipeline: small }",
              "  - key: k\n  - window: { tumbling: 300ms }\n"
              "    aggregate: { n: sum(n), total: sum(total), top: max(top) }\n")},
        records, options);
    CHECK(chain[1].late.empty());
    CHECK(Difference(direct.results, chain[1].results) == "");
  }
}

}  // namespace rivulet
