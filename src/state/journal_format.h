// The journal's format on disk, once for writer and reader. All fixed-width numbers are little
// endian; varints and zigzag as in base/coding.h.
//
// A journal is a directory of segments. A segment is named by the offset of its first entry, 20
// decimal digits and ".rvj", and never changes once a later one exists.
//
// A file with ".new" behind a segment's name says that a sync of that segment failed. The kernel may
// then have marked pages as written that are not on the medium, and call the next sync a success
// without writing them. So the segment is copied, byte for byte, into the file with ".new", which
// is synced and then takes the segment's name. It is created as soon as the sync has failed, and its
// contents are never read as entries: a process that finds it, whatever came in between, copies
// the segment anew before it trusts a sync. No two segments ever hold the same offset.
//
//   segment := header entry*
//   header  := magic            8 bytes   "RVLTJRNL"
//              version          4 bytes   2; 1 in version 0.1
//              first_offset     8 bytes   as in the name
//              previous_end     8 bytes   offset behind the last entry written before this segment.
//                                         Smaller than first_offset where offsets were skipped on
//                                         purpose; larger than the end of the segment before where
//                                         entries were lost
//              previous_time    8 bytes   receive time (us) of the last entry before; 0 if none
//              checksum         4 bytes   low half of Hash64 over the bytes above
//   entry   := checksum         4 bytes   EntryChecksum over all that follows, and the offset
//              length           varint    bytes behind this field; at least 3
//              topic            varint    0: spelled out below; n > 0: n-th topic of the segment
//              time             zigzag    receive time (us), less that of the first entry of its block;
//                                         less 0 for the first one. A block is kTimeBlock entries,
//                                         counted from the segment's first. (Version 1: less that of
//                                         the entry before; less 0 for the first entry of a segment)
//              packet           varint    MQTT packet id, 0..65535; kAssumedTime is added where the node
//                                         did not know the date, kResumes where listening began anew
//              [topic_length    varint    only when topic is 0: the name. The first
//               topic_name      bytes]    kMaxSegmentTopics names of a segment get the next number
//              payload          bytes     the rest of length
//
// An entry with an empty topic and no payload is no message but a tick: it says that up to its receive time
// nothing else came. MQTT has no empty topics, and no version before ticks wrote one. Receive times never
// fall along a journal, and between two entries as much time has passed as they say, all of it listening to
// the broker, except before a tick with kResumes.
//
// Offsets are not stored: an entry's offset is its segment's first offset plus its index. The
// checksum depends on the offset, so that an old entry in a reused disk block never passes for a
// new one, and, except in version 1, on how many names the segment had numbered before it. So where a
// frame is damaged, the next one that is sound tells by its checksum how many entries and how many names
// were lost between, and what follows is read on: what is lost is the damaged entry, and those that would
// need something of it (its block's first time, a name it spelled out). For a 125-byte payload the frame
// costs 10 to 14 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/types.h"

namespace rivulet {

inline constexpr uint32_t kJournalVersion = 2;
inline constexpr uint32_t kFirstJournalVersion = 1;
inline constexpr uint64_t kTimeBlock = 16;
inline constexpr size_t kSegmentHeaderSize = 40;
// Names beyond these are spelled out each time: bounds what reader and writer keep in memory.
inline constexpr uint32_t kMaxSegmentTopics = 1u << 16;
// MQTT's largest packet, with room for our own fields.
inline constexpr uint64_t kMaxEntryLength = (256ull << 20) + 1024;
inline constexpr uint64_t kMinEntryLength = 3;
// Checksum, one byte of length, shortest body.
inline constexpr size_t kMinFrameSize = 4 + 1 + kMinEntryLength;

// Bits of an entry's packet field above the packet id.
inline constexpr uint32_t kAssumedTime = 1u << 16;
inline constexpr uint32_t kResumes = 1u << 17;

struct SegmentHeader {
  Offset first_offset;
  Offset previous_end;
  EventTime previous_time;
  uint32_t version = kJournalVersion;
};

enum class HeaderState : uint8_t { kValid, kDamaged, kOtherVersion };

// "00000000000000000042.rvj"
std::string SegmentName(Offset first_offset);
// The offset, or nothing when `name` is not exactly a segment's name.
std::optional<Offset> ParseSegmentName(std::string_view name);

// What is put behind a segment's name, or path, for the file that is to replace it.
inline constexpr std::string_view kReplacementSuffix = ".new";
std::string ReplacementOf(const std::string& segment);

std::string EncodeSegmentHeader(const SegmentHeader& header);
// kOtherVersion when magic and checksum are right but the version is not one of ours. Of a damaged header
// only the version is set, to what it most likely is.
HeaderState DecodeSegmentHeader(std::string_view bytes, SegmentHeader* header);

// One entry's fields as they stand in the frame.
struct EntryFrame {
  uint32_t topic_number = 0;   // 0: `topic` is spelled out
  int64_t time_delta = 0;
  uint16_t packet_id = 0;
  bool assumed = false;        // kAssumedTime
  bool resumes = false;        // kResumes
  std::string_view topic;      // only with topic_number 0
  std::string_view payload;
  size_t size = 0;             // bytes of the whole frame; set by DecodeEntry
};

// Replaces `*out` with the frame of the entry at `offset`. `names`: how many are numbered before it; 0 in
// segments of version 1.
void EncodeEntry(const EntryFrame& entry, Offset offset, std::string* out, uint32_t names = 0);

enum class FrameState : uint8_t { kValid, kIncomplete, kDamaged };

// Reads the frame at the start of `bytes`, which must be the entry at `offset`. kIncomplete: more
// bytes are needed, `entry->size` of them in all (a lower bound where the length itself is cut).
// The views point into `bytes`.
FrameState DecodeEntry(std::string_view bytes, Offset offset, EntryFrame* entry,
                       uint32_t names = 0);

// The first sound frame behind a damaged place.
struct FoundFrame {
  enum class Kind : uint8_t {
    kNone,     // there is none: the damage is the torn end of an append
    kFrame,
    kUnknown,  // too much to search
  };
  Kind kind = Kind::kNone;
  size_t position = 0;  // of its first byte
  Offset offset;
  uint32_t names = 0;   // numbered before it
};

// Looks for it in `bytes`, whose first byte is where the frame of the entry at `offset` should have been, in
// a segment that has numbered `names` names up to there. `to_end`: no more bytes follow. `*budget`: bytes
// that may still be hashed.
FoundFrame FindFrame(std::string_view bytes, bool to_end, Offset offset, uint32_t names,
                     uint32_t version, size_t* budget);

// What all searches in a segment may cost: random bytes can look like long frames, and hashing them all
// would be quadratic.
inline constexpr size_t kSearchBudget = 256 << 20;

}  // namespace rivulet
