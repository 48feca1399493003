// The reading side of a journal.
#pragma once

#include <cstdint>
#include <memory>

#include "state/journal.h"
#include "state/journal_segment.h"

namespace rivulet {

// What a reader needs from its journal when a segment is done. Thread-safe.
class JournalSegmentSource {
 public:
  virtual ~JournalSegmentSource() = default;
  // The first retained segment behind `segment`; null when there is none.
  virtual std::shared_ptr<JournalSegment> SegmentAfter(const JournalSegment& segment) = 0;
  // Makes sure that nothing more is appended to a segment that cannot be read on: ok when it is
  // closed and a later one exists. Errors: kDiskFull, kIo.
  virtual Status CloseDamaged(const JournalSegment& segment) = 0;
  // Entries of [from, to) cannot be read.
  virtual void FoundDamaged(Offset from, Offset to) = 0;
};

// Starts at `from`, which lies in `segment` or between it and the next.
std::unique_ptr<Journal::Reader> NewJournalReader(FileSystem* files, TopicTable* topics,
                                                  JournalSegmentSource* source,
                                                  std::shared_ptr<JournalSegment> segment,
                                                  Offset from);

}  // namespace rivulet
