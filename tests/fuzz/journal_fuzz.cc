// Segment files that nobody wrote: opening must cut or skip what is damaged, reading must give
// entries in order, and the journal must go on from there.
//
// Input: a byte that chooses (2 added: a sync of the first segment had failed), then
//   even: the contents of one segment file as they are
//   odd:  segments with right checksums and any contents: the first offset, previous end and
//         previous time (8 bytes each), then chunks, each a frame without its checksum; an empty
//         chunk starts the next segment, as many offsets further as the byte behind it says
#include <memory>
#include <string>
#include <vector>

#include "base/coding.h"
#include "base/hash.h"
#include "sim/sim_file_system.h"
#include "state/journal.h"
#include "state/journal_format.h"
#include "tests/fuzz/fuzz_target.h"

namespace rivulet {
namespace {

using fuzz::Require;

constexpr char kDirectory[] = "lane";

// What journal_format.h calls EntryChecksum, put in front of `frame`.
std::string Seal(std::string_view frame, uint64_t offset) {
  std::string sealed;
  PutFixed(&sealed, static_cast<uint32_t>(Hash64(frame)) ^
                        (static_cast<uint32_t>(offset) * 0x9e3779b1u));
  return sealed.append(frame);
}

// If the checksum ever changes, Seal must follow, or this target tests nothing.
void CheckSeal() {
  std::string whole;
  EntryFrame entry;
  entry.topic = "t";
  EncodeEntry(entry, Offset{7}, &whole);
  Require(Seal(std::string_view(whole).substr(4), 7) == whole, "the checksum is the journal's");
}

void WriteSegments(fuzz::Input* input, sim::SimFileSystem* files) {
  SegmentHeader header;
  header.version = kFirstJournalVersion;
  // Below 2^61: a journal takes no segment from 2^62 on, and those that follow must stay below that.
  header.first_offset.value = input->Number() >> 3;
  header.previous_end.value = input->Number();
  header.previous_time.us = static_cast<int64_t>(input->Number());
  uint64_t offset = header.first_offset.value;
  std::string bytes = EncodeSegmentHeader(header);
  const auto write = [&] {
    files->SetContents(std::string(kDirectory) + "/" + SegmentName(header.first_offset), bytes);
  };
  while (!input->empty()) {
    const std::string_view frame = input->Chunk();
    if (!frame.empty()) {
      bytes += Seal(frame, offset++);
      continue;
    }
    write();
    header.previous_end.value = offset;
    offset += input->Byte();
    header.first_offset.value = offset;
    bytes = EncodeSegmentHeader(header);
  }
  write();
}

std::vector<std::string> ReadAll(Journal* journal) {
  auto reader = journal->NewReader(journal->begin());
  fuzz::RequireOk(reader.status(), "the first retained offset can be read");
  std::vector<std::string> read;
  std::vector<JournalEntry> entries;
  uint64_t next = journal->begin().value;
  for (;;) {
    const Status status = (*reader)->Read(5, 64 << 10, &entries);
    fuzz::RequireOk(status, "damage is skipped");
    if (entries.empty()) break;
    for (const JournalEntry& e : entries) {
      Require(e.offset.value >= next && e.offset < journal->end(), "offsets ascend to the end");
      next = e.offset.value + 1;
      std::string text = std::to_string(e.offset.value) + " " + std::to_string(e.received.us) +
                         " " + std::to_string(e.packet_id) + " ";
      text.append(e.topic).append(" ").append(e.payload);
      read.push_back(std::move(text));
    }
  }
  Require((*reader)->position() == journal->end(), "a reader arrives at the end");
  return read;
}

std::unique_ptr<Journal> Open(sim::SimFileSystem* files) {
  JournalOptions options;
  options.directory = kDirectory;
  JournalRecovery recovery;
  Result<std::unique_ptr<Journal>> journal = Journal::Open(files, options, &recovery);
  if (journal.ok()) return std::move(journal).value();
  Require(journal.status().code() == ErrorCode::kFormatVersion, "only another version is refused");
  return nullptr;
}

void GoOn(sim::SimFileSystem* files) {
  std::vector<std::string> read;
  {
    const std::unique_ptr<Journal> journal = Open(files);
    if (journal == nullptr) return;
    read = ReadAll(journal.get());
    for (int i = 0; i < 3; ++i) {
      bool dropped = true;
      const Status status =
          journal->Append("a/b", "payload", EventTime{i}, static_cast<uint16_t>(i), false, &dropped);
      fuzz::RequireOk(status, "a recovered journal takes messages");
      Require(!dropped, "what is new is not dropped");
    }
    const std::vector<std::string> more = ReadAll(journal.get());
    Require(more.size() == read.size() + 3, "what was appended is read, and what was there stays");
    Require(std::equal(read.begin(), read.end(), more.begin()), "what was there stays the same");
    read = more;
  }
  const std::unique_ptr<Journal> again = Open(files);
  Require(again != nullptr && ReadAll(again.get()) == read, "opened again, it reads the same");
}

}  // namespace
}  // namespace rivulet

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rivulet;
  CheckSeal();
  fuzz::Input input(data, size);
  sim::SimFileSystem files;
  if (!files.CreateDirectories(kDirectory).ok()) return 0;
  const uint8_t choice = input.Byte();
  if ((choice & 1) == 0) {
    files.SetContents(std::string(kDirectory) + "/" + SegmentName(Offset{0}),
                      std::string(input.Rest()));
  } else {
    WriteSegments(&input, &files);
  }
  if ((choice & 2) != 0) {
    const std::string first = files.List(kDirectory).value().front();
    files.SetContents(ReplacementOf(std::string(kDirectory) + "/" + first), "anything");
  }
  GoOn(&files);
  return 0;
}
