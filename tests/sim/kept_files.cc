// Pipelines with file sinks, on the same simulated disk as the journal: results beside a broker's and
// alone, late records and dead letters.
#include <iterator>

#include "base/random.h"
#include "sim/template.h"

namespace rivulet::sim {
namespace {

constexpr Template kFileTemplates[] = {
    {R"(
pipeline: kept
source:
  mqtt: plant/{site}/{sensor}
  fields: { ts: { type: int, required: true }, v: float, n: int, tag: string }
  time: { field: ts, unit: ms, delay: 1s }
steps:
  - key: sensor
  - window: { tumbling: 4s, lateness: 3s }
    aggregate: { records: count(), mean: avg(v), total: sum(n), tag: last(tag) }
sinks: [ { mqtt: "out/kept/1/{sensor}" }, { file: kept.ndjson } ]
late: { file: kept-late.ndjson }
dead_letters: [ { file: kept-dead.ndjson }, { mqtt: dead/kept } ]
)",
     "lateness: 3s", "lateness: 6s"},
    {R"(
pipeline: filed
source:
  mqtt: cars/{car}
  format: { csv: { columns: [t, speed, n] } }
  fields: { t: { type: int, required: true }, speed: float, n: int }
  time: { field: t, unit: ms, delay: 3s }
steps:
  - key: car
  - window: { session: 3s, lateness: 4s }
    aggregate: { records: count(), top: max(speed), total: sum(n) }
sinks: { file: filed.ndjson }
dead_letters: { file: filed-dead.ndjson }
)",
     "top: max(speed)", "top: max(speed), low: min(speed)"},
};

}  // namespace

void AddFilePipelines(Scenario* s) {
  for (const Template& one : kFileTemplates) s->pipelines.push_back(Edited(one));
}

// Has numbers of its own, and spares the seeds of regressions.h: their lives stay what they are.
void ChooseFilePipelines(Scenario* s) {
  const uint64_t part = s->seed % 17;
  if (part != 4 && part != 7 && part != 8 && part != 9 && part != 15) return;
  Random random(s->seed * 0x9e3779b97f4a7c15ull + 6);
  const size_t one = random.Below(std::size(kFileTemplates));
  s->pipelines.push_back(Edited(kFileTemplates[one]));
  if (random.Chance(0.4)) s->pipelines.push_back(Edited(kFileTemplates[1 - one]));
}

}  // namespace rivulet::sim
