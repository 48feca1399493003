#include "sim/journal_scan.h"

#include "state/journal_segment.h"

namespace rivulet::sim {
namespace {

Status ScanSegment(FileSystem* files, const std::string& path, Offset first,
                   JournalContent* content) {
  TopicTable topics;
  SegmentScanner scanner(&topics);
  RIVULET_RETURN_IF_ERROR(scanner.Open(files, path, first));
  RIVULET_ASSIGN_OR_RETURN(const uint64_t size, files->FileSize(path));
  for (;;) {
    ScannedEntry entry;
    switch (scanner.Next(size, &entry)) {
      case SegmentScanner::Step::kEntry:
        (*content)[entry.offset.value] = {std::string(entry.topic.name), std::string(entry.payload),
                                          entry.received.us, entry.packet_id, entry.assumed,
                                          entry.resumes};
        break;
      case SegmentScanner::Step::kNeedData:
        RIVULET_RETURN_IF_ERROR(scanner.Refill(size));
        break;
      default:
        return Status::Ok();
    }
  }
}

}  // namespace

Result<JournalContent> ScanJournal(FileSystem* files, const std::string& directory, uint64_t from) {
  JournalContent content;
  const Result<std::vector<std::string>> names = files->List(directory);
  if (names.status().code() == ErrorCode::kNotFound) return content;
  RIVULET_RETURN_IF_ERROR(names.status());
  std::map<uint64_t, std::string> segments;
  for (const std::string& name : *names) {
    if (const std::optional<Offset> first = ParseSegmentName(name)) segments[first->value] = name;
  }
  auto segment = segments.upper_bound(from);
  if (segment != segments.begin()) --segment;
  for (; segment != segments.end(); ++segment) {
    RIVULET_RETURN_IF_ERROR(
        ScanSegment(files, directory + "/" + segment->second, Offset{segment->first}, &content));
  }
  return content;
}

}  // namespace rivulet::sim
