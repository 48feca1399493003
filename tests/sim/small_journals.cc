// Lives in which much hangs on the journal's end and its beginning: segments of few messages that go as soon
// as they may, syncs that are far apart, acknowledgements that get lost, and power cuts.
#include "base/random.h"
#include "sim/scenario.h"
#include "sim/template.h"

namespace rivulet::sim {

// Has numbers of its own, and spares the seeds of regressions.h: their lives stay what they are.
void ChooseSmallJournal(Scenario* s) {
  const uint64_t part = s->seed % 23;
  if (part != 2 && part != 5 && part != 11 && part != 15 && part != 18) return;
  Random random(s->seed * 0x9e3779b97f4a7c15ull + 9);
  s->segment_bytes = 100 + random.Below(900);
  s->retain_bytes = 0;
  s->retain_age = Duration{};
  s->sync = JournalSync::kInterval;
  s->journal_interval = Duration::Seconds(1 + static_cast<int64_t>(random.Below(20)));
  s->commit_interval = Duration::Millis(static_cast<int64_t>(random.Below(100)));
  s->checkpoint_interval = Duration::Millis(static_cast<int64_t>(random.Below(500)));
  s->link_drop = 0.01 + 0.03 * random.Unit();
  s->power_cut = 0.01 + 0.02 * random.Unit();
  // Results of a text that was taken back are not promised: see ChooseFaults.
  if (!s->commit_sync) s->reload = 0;
}

}  // namespace rivulet::sim
