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

// The inverse of an odd number modulo 2^32, by Newton's iteration (each step doubles the bits).
constexpr uint32_t Inverse(uint32_t odd) {
  uint32_t x = odd;
  for (int i = 0; i < 5; ++i) x *= 2 - odd * x;
  return x;
}
static_assert(Inverse(kOffsetFactor) * kOffsetFactor == 1);

uint32_t BytesChecksum(std::string_view bytes) { return static_cast<uint32_t>(Hash64(bytes)); }

uint32_t EntryChecksum(std::string_view bytes, Offset offset) {
  return BytesChecksum(bytes) ^ (static_cast<uint32_t>(offset.value) * kOffsetFactor);
}

// The low 32 bits of the offset at which a frame with this checksum and these bytes is valid.
uint32_t OffsetOfChecksum(uint32_t checksum, std::string_view bytes) {
  return (checksum ^ BytesChecksum(bytes)) * Inverse(kOffsetFactor);
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
  PutFixed<uint32_t>(&out, kJournalVersion);
  PutFixed<uint64_t>(&out, header.first_offset.value);
  PutFixed<uint64_t>(&out, header.previous_end.value);
  PutFixed<int64_t>(&out, header.previous_time.us);
  PutFixed<uint32_t>(&out, BytesChecksum(out));
  return out;
}

HeaderState DecodeSegmentHeader(std::string_view bytes, SegmentHeader* header) {
  if (bytes.size() < kSegmentHeaderSize || !bytes.starts_with(kMagic)) return HeaderState::kDamaged;
  const std::string_view checked = bytes.substr(0, kSegmentHeaderSize - kChecksumSize);
  if (StoredChecksum(bytes.substr(checked.size())) != BytesChecksum(checked)) {
    return HeaderState::kDamaged;
  }
  bytes.remove_prefix(kMagic.size());
  uint32_t version = 0;
  GetFixed(&bytes, &version);
  GetFixed(&bytes, &header->first_offset.value);
  GetFixed(&bytes, &header->previous_end.value);
  GetFixed(&bytes, &header->previous_time.us);
  return version == kJournalVersion ? HeaderState::kValid : HeaderState::kOtherVersion;
}

void EncodeEntry(const EntryFrame& entry, Offset offset, std::string* out) {
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
  const uint32_t checksum = EntryChecksum(std::string_view(*out).substr(kChecksumSize), offset);
  std::memcpy(out->data(), &checksum, kChecksumSize);
}

FrameState DecodeEntry(std::string_view bytes, Offset offset, EntryFrame* entry) {
  std::string_view checked;
  size_t body_start = 0;
  const FrameState extent = FrameExtent(bytes, &checked, &body_start, &entry->size);
  if (extent != FrameState::kValid) return extent;
  if (StoredChecksum(bytes) != EntryChecksum(checked, offset)) return FrameState::kDamaged;
  return DecodeBody(checked.substr(body_start), entry) ? FrameState::kValid : FrameState::kDamaged;
}

FramesBehind FindFramesBehind(std::string_view bytes, Offset offset, uint32_t topics) {
  // Random bytes can look like long frames; hashing them all would be quadratic.
  constexpr size_t kLongestCandidate = 64 << 10;
  size_t budget = 64 << 20;
  FramesBehind result;
  size_t position = 1;
  while (position + kMinFrameSize <= bytes.size()) {
    const std::string_view rest = bytes.substr(position);
    std::string_view checked;
    size_t body_start = 0;
    EntryFrame entry;
    const uint64_t most_entries = position / kMinFrameSize + 1;  // that fit in before
    if (FrameExtent(rest, &checked, &body_start, &entry.size) != FrameState::kValid ||
        entry.size > kLongestCandidate || !DecodeBody(checked.substr(body_start), &entry) ||
        entry.topic_number > topics + most_entries) {
      ++position;
      continue;
    }
    if (budget < checked.size()) {
      result.kind = FramesBehind::Kind::kUnknown;
      result.end = offset + (bytes.size() / kMinFrameSize + 1);
      return result;
    }
    budget -= checked.size();
    const Offset base = std::max(result.end, offset);
    const uint32_t ahead = OffsetOfChecksum(StoredChecksum(rest), checked) -
                           static_cast<uint32_t>(base.value);
    const Offset found = base + ahead;
    // A 32-bit match by chance is ruled out by an entry directly before or behind it, or by the end
    // of the file.
    EntryFrame next;
    const bool near = ahead <= most_entries;
    const bool follows = result.kind == FramesBehind::Kind::kEntries && ahead == 0;
    const std::string_view behind = rest.substr(entry.size);
    if (follows) {
      result.end = found + 1;
      position += entry.size;
    } else if (near && (behind.empty() ||
                        DecodeEntry(behind, found + 1, &next) == FrameState::kValid)) {
      result.kind = FramesBehind::Kind::kEntries;
      result.end = found + (behind.empty() ? 1 : 2);
      position += entry.size + (behind.empty() ? 0 : next.size);
    } else {
      ++position;
    }
  }
  return result;
}

}  // namespace rivulet
