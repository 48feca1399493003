// Pipelines of several sources: windows over what they have together, and interval joins.
#include <iterator>

#include "sim/template.h"

namespace rivulet::sim {
namespace {

constexpr Template kUnions[] = {
    // Other topics, formats, names and delays; one does not hold the other back for ever.
    {R"(
pipeline: union
source:
  - name: plant
    mqtt: plant/{site}/{who}
    fields: { ts: { type: int, required: true }, v: float, n: int, tag: string }
    time: { field: ts, unit: ms, delay: 1s }
  - name: cars
    mqtt: cars/{car}
    format: { csv: { columns: [t, speed, n] } }
    fields: { t: { type: int, required: true }, speed: float, n: int }
    time: { field: t, unit: ms, delay: 3s, idle: 4s }
    set:
      who: replace(car, 'c', 's')
      v: speed / 2
    where: v > -10
steps:
  - key: who
  - window: { tumbling: 5s, lateness: 4s }
    aggregate:
      { records: count(), total: sum(n), mean: avg(v), fast: max(v) where source = 'cars', tag: last(tag) }
sinks:
  - mqtt: out/union/1/{who}
  - mqtt: out/union/2
    retain: true
late: { mqtt: late/union }
dead_letters: { mqtt: dead/union }
)",
     "idle: 4s", "idle: 2s"},
    // One source is mostly silent, one goes by the time of arrival; an edit drops the windows, not the time.
    {R"(
pipeline: threefold
source:
  - name: extra
    mqtt: plant/+/extra/{who}
    fields: { ts: { type: int, required: true }, n: int }
    time: { field: ts, unit: ms, delay: 8s, idle: 2s }
  - name: cars
    mqtt: cars/{who}
    format: { csv: { columns: [t, speed, n] } }
    fields: { t: { type: int, required: true }, speed: float, n: int }
    time: { field: t, unit: ms, delay: 2s, idle: 10s }
  - name: plant
    mqtt: plant/{site}/{who}
    fields: { n: int }
    time: { arrival: true, delay: 1s }
steps:
  - set: { part: n % 3 }
  - key: part
  - dedup: { by: [source, n], within: 5s }
  - window: { session: 3s, lateness: 2s }
    aggregate: { records: count(), from: first(source), to: last(source), total: sum(n) }
sinks: { mqtt: "out/threefold/1/{part}" }
late: { mqtt: late/threefold }
dead_letters: { mqtt: dead/threefold }
)",
     "session: 3s", "session: 4s"},
    // Records of one are rows for those of both.
    {R"(
pipeline: looked-up
source:
  - name: plant
    mqtt: plant/{site}/{who}
    fields: { ts: { type: int, required: true }, n: int }
    time: { field: ts, unit: ms, delay: 1s }
  - name: cars
    mqtt: cars/{car}
    format: { csv: { columns: [t, speed, n] } }
    fields: { t: { type: int, required: true }, speed: float, n: int }
    time: { field: t, unit: ms, delay: 1s, idle: 20s }
    set:
      who: replace(car, 'c', 's')
tables:
  tags:
    mqtt: plant/{site}/{sensor}
    key: sensor
    fields: { ts: int, tag: string }
    valid_from: ts
    keep: 10s
steps:
  - join: { table: tags, on: { sensor: who }, take: tag, type: left }
  - key: tag
  - window: { sliding: 8s, every: 4s, lateness: 3s }
    aggregate: { records: count(), total: sum(n), cars: count(speed) }
sinks: { mqtt: "out/looked-up/1" }
late: { mqtt: late/looked-up }
dead_letters: { mqtt: dead/looked-up }
)",
     "type: left", "type: inner"},
};

