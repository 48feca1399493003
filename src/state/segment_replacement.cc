#include "state/segment_replacement.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "state/journal_format.h"
#include "state/journal_segment.h"

namespace rivulet {
namespace {

constexpr size_t kBlock = 256 << 10;

Status Copy(FileSystem* files, const std::string& from, uint64_t bytes, AppendFile* to) {
  RIVULET_ASSIGN_OR_RETURN(const std::unique_ptr<ReadFile> file, files->OpenRead(from));
  std::vector<char> block(static_cast<size_t>(std::min<uint64_t>(kBlock, bytes)));
  for (uint64_t done = 0; done < bytes;) {
    const auto n = static_cast<size_t>(std::min<uint64_t>(block.size(), bytes - done));
    RIVULET_ASSIGN_OR_RETURN(const size_t got, file->Read(done, n, block.data()));
    if (got < n) {
      return Status(ErrorCode::kCorrupt, "'" + from + "' ends at byte " +
                                             std::to_string(done + got) + ", expected " +
                                             std::to_string(bytes));
    }
    RIVULET_RETURN_IF_ERROR(to->Append({block.data(), n}));
    done += n;
  }
  return Status::Ok();
}

// What is checked are the bytes of the copy: those that will count.
Status Check(FileSystem* files, TopicTable* topics, const std::string& path, Offset first_offset,
             uint64_t bytes, Offset certain) {
  SegmentScanner scanner(topics);
  RIVULET_RETURN_IF_ERROR(scanner.Open(files, path, first_offset));
  for (;;) {
    ScannedEntry entry;
    switch (scanner.Next(bytes, &entry)) {
      case SegmentScanner::Step::kEntry:
        break;
      case SegmentScanner::Step::kNeedData:
        RIVULET_RETURN_IF_ERROR(scanner.Refill(bytes));
        break;
      case SegmentScanner::Step::kEnd:
        return Status::Ok();
      case SegmentScanner::Step::kDamaged:
        if (scanner.next_offset() < certain) {
          const uint64_t lost_from = scanner.next_offset().value;
          Offset beyond;
          RIVULET_ASSIGN_OR_RETURN(const FoundFrame::Kind found, scanner.Resume(bytes, &beyond));
          // Readers get no further than this either.
          if (found != FoundFrame::Kind::kFrame) return Status::Ok();
          if (scanner.next_offset() <= certain && lost_from < certain.value) break;
        }
        return Status(ErrorCode::kCorrupt,
                      "a sync of the journal failed, and entry " +
                          std::to_string(scanner.next_offset().value) +
                          ", which it was to make durable, reads back damaged (byte " +
                          std::to_string(scanner.position()) + " of '" + path +
                          "'); the medium is failing: replace it");
    }
  }
}

Status WriteCopy(FileSystem* files, TopicTable* topics, const std::string& path,
                 Offset first_offset, uint64_t bytes, Offset certain) {
  const std::string copy = ReplacementOf(path);
  RIVULET_ASSIGN_OR_RETURN(std::unique_ptr<AppendFile> file, files->OpenAppend(copy, 0));
  if (file->size() > 0) {
    // Cut rather than removed: a crash now must still find that the segment is in doubt.
    RIVULET_RETURN_IF_ERROR(files->Truncate(copy, 0));
    RIVULET_ASSIGN_OR_RETURN(file, files->OpenAppend(copy, 0));
  }
  RIVULET_RETURN_IF_ERROR(Copy(files, path, bytes, file.get()));
  RIVULET_RETURN_IF_ERROR(Check(files, topics, copy, first_offset, bytes, certain));
  return file->Sync();
}

}  // namespace

Status NoteFailedSync(FileSystem* files, const std::string& path) {
  return files->OpenAppend(ReplacementOf(path), 0).status();
}

Status ReplaceSegment(FileSystem* files, TopicTable* topics, const std::string& path,
                      Offset first_offset, uint64_t bytes, Offset certain) {
  const Status status = WriteCopy(files, topics, path, first_offset, bytes, certain);
  if (status.ok()) return files->Rename(ReplacementOf(path), path);
  // A full disk gets its room back; the empty file still says what it has to say.
  (void)files->Truncate(ReplacementOf(path), 0);
  return status;
}

}  // namespace rivulet
