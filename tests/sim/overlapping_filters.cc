// Pipelines whose filters overlap, and brokers that make something of it.
#include "sim/template.h"

#include "base/random.h"

namespace rivulet::sim {
namespace {

// Filters that overlap with those of others without covering them, and what the broker has retained. Has
// numbers of its own, like ChoosePerKeyPipelines.
constexpr Template kOverlapping = {R"(
pipeline: north
source:
  mqtt: plant/north/#
  fields: { ts: { type: int, required: true }, v: float, n: int, tag: string }
  time: { field: ts, unit: ms, delay: 1s }
steps:
  - key: tag
  - window: { tumbling: 6s, lateness: 2s }
    aggregate: { records: count(), total: sum(n) }
sinks: { mqtt: out/north/1 }
late: { mqtt: late/north }
)",
                                   "total: sum(n)", "total: sum(n), top: max(v)"};

}  // namespace

void ChooseOverlaps(Scenario* s) {
  const uint64_t part = s->seed % 17;
  if (part != 4 && part != 7 && part != 9 && part != 15) return;
  Random random(s->seed * 0x9e3779b97f4a7c15ull + 6);
  s->copies = random.Chance(0.7);
  if (random.Chance(0.7)) s->pipelines.push_back(Edited(kOverlapping));
  s->retained = random.Below(12);
}

}  // namespace rivulet::sim
