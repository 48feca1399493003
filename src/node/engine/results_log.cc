#include "node/engine/results_log.h"

#include <algorithm>

namespace rivulet {
namespace {

constexpr size_t kReadAtOnce = 256;

// Results of versions without places have no time but their window's, and say nothing of W.
InputMessage MessageOf(const OutputLog::Entry& entry) {
  InputMessage message;
  message.payload.offset = entry.sequence;
  message.payload.arrival_us =
      entry.place.time_us == OutputPlace::kUnknown ? entry.start_us : entry.place.time_us;
  message.watermark_us = entry.place.watermark_us;
  return message;
}

}  // namespace

Result<Offset> ResultsLog::begin() const {
  Offset begin;
  RIVULET_ASSIGN_OR_RETURN(begin.value, log().Begin());
  return begin;
}

Status ResultsLog::ReadEntries(uint64_t from, size_t entries, size_t bytes, uint64_t* next) {
  *next = std::max(from, log().readable());
  while (from < log().readable()) {
    if (buffer_.messages.size() >= entries || buffer_.bytes.size() >= bytes) {
      *next = from;
      return Status::Ok();
    }
    const size_t limit = std::min(kReadAtOnce, entries - buffer_.messages.size());
    size_t count = 0;
    RIVULET_RETURN_IF_ERROR(log().Read(from, limit, [&](const OutputLog::Entry& entry) {
      buffer_.messages.push_back(MessageOf(entry));
      buffer_.bytes.append(entry.json);
      buffer_.ends.push_back(buffer_.bytes.size());
      from = entry.sequence + 1;
      ++count;
    }));
    if (count < limit) return Status::Ok();
  }
  return Status::Ok();
}

Status ResultsLog::Read(SourceGroup* source, Offset from, size_t entries, size_t bytes,
                        std::span<const InputMessage>* messages, uint64_t* next) {
  buffer_.messages.clear();
  buffer_.bytes.clear();
  buffer_.ends.clear();
  RIVULET_RETURN_IF_ERROR(ReadEntries(from.value, entries, bytes, next));
  buffer_.bytes.append(kPayloadPadding, '\0');
  uint64_t begin = 0;
  for (size_t i = 0; i < buffer_.messages.size(); ++i) {
    const std::string_view all(buffer_.bytes);
    buffer_.messages[i].payload.payload = all.substr(begin, buffer_.ends[i] - begin);
    begin = buffer_.ends[i];
  }
  *messages = buffer_.messages;
  const bool to_the_end = *next >= log().readable();
  const int64_t released = pipeline_.released();
  if (!to_the_end || (buffer_.messages.empty() && !source->BringsOn(released))) return Status::Ok();
  InputMessage punctuation;
  punctuation.kind = InputMessage::Kind::kWatermark;
  punctuation.watermark_us = released;
  punctuation.payload.offset = *next;
  buffer_.messages.push_back(punctuation);
  *messages = buffer_.messages;
  return Status::Ok();
}

}  // namespace rivulet
