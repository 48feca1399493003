// Lives with a store that fills up: sinks are away for long, and single messages change many rows.
#include <iterator>

#include "base/random.h"
#include "sim/scenario.h"
#include "sim/template.h"

namespace rivulet::sim {
namespace {

// Each message is many records.
constexpr Template kLists = {R"(
pipeline: lists
source: { mqtt: "lists/{group}", time: { field: e.at, unit: ms, delay: 2s } }
steps:
  - explode: { field: list, as: e }
  - key: [group, e.k]
  - window: { tumbling: 5s, lateness: 1s }
    aggregate: { count: count(), sum: sum(e.v) }
sinks: { mqtt: out/lists }
late: { mqtt: late/lists }
dead_letters: { mqtt: dead/lists }
)",
                             "lateness: 1s", "lateness: 2s"};

}  // namespace

// Has numbers of its own, and spares the seeds of regressions.h: their lives stay what they are.
void ChooseSmallStore(Scenario* s) {
  const uint64_t part = s->seed % 19;
  if (part == 3 || part == 5 || part == 10) LimitStore(s);
}

void LimitStore(Scenario* s) {
  constexpr uint64_t kOutputs[] = {500, 5000, 50'000, 1 << 30};
  constexpr uint64_t kCapacities[] = {100'000, 200'000, 400'000};
  Random random(s->seed * 0x9e3779b97f4a7c15ull + 7);
  s->pipelines.push_back(Edited(kLists));
  s->lists = true;
  s->sink_broker_down = 0.02 + 0.06 * random.Unit();
  s->state_outputs = kOutputs[random.Below(std::size(kOutputs))];
  s->store_capacity = kCapacities[random.Below(std::size(kCapacities))];
}

}  // namespace rivulet::sim
