// TurnParts: a turn's records in portions, for pipelines with per-key time. There a record may close windows
// itself, with a place among those that W closes; were W to jump in the middle of a turn, all that it closes
// would have to be put out at once, before what later records of the turn cause. So the turn is processed up
// to the jump, windows are closed in steps, and what is left of it is read again. Likewise when single
// records close very many windows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "node/engine/source_task.h"

namespace rivulet {

class TurnParts {
 public:
  static constexpr uint64_t kEnd = std::numeric_limits<uint64_t>::max();

  void Begin(SourceTask* source);

  // W just before the last record of the turn; min() without any.
  int64_t last_watermark() const { return last_watermark_; }

  // Positions in the log: a part holds messages from `begin` to before `end`; kEnd: to the end of the turn.
  struct Part {
    uint64_t begin = 0, end = kEnd;
    int64_t watermark = 0;  // W just before the first record behind it; without meaning at the end
  };
  // The next messages: about `records` records, and none before which W is above `most`. At least one
  // message, so that the turn gets on.
  Part Next(size_t records, int64_t most);

 private:
  struct Place {
    uint64_t offset;      // of a message with records
    size_t records;       // of the turn before it
    int64_t watermark;    // W just before its first and last record
    int64_t last_watermark;
  };
  std::vector<Place> places_;
  size_t next_ = 0;
  uint64_t begin_ = 0;
  int64_t last_watermark_ = std::numeric_limits<int64_t>::min();
};

}  // namespace rivulet
