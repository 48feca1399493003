// What opening a journal does to the files it finds.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "state/journal.h"
#include "state/journal_segment.h"
#include "state/redelivery_filter.h"

namespace rivulet {

struct RecoveredJournal {
  // Ascending; all but the last closed. `sync_failed`: to be written anew before it counts as synced.
  std::vector<std::shared_ptr<JournalSegment>> segments;
  Offset end;
  EventTime last_time;
  // Whether appending goes on in the last segment (with `dictionary`), or needs a new one because
  // entries of it cannot be read, or there is none.
  bool resume = false;
  std::vector<TopicTable::Entry> dictionary;
  EventTime block_time;
};

// Finds the segments of `directory`, cuts a torn tail off the last one, and fills `redeliveries`
// from the last RedeliveryFilter::kIds entries. Reads the last segments whole and only the headers
// of the others. Errors: kIo; kFormatVersion for a journal of another version.
Result<RecoveredJournal> RecoverJournal(FileSystem* files, const std::string& directory,
                                        TopicTable* topics, RedeliveryFilter* redeliveries,
                                        JournalRecovery* recovery);

}  // namespace rivulet
