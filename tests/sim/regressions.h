// Seeds that once showed a bug. They always run. A seed stands for a life only as long as
// scenario.cc and publisher.cc draw the same numbers: whoever changes them looks for new seeds with
// the bug put back.
#pragma once

#include <cstdint>
#include <vector>

namespace rivulet::sim {

struct Regression {
  uint64_t seed;
  const char* what;
};

inline const std::vector<Regression> kRegressions = {
    {14, "two new pipelines opened before a commit got one number, and shared their state"},
    {16, "the same, met when a window pane of the other pipeline was read"},
    {13, "unacknowledged messages were counted again after a restart: the journal had been trimmed "
         "behind them, so that their repetitions were not known"},
    {472, "the same, with another retention"},
    {45, "commits not synced: the journal was trimmed up to the last commit, which a power cut may "
         "take back"},
    {187, "the same, one commit behind"},
    {1907, "the reason of a dead letter depended on the byte behind the payload"},
    {3453, "the same, in another journal frame"},
    {753, "an edit reloaded in the middle of a large close lost the rest of the old windows' results"},
    {788, "the same, more of them"},
    {78, "a reload let the journal be trimmed behind a pipeline that it had yet to take over"},
    {1678, "a sync of the journal failed, the next one passed over what it had left in doubt, and a power "
           "cut took a message that was processed"},
    {1676, "the same, with a disk that forgets what a failed sync was to write"},
    {1882, "the same, another life"},
    {2160, "edited after a failed reload in the middle of a close, whose rest went by the new text"},
    {79, "behind an empty last segment the journal forgot its last receive time, and a clock that was set "
         "back made the next one less"},
    {81, "with a full store, what was cut off a small turn was passed over"},
    {611, "the same, of dead letters"},
    {60, "a retained message was counted once more: its filter was new to a node that died soon and often, "
         "and the journal no longer had its first coming"},
    {440, "the same, as the journal was trimmed before the store knew the filter"},
    {1092, "the same, as a full disk let it be trimmed"},
    {820, "a pipeline and its reader waited for ever for room that the next commit would have made"},
};

}  // namespace rivulet::sim
