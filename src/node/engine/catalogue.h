// Catalogue: what the store knows of a pipeline from before: its id, and in which form its windows' state
// was written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "node/engine/log_id.h"
#include "node/plan/pipeline_plan.h"
#include "operators/state/fire_point.h"
#include "operators/time/channel_watermarks.h"
#include "state/delta.h"
#include "state/store.h"

namespace rivulet {

struct CatalogueEntry {
  uint16_t id = 0;
  uint8_t generation = 0;             // of the window state; grows when key or window change
  std::string signature;              // PipelinePlan::StateSignature
  std::vector<std::string> layouts;   // PaneLayouts::descriptions
};

// Finds the pipeline's entry, or makes one. When key or window differ from the stored ones, old state cannot
// be used: the entry gets a new generation and the old rows' deletion is put into `*changes`, as is the entry
// itself when it is new or different. Errors: kCorrupt, kIo.
Result<CatalogueEntry> OpenCatalogueEntry(const Store& store, const PipelinePlan& plan,
                                          Delta* changes);

// How far a pipeline had got with its last commit.
struct Position {
  // How far a log is read.
  struct Cursor {
    LogId log;
    Offset next;
  };
  std::vector<Cursor> cursors;
  int64_t watermark = 0;
  FirePoint fired;                    // windows closed so far; behind the watermark in a large close
  std::vector<uint64_t> sequences;    // next output sequence, by channel
  std::vector<ChannelState> inputs;   // see SourceTask::channels
  ListeningState listening;           // likewise

  std::string Encode() const;
  static Result<Position> Decode(std::string_view bytes);
};

}  // namespace rivulet
