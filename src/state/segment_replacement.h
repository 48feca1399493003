// Writing a journal's segment anew after a sync of it failed. journal_format.h says why and how.
#pragma once

#include <string>

#include "base/status.h"
#include "base/types.h"
#include "state/file.h"
#include "state/topic_table.h"

namespace rivulet {

// Notes beside the segment at `path` that a sync of it failed, for whoever opens the journal after a
// crash. Lives as long as the kernel's memory of the file does: after a power cut the medium is all
// there is, and nothing in doubt. Errors: kDiskFull, kIo.
Status NoteFailedSync(FileSystem* files, const std::string& path);

// Copies the first `bytes` of the segment at `path`, whose first entry is `first_offset`, syncs the
// copy and gives it the segment's name, which is for certain once the directory is synced. The
// segment must not grow meanwhile. Damage to entries before `certain` is copied as it is: they were
// on the medium, or recovery has judged them. On an error the segment is as it was, and this can be
// tried again. Errors: kDiskFull, kIo; kCorrupt when an entry from `certain` on cannot be read back.
Status ReplaceSegment(FileSystem* files, TopicTable* topics, const std::string& path,
                      Offset first_offset, uint64_t bytes, Offset certain);

}  // namespace rivulet
