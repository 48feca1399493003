#include "node/engine/turn_parts.h"

namespace rivulet {

void TurnParts::Begin(SourceTask* source) {
  places_.clear();
  next_ = 0;
  begin_ = 0;
  last_watermark_ = std::numeric_limits<int64_t>::min();
  size_t records = 0;
  for (uint32_t i = 0; i < source->slots(); ++i) {
    const SourceSlot& slot = source->slot(i);
    for (const uint32_t row : slot.rows) {
      const uint64_t offset = slot.batch.offset[row];
      last_watermark_ = slot.watermark[row];
      if (places_.empty() || places_.back().offset != offset) {
        places_.push_back({offset, records, last_watermark_, last_watermark_});
      }
      places_.back().last_watermark = last_watermark_;
      ++records;
    }
  }
}

TurnParts::Part TurnParts::Next(size_t records, int64_t most) {
  Part part;
  part.begin = begin_;
  for (const size_t first = next_; next_ < places_.size(); ++next_) {
    const Place& place = places_[next_];
    if (next_ == first) continue;
    if (place.records - places_[first].records < records && place.last_watermark <= most) continue;
    part.end = begin_ = place.offset;
    part.watermark = place.watermark;
    break;
  }
  return part;
}

}  // namespace rivulet