constexpr Template kJoins[] = {
    {R"(
pipeline: pairs
source:
  - name: plant
    mqtt: plant/{site}/{who}
    fields: { ts: { type: int, required: true }, v: float, n: int, tag: string }
    time: { field: ts, unit: ms, delay: 4s, idle: 10s }
  - name: cars
    mqtt: cars/{car}
    format: { csv: { columns: [t, speed, n] } }
    fields: { t: { type: int, required: true }, speed: float, n: int }
    time: { field: t, unit: ms, delay: 5s, idle: 10s }
    set:
      who: replace(car, 'c', 's')
steps:
  - join: { left: plant, right: cars, on: who, within: 2s }
  - select: [{ number: plant.n }, { speed: cars.speed }, { tag: plant.tag }]
  - where: number % 5 > 0
sinks: { mqtt: "out/pairs/1/{who}" }
late: { mqtt: late/pairs }
dead_letters: { mqtt: dead/pairs }
)",
     "within: 2s", "within: [-1s, 3s]"},
    {R"(
pipeline: trailing
source:
  - name: plant
    mqtt: plant/{site}/{who}
    fields: { ts: { type: int, required: true }, v: float, n: int, tag: string }
    time: { field: ts, unit: ms, delay: 8s }
  - name: cars
    mqtt: cars/{car}
    format: { csv: { columns: [t, speed, n] } }
    fields: { t: { type: int, required: true }, speed: float, n: int }
    time: { field: t, unit: ms, delay: 6s, idle: 5s }
    set:
      who: replace(car, 'c', 's')
    where: speed > 0
steps:
  - set: { part: n % 2 }
  - join: { left: cars, right: plant, on: [who, part], within: [500ms, 6s], type: left }
  - select: [cars.n, { gain: plant.v - cars.speed }, plant.tag]
  - set: { high: gain > 20 }
sinks: { mqtt: "out/trailing/1/{who}" }
late: { mqtt: late/trailing }
dead_letters: { mqtt: dead/trailing }
)",
     "gain > 20", "gain > 30"},
    // Small times, so that records go without a partner, some of them at once.
    {R"(
pipeline: both
source:
  - name: plant
    mqtt: plant/{site}/{who}
    fields: { ts: { type: int, required: true }, v: float, n: int, tag: string }
    time: { field: ts, unit: ms, delay: 1s, idle: 3s }
  - name: cars
    mqtt: cars/{car}
    format: { csv: { columns: [t, speed, n] } }
    fields: { t: { type: int, required: true }, speed: float, n: int }
    time: { field: t, unit: ms, delay: 1s, idle: 3s }
    set:
      who: replace(car, 'c', 's')
steps:
  - key: who
  - where: n % 7 > 0
  - join: { left: plant, right: cars, within: [-3s, -200ms], type: full }
  - select: [plant.n, cars.n, { speed: 'coalesce(cars.speed, plant.v)' }]
sinks: { mqtt: "out/both/1/{who}" }
late: { mqtt: late/both }
dead_letters: { mqtt: dead/both }
)",
     "type: full", "type: left"},
};

// Reads what `pairs` puts out.
constexpr Template kBehindPairs = {R"(
pipeline: paired
source: { pipeline: pairs, time: { delay: 2s } }
steps:
  - key: who
  - window: { tumbling: 6s, lateness: 2s }
    aggregate: { pairs: count(), least: min(number), speed: avg(speed), tag: last(tag) }
sinks: { mqtt: "out/paired/1/{who}" }
late: { mqtt: late/paired }
)",
                                   "tumbling: 6s", "tumbling: 4s"};

}  // namespace

// Has numbers of its own, and spares the seeds of regressions.h.
void ChooseSourcePipelines(Scenario* s) {
  const uint64_t part = s->seed % 17;
  if (part != 1 && part != 4 && part != 7 && part != 8 && part != 12) return;
  Random random(s->seed * 0x9e3779b97f4a7c15ull + 6);
  const size_t before = s->pipelines.size();
  for (const Template& one : kUnions) {
    if (random.Chance(0.4)) s->pipelines.push_back(Edited(one));
  }
  const bool pairs = random.Chance(0.5);
  for (const Template& one : kJoins) {
    if (&one == kJoins ? pairs : random.Chance(0.5)) s->pipelines.push_back(Edited(one));
  }
  if (pairs && random.Chance(0.4)) s->pipelines.push_back(Edited(kBehindPairs));
  if (s->pipelines.size() == before) s->pipelines.push_back(Edited(kJoins[random.Below(std::size(kJoins))]));
  // Expired records go in many small steps.
  if (random.Chance(0.5)) s->results_per_step = 1 + random.Below(8);
}

}  // namespace rivulet::sim
