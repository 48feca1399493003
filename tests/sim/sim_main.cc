// The simulation's command line: many seeds, one seed with a trace, or one shard of them.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "sim/output_log_life.h"
#include "sim/planted_bugs.h"
#include "sim/regressions.h"
#include "sim/scenario.h"
#include "sim/simulation.h"

namespace rivulet::sim {
namespace {

struct Options {
  uint64_t seeds = 1000;
  uint64_t first = 1;
  uint64_t seed = 0;  // 0: many
  uint64_t shard = 1, shards = 1;
  bool verbose = false;
  bool usage = false;
};

Options ReadOptions(int argc, char** argv) {
  Options options;
  const char* const seeds = std::getenv("RIVULET_SIM_SEEDS");
  if (seeds != nullptr && *seeds != '\0') options.seeds = std::strtoull(seeds, nullptr, 10);
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const char* const value = i + 1 < argc ? argv[i + 1] : "";
    char* rest = nullptr;
    if (name == "--verbose") {
      options.verbose = true;
      continue;
    }
    if (name == "--seeds") {
      options.seeds = std::strtoull(value, nullptr, 10);
    } else if (name == "--first") {
      options.first = std::strtoull(value, nullptr, 10);
    } else if (name == "--seed") {
      options.seed = std::strtoull(value, nullptr, 10);
    } else if (name == "--shard") {
      options.shard = std::strtoull(value, &rest, 10);
      options.shards = *rest == '/' ? std::strtoull(rest + 1, nullptr, 10) : 0;
    } else {
      options.usage = true;
      return options;
    }
    ++i;
  }
  // No seeds would pass for no failures.
  options.usage = options.seeds == 0 || options.shards == 0 || options.shard < 1 ||
                  options.shard > options.shards;
  return options;
}

struct Totals {
  uint64_t runs = 0, failures = 0, steps = 0, starts = 0, power_cuts = 0, results = 0, repeated = 0,
           redeliveries = 0, lost = 0;
};

// Runs one seed and says so when it fails.
bool RunSeed(uint64_t seed, bool verbose, const char* program, Totals* totals) {
  const Scenario scenario = MakeScenario(seed);
  const SimOutcome outcome = Simulation(scenario, verbose).Run();
  ++totals->runs;
  totals->steps += outcome.steps;
  totals->starts += outcome.starts;
  totals->power_cuts += outcome.power_cuts;
  totals->results += outcome.results;
  totals->repeated += outcome.repeated;
  totals->redeliveries += outcome.redeliveries;
  totals->lost += outcome.lost;
  if (verbose) {
    std::printf("fingerprint %016llx\n", static_cast<unsigned long long>(outcome.fingerprint));
  }
  if (outcome.failure.empty()) return true;
  ++totals->failures;
  std::printf("FAILED seed %llu: %s\n  %s\n  replay: %s --seed %llu --verbose\n",
              static_cast<unsigned long long>(seed), outcome.failure.c_str(),
              Describe(scenario).c_str(), program, static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  return false;
}

// The same seed gives the same life.
bool CheckRepeatable(uint64_t seed) {
  const Scenario scenario = MakeScenario(seed);
  const SimOutcome first = Simulation(scenario, false).Run();
  const SimOutcome second = Simulation(scenario, false).Run();
  if (first.fingerprint == second.fingerprint && first.steps == second.steps) return true;
  std::printf("FAILED: seed %llu runs differently the second time\n",
              static_cast<unsigned long long>(seed));
  return false;
}

int Main(int argc, char** argv) {
  const Options options = ReadOptions(argc, argv);
  if (options.usage) {
    std::printf("usage: %s [--seeds N] [--first N] [--shard K/N] | --seed S [--verbose]\n"
                "RIVULET_SIM_SEEDS sets the number of seeds, 1000 by default\n", argv[0]);
    return 2;
  }
  Totals totals;
  if (options.seed != 0) return RunSeed(options.seed, options.verbose, argv[0], &totals) ? 0 : 1;
  const auto start = std::chrono::steady_clock::now();
  bool good = true;
  if (options.shard == 1) {
    for (const Regression& r : kRegressions) {
      if (RunSeed(r.seed, false, argv[0], &totals)) continue;
      good = false;
      std::printf("  a known case: %s\n", r.what);
    }
    good = CheckRepeatable(7) && good;
  }
  if (options.shard == options.shards) {
    good = CheckPlantedBugs() && good;
    for (uint64_t seed = 1; seed <= 20; ++seed) good = CheckOutputLog(seed) && good;
  }
  for (uint64_t seed = options.first; seed < options.first + options.seeds; ++seed) {
    if (seed % options.shards != options.shard - 1) continue;
    good = RunSeed(seed, options.verbose, argv[0], &totals) && good;
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  using Number = unsigned long long;
  std::printf("%llu runs, %llu failed, %.1f s: %llu steps, %llu starts, %llu power cuts, "
              "%llu results, %llu repeated, %llu redeliveries, %llu messages taken back\n",
              Number{totals.runs}, Number{totals.failures}, seconds, Number{totals.steps},
              Number{totals.starts}, Number{totals.power_cuts}, Number{totals.results},
              Number{totals.repeated}, Number{totals.redeliveries}, Number{totals.lost});
  return good ? 0 : 1;
}

}  // namespace
}  // namespace rivulet::sim

int main(int argc, char** argv) { return rivulet::sim::Main(argc, argv); }
