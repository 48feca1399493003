#include "node/engine/result_reader.h"

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

Status ResultReader::Read(const Pipeline& upstream, const Pipeline& reader, size_t entries,
                          size_t bytes, std::vector<InputMessage>* messages, uint64_t* next) {
  const OutputChannel& log = upstream.channel(ChannelKind::kResults);
  const uint64_t offset = reader.offset();
  messages->clear();
  buffer_.clear();
  ends_.clear();
  *next = std::max(offset, log.readable());
  for (uint64_t from = offset; from < log.readable();) {
    if (messages->size() >= entries || buffer_.size() >= bytes) {
      *next = from;
      break;
    }
    const size_t limit = std::min(kReadAtOnce, entries - messages->size());
    size_t count = 0;
    RIVULET_RETURN_IF_ERROR(log.Read(from, limit, [&](const OutputLog::Entry& entry) {
      messages->push_back(MessageOf(entry));
      buffer_.append(entry.json);
      ends_.push_back(buffer_.size());
      from = entry.sequence + 1;
      ++count;
    }));
    if (count < limit) break;
  }
  buffer_.append(kPayloadPadding, '\0');
  uint64_t begin = 0;
  for (size_t i = 0; i < messages->size(); ++i) {
    (*messages)[i].payload.payload = std::string_view(buffer_).substr(begin, ends_[i] - begin);
    begin = ends_[i];
  }
  const bool all = *next >= log.readable();
  const bool further = reader.plan().source.Brought(upstream.released()) > reader.watermark();
  if (!all || (messages->empty() && !further)) return Status::Ok();
  InputMessage punctuation;
  punctuation.kind = InputMessage::Kind::kWatermark;
  punctuation.watermark_us = upstream.released();
  punctuation.payload.offset = *next;
  messages->push_back(punctuation);
  return Status::Ok();
}

}  // namespace rivulet
