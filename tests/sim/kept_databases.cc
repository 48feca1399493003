// Pipelines with SQLite sinks: rows that revisions replace, rows that stay, beside a broker's results.
#include <iterator>

#include "base/random.h"
#include "sim/template.h"

namespace rivulet::sim {
namespace {

constexpr Template kDatabaseTemplates[] = {
    {R"(
pipeline: rows
source:
  mqtt: plant/{site}/{sensor}
  fields: { ts: { type: int, required: true }, v: float, n: int, tag: string }
  time: { field: ts, unit: ms, delay: 1s }
steps:
  - key: sensor
  - window: { tumbling: 4s, lateness: 3s }
    aggregate: { records: count(), mean: avg(v), total: sum(n), tag: last(tag) }
sinks: [ { sqlite: DATABASES/rows.db }, { mqtt: "out/rows/1/{sensor}" } ]
late: { mqtt: late/rows }
)",
     "lateness: 3s", "lateness: 6s"},
    {R"(
pipeline: drives
source:
  mqtt: cars/{car}
  format: { csv: { columns: [t, speed, n] } }
  fields: { t: { type: int, required: true }, speed: float, n: int }
  time: { field: t, unit: ms, delay: 3s }
steps:
  - key: car
  - window: { session: 3s, lateness: 4s }
    aggregate: { records: count(), top: max(speed), total: sum(n) }
sinks: { sqlite: DATABASES/rows.db, revisions: keep }
late: { mqtt: late/drives }
)",
     "top: max(speed)", "top: max(speed), low: min(speed)"},
};

}  // namespace

void AddDatabasePipelines(Scenario* s) {
  for (const Template& one : kDatabaseTemplates) s->pipelines.push_back(Edited(one));
}

// Has numbers of its own, and spares the seeds of regressions.h: their lives stay what they are.
void ChooseDatabasePipelines(Scenario* s) {
  const uint64_t part = s->seed % 29;
  if (part != 0 && part != 4 && part != 9 && part != 12 && part != 19 && part != 27) return;
  Random random(s->seed * 0x9e3779b97f4a7c15ull + 10);
  const size_t one = random.Below(std::size(kDatabaseTemplates));
  s->pipelines.push_back(Edited(kDatabaseTemplates[one]));
  if (random.Chance(0.4)) s->pipelines.push_back(Edited(kDatabaseTemplates[1 - one]));
}

}  // namespace rivulet::sim
