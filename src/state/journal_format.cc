#include "state/journal_format.h"

#include <algorithm>
#include <cstdio>

#include "base/coding.h"
#include "base/hash.h"

namespace rivulet {
namespace {

constexpr std::string_view kMagic = "RVLTJRNL";
constexpr std::string_view kSuffix = ".rvj";
constexpr size_t kNameDigits = 20;
constexpr size_t kChecksumSize = 4;

// Odd, so that multiplying by it maps 32-bit numbers one to one: the checksum of the same bytes
// differs at any two offsets less than 2^32 apart, and a checksum tells the offset it was made for.
constexpr uint32_t kOffsetFactor = 0x9e3779b1u;
constexpr uint32_t kNamesFactor = 0x85ebca6bu;
// So many names that a gap has taken with it are tried for.
constexpr uint32_t kMostLostNames = 64;

// The inverse of an odd number modulo 2^32, by Newton's iteration (each step doubles the bits).
constexpr uint32_t Inverse(uint32_t odd) {
  uint32_t x = odd;
  for (int i = 0; i < 5; ++i) x *= 2 - odd * x;
  return x;
}
static_assert(Inverse(kOffsetFactor) * kOffsetFactor == 1);

uint32_t BytesChecksum(std::string_view bytes) { return static_cast<uint32_t>(Hash64(bytes)); }

uint32_t EntryChecksum(std::string_view bytes, Offset offset, uint32_t names) {
  return BytesChecksum(bytes) ^ (static_cast<uint32_t>(offset.value) * kOffsetFactor) ^
         (names * kNamesFactor);
}

size_t VarintSize(uint64_t v) {
  size_t n = 1;
  for (; v >= 0x80; v >>= 7) ++n;
  return n;
}

// The body behind `length`; false when its fields do not fit together.
bool DecodeBody(std::string_view body, EntryFrame* entry) {
  uint64_t number = 0;
  uint64_t packet = 0;
  if (!GetVarint(&body, &number) || number > kMaxSegmentTopics) return false;
  if (!GetSignedVarint(&body, &entry->time_delta)) return false;
  if (!GetVarint(&body, &packet) || packet > (kResumes | kAssumedTime | 0xffff)) return false;
  entry->topic = {};
  if (number == 0 && !GetBytes(&body, &entry->topic)) return false;
  entry->topic_number = static_cast<uint32_t>(number);
  entry->packet_id = static_cast<uint16_t>(packet & 0xffff);
  entry->assumed = (packet & kAssumedTime) != 0;
  entry->resumes = (packet & kResumes) != 0;
  entry->payload = body;
  return true;
}

// Finds the extent of the frame at the start of `bytes` without looking at its checksum.
// `*checked` is what the checksum covers, `*body_start` where in it the body begins.
FrameState FrameExtent(std::string_view bytes, std::string_view* checked, size_t* body_start,
                       size_t* size) {
  *size = kMinFrameSize;
  if (bytes.size() < kMinFrameSize) return FrameState::kIncomplete;
  std::string_view rest = bytes.substr(kChecksumSize);
  uint64_t length = 0;
  if (!GetVarint(&rest, &length)) {
    // A varint of ours is at most 5 bytes long; when fewer were there, more may complete it.
    *size = bytes.size() + 1;
    return bytes.size() < kChecksumSize + 5 ? FrameState::kIncomplete : FrameState::kDamaged;
  }
  if (length < kMinEntryLength || length > kMaxEntryLength) return FrameState::kDamaged;
  *body_start = bytes.size() - kChecksumSize - rest.size();
  *size = kChecksumSize + *body_start + static_cast<size_t>(length);
  if (rest.size() < length) return FrameState::kIncomplete;
  *checked = bytes.substr(kChecksumSize, *body_start + static_cast<size_t>(length));
  return FrameState::kValid;
}

uint32_t StoredChecksum(std::string_view bytes) {
  uint32_t checksum = 0;
  GetFixed(&bytes, &checksum);
  return checksum;
}

}  // namespace

std::string SegmentName(Offset first_offset) {
  char text[kNameDigits + 1];
  std::snprintf(text, sizeof(text), "%020llu", static_cast<unsigned long long>(first_offset.value));
  return std::string(text).append(kSuffix);
}

std::optional<Offset> ParseSegmentName(std::string_view name) {
  if (name.size() != kNameDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  uint64_t value = 0;
  for (const char c : name.substr(0, kNameDigits)) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<uint64_t>(c - '0');
    if (__builtin_mul_overflow(value, 10u, &value)) return std::nullopt;
    if (__builtin_add_overflow(value, digit, &value)) return std::nullopt;
  }
  // No journal gets that far; sums of such an offset and a count would wrap.
  if (value >= uint64_t{1} << 62) return std::nullopt;
  return Offset{value};
}

std::string ReplacementOf(const std::string& segment) {
  return segment + std::string(kReplacementSuffix);
}

std::string EncodeSegmentHeader(const SegmentHeader& header) {
  std::string out(kMagic);
  PutFixed<uint32_t>(&out, header.version);
  PutFixed<uint64_t>(&out, header.first_offset.value);
  PutFixed<uint64_t>(&out, header.previous_end.value);
  PutFixed<int64_t>(&out, header.previous_time.us);
  PutFixed<uint32_t>(&out, BytesChecksum(out));
  return out;
}

HeaderState DecodeSegmentHeader(std::string_view bytes, SegmentHeader* header) {
  uint32_t written = 0;
  std::string_view field = bytes.substr(std::min(bytes.size(), kMagic.size()));
  // One bit does not make one of another.
  if (GetFixed(&field, &written)) {
    header->version = written == kFirstJournalVersion ? kFirstJournalVersion : kJournalVersion;
  }
  if (bytes.size() < kSegmentHeaderSize || !bytes.starts_with(kMagic)) return HeaderState::kDamaged;
  const std::string_view checked = bytes.substr(0, kSegmentHeaderSize - kChecksumSize);
  if (StoredChecksum(bytes.substr(checked.size())) != BytesChecksum(checked)) {
    return HeaderState::kDamaged;
  }
  bytes.remove_prefix(kMagic.size());
  GetFixed(&bytes, &written);
  GetFixed(&bytes, &header->first_offset.value);
  GetFixed(&bytes, &header->previous_end.value);
  GetFixed(&bytes, &header->previous_time.us);
  return written == header->version ? HeaderState::kValid : HeaderState::kOtherVersion;
}

void EncodeEntry(const EntryFrame& entry, Offset offset, std::string* out, uint32_t names) {
  const uint32_t packet =
      entry.packet_id | (entry.assumed ? kAssumedTime : 0) | (entry.resumes ? kResumes : 0);
  size_t length = VarintSize(entry.topic_number) + VarintSize(ZigZag(entry.time_delta)) +
                  VarintSize(packet) + entry.payload.size();
  if (entry.topic_number == 0) length += VarintSize(entry.topic.size()) + entry.topic.size();
  out->assign(kChecksumSize, '\0');
  PutVarint(out, length);
  PutVarint(out, entry.topic_number);
  PutSignedVarint(out, entry.time_delta);
  PutVarint(out, packet);
  if (entry.topic_number == 0) PutBytes(out, entry.topic);
  out->append(entry.payload);
  const uint32_t checksum = EntryChecksum(std::string_view(*out).substr(kChecksumSize), offset, names);
  std::memcpy(out->data(), &checksum, kChecksumSize);
}

FrameState DecodeEntry(std::string_view bytes, Offset offset, EntryFrame* entry, uint32_t names) {
  std::string_view checked;
  size_t body_start = 0;
  const FrameState extent = FrameExtent(bytes, &checked, &body_start, &entry->size);
  if (extent != FrameState::kValid) return extent;
  if (StoredChecksum(bytes) != EntryChecksum(checked, offset, names)) return FrameState::kDamaged;
  return DecodeBody(checked.substr(body_start), entry) ? FrameState::kValid : FrameState::kDamaged;
}

FoundFrame FindFrame(std::string_view bytes, bool to_end, Offset offset, uint32_t names,
                     uint32_t version, size_t* budget) {
  constexpr size_t kLongestCandidate = 64 << 10;
  FoundFrame found;
  for (size_t at = 1; at + kMinFrameSize <= bytes.size(); ++at) {
    const std::string_view rest = bytes.substr(at);
    const auto most_entries = static_cast<uint32_t>(at / kMinFrameSize + 1);  // that fit in before
    const uint32_t most_names =
        version == kFirstJournalVersion ? 0 : std::min(most_entries, kMostLostNames);
    std::string_view checked;
    size_t body_start = 0;
    EntryFrame entry;
    if (FrameExtent(rest, &checked, &body_start, &entry.size) != FrameState::kValid ||
        entry.size > kLongestCandidate || !DecodeBody(checked.substr(body_start), &entry) ||
        entry.topic_number > names + most_entries) {
      continue;
    }
    if (*budget < checked.size()) {
      found.kind = FoundFrame::Kind::kUnknown;
      return found;
    }
    *budget -= checked.size();
    const uint32_t given = StoredChecksum(rest) ^ BytesChecksum(checked);
    for (uint32_t lost = 0; lost <= most_names; ++lost) {
      const uint32_t before =
          version == kFirstJournalVersion ? 0 : std::min(names + lost, kMaxSegmentTopics);
      const uint32_t ahead = (given ^ (before * kNamesFactor)) * Inverse(kOffsetFactor) -
                             static_cast<uint32_t>(offset.value);
      if (ahead > most_entries || ahead < lost) continue;
      // A 32-bit match by chance is ruled out by an entry directly behind it, or, at the end of the file, by
      // how near it is.
      const std::string_view behind = rest.substr(entry.size);
      if (behind.empty() && (!to_end || ahead > 2 || lost > 1)) continue;
      const bool defines = entry.topic_number == 0 && version != kFirstJournalVersion;
      const uint32_t then = std::min(before + (defines ? 1 : 0), kMaxSegmentTopics);
      EntryFrame next;
      if (!behind.empty() &&
          DecodeEntry(behind, offset + (ahead + 1), &next, then) != FrameState::kValid) {
        continue;
      }
      return {FoundFrame::Kind::kFrame, at, offset + ahead, before};
    }
  }
  return found;
}

}  // namespace rivulet
