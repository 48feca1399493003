#include "node/replay/line_log.h"

#include <algorithm>

namespace rivulet {

Status LineLog::AdvanceTo(Offset to) {
  RIVULET_RETURN_IF_ERROR(input_->SkipTo(to.value));
  batch_ = {to, to, {}};
  return Status::Ok();
}

Status LineLog::Read(SourceGroup*, Offset from, size_t entries, size_t bytes,
                     std::span<const InputMessage>* messages, uint64_t* next) {
  *messages = {};
  *next = from.value;
  if (ended_) return Status::Ok();
  if (from < batch_.begin) {
    return Status(ErrorCode::kOffsetTrimmed, "line at " + std::to_string(from.value) + " was read before");
  }
  if (from == batch_.end) {
    batch_.begin = from;
    RIVULET_RETURN_IF_ERROR(input_->Read(bytes, unit_, &batch_.messages));
    batch_.end = Offset{input_->offset()};
  }
  const auto before = [](const InputMessage& m, Offset offset) { return m.payload.offset < offset.value; };
  const auto first = std::lower_bound(batch_.messages.begin(), batch_.messages.end(), from, before);
  const auto left = static_cast<size_t>(batch_.messages.end() - first);
  const auto last = first + static_cast<std::ptrdiff_t>(std::min(entries, left));
  *messages = {first, last};
  *next = last == batch_.messages.end() ? batch_.end.value : last->payload.offset;
  return Status::Ok();
}

}  // namespace rivulet
