// Pipelines whose time goes on when nothing comes.
#include <iterator>

#include "sim/template.h"

namespace rivulet::sim {
namespace {

constexpr Template kQuiet[] = {
    {R"(
pipeline: stopped
source:
  mqtt: plant/{site}/{sensor}
  fields: { ts: { type: int, required: true }, v: float, n: int, tag: string }
  time: { field: ts, unit: ms, delay: 1s, idle: 2s }
steps:
  - key: sensor
  - window: { tumbling: 5s, lateness: 4s }
    aggregate: { records: count(), mean: avg(v), total: sum(n), tag: last(tag) }
sinks: { mqtt: "out/stopped/1/{sensor}" }
late: { mqtt: late/stopped }
dead_letters: { mqtt: dead/stopped }
)",
     "idle: 2s", "idle: 5s"},
    {R"(
pipeline: gone
source:
  mqtt: cars/{car}
  format: { csv: { columns: [t, speed, n] } }
  fields: { t: { type: int, required: true }, speed: float, n: int }
  time: { field: t, unit: ms, delay: 3s, idle: 4s }
steps:
  - key: car
  - pattern:
      sequence: [{ name: seen }, { not: any, for: 6s }]
      skip: to_next
    select: { speed: seen.speed, n: seen.n }
sinks: { mqtt: "out/gone/1/{car}" }
late: { mqtt: late/gone }
)",
     "for: 6s", "for: 8s"},
    // A key's own clock, turns that are cut, and time that goes on for all.
    {R"(
pipeline: held
source:
  mqtt: plant/{site}/{sensor}
  fields: { ts: { type: int, required: true }, v: float, n: int }
  time: { field: ts, unit: ms, delay: 1s, idle: 3s, per: sensor, hold: 5s }
steps:
  - key: sensor
  - window: { sliding: 9s, every: 3s, lateness: 3s }
    aggregate: { records: count(), first_n: first(n), last_n: last(n) }
sinks: { mqtt: "out/held/1/{sensor}" }
late: { mqtt: late/held }
)",
     "hold: 5s", "hold: 8s"},
    {R"(
pipeline: early
source:
  mqtt: cars/{car}
  format: { csv: { columns: [t, speed, n] } }
  fields: { n: int, speed: float }
  time: { arrival: true, delay: 1s }
steps:
  - key: car
  - window: { tumbling: 10s, emit: every 2s }
    aggregate: { records: count(), total: sum(n) }
sinks: { mqtt: "out/early/1/{car}" }
)",
     "every 2s", "every 3s"},
};

// Detectors whose `for` is over by time alone, one behind the other.
constexpr Template kWarm = {R"(
pipeline: warm
source:
  mqtt: plant/{site}/{sensor}
  fields: { ts: { type: int, required: true }, v: float, n: int, tag: string }
  time: { field: ts, unit: ms, delay: 1s, idle: 2s }
steps:
  - key: sensor
    keep: 40s
  - detect: { name: odd, when: n % 3 != 0, for: 4s }
  - detect: { name: lasting, stuck: odd, for: 5s }
  - select: [odd, odd_since, lasting, lasting_since, v, tag, { at: event_time() }]
sinks: { mqtt: "out/warm/1/{sensor}" }
dead_letters: { mqtt: dead/warm }
)",
                            "for: 4s", "for: 6s"};

// Has no records of its own to wait for, and the other's time.
constexpr Template kBehindStopped = {R"(
pipeline: summed
source: { pipeline: stopped, time: { delay: 1s } }
steps:
  - set: { plant: "'all'" }
  - key: plant
  - window: { tumbling: 10s, lateness: 8s }
    aggregate: { results: count(), total: sum(total) }
sinks: { mqtt: out/summed/1 }
late: { mqtt: late/summed }
)",
                                     "tumbling: 10s", "tumbling: 15s"};

}  // namespace

// Has numbers of its own, and spares the seeds of regressions.h.
void ChooseQuietPipelines(Scenario* s) {
  const uint64_t part = s->seed % 19;
  if (part != 0 && part != 3 && part != 5 && part != 8 && part != 10 && part != 17) return;
  Random random(s->seed * 0x9e3779b97f4a7c15ull + 7);
  const size_t before = s->pipelines.size();
  const bool stopped = random.Chance(0.7);
  for (const Template& one : kQuiet) {
    if (&one == kQuiet ? stopped : random.Chance(0.5)) s->pipelines.push_back(Edited(one));
  }
  if (stopped && random.Chance(0.5)) s->pipelines.push_back(Edited(kBehindStopped));
  if (random.Chance(0.5)) s->pipelines.push_back(Edited(kWarm));
  if (s->pipelines.size() == before) s->pipelines.push_back(Edited(kQuiet[random.Below(std::size(kQuiet))]));
  if (random.Chance(0.4)) s->results_per_step = 1 + random.Below(8);
}

// A clock without a battery, and one that errs.
void ChooseClock(Scenario* s) {
  const uint64_t part = s->seed % 19;
  if (part != 3 && part != 8 && part != 11 && part != 15 && part != 18) return;
  Random random(s->seed * 0x9e3779b97f4a7c15ull + 8);
  s->wall_jump = 0.005 + 0.03 * random.Unit();
  s->clock_known = random.Chance(0.5);
}

}  // namespace rivulet::sim
