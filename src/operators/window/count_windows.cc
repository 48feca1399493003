#include "operators/window/count_windows.h"

#include <algorithm>

#include "operators/window/trigger_limits.h"

namespace rivulet {

CountWindows::CountWindows(const WindowSpec& spec, const AggregatePlan* plan,
                           const PaneLayouts* layouts, std::string prefix, const StateView* view,
                           KeyShare share, const FirePoint& fired)
    : WindowOperator(spec, plan, fired),
      slice_records_(std::gcd(spec.count, spec.count_slide)),
      slices_(CountSlices(spec.count, spec.count_slide)),
      rows_(plan, layouts, prefix, view, share),
      scratch_block_(plan->block_bytes() / 8 + 1) {}

void CountWindows::Process(const KeyedRecords& input, ResultSink* sink) {
  for (uint32_t k = 0; k < input.count; ++k) AddRecord(input, input.rows[k], sink);
  accumulator_.Flush(input);
  rows_.AddedRecords(input.count);
}

WindowPart* CountWindows::Slice(KeyWindows* key, int64_t time) {
  if (!key->parts.empty() && key->parts.back().records < slice_records_) return &key->parts.back();
  // What the next window no longer holds goes; a key always keeps a slice, and with it its count.
  if (key->parts.size() >= slices_) rows_.Remove(key, 0, key->parts.size() - slices_ + 1);
  return rows_.Insert(key, key->parts.size(), time, time);
}

void CountWindows::AddRecord(const KeyedRecords& input, uint32_t row, ResultSink* sink) {
  const int64_t time = input.batch->event_time[row];
  KeyWindows* key = rows_.Find(input.keys->Key(row), input.keys->hashes[row], true);
  const int64_t watermark = std::max(input.watermark[row], fired_);
  if (key->OverAt(spec_.keep_us) <= std::max(time, watermark)) {
    accumulator_.Flush(input);
    rows_.Reset(key);
  }
  key->Touch(time, watermark, spec_.keep_us);
  rows_.SetTimer(key, key->OverAt(spec_.keep_us), watermark);
  // A slice that goes, and one that is put out, must have got what was gathered for them.
  const bool begins = key->parts.empty() || key->parts.back().records >= slice_records_;
  if (begins && key->parts.size() >= slices_) accumulator_.Flush(input);
  WindowPart* slice = Slice(key, time);
  slice->start = std::min(slice->start, time);
  slice->end = std::max(slice->end, time);
  ++slice->records;
  ++key->total;
  accumulator_.Add(row, slice->bytes());
  rows_.MarkDirty(key);
  if (key->total < spec_.count || (key->total - spec_.count) % spec_.count_slide != 0) return;
  accumulator_.Flush(input);
  Emit(*key, {watermark, 1, input.position + row}, sink);
}

FirePoint CountWindows::NextPoint(int64_t watermark, size_t limit) {
  return rows_.NextPoint(partial_, watermark, limit);
}

void CountWindows::Advance(const FirePoint& point, ResultSink*) {
  if (!(partial_ < point)) return;
  rows_.BringDue(partial_, point);
  while (KeyWindows* key = rows_.NextDue(point)) {
    const int64_t watermark = point.TimeOf(key->key);
    const int64_t over = key->OverAt(spec_.keep_us);
    if (over > watermark || over == kNoTimer) {
      rows_.SetTimer(key, over, watermark);
      continue;
    }
    rows_.Reset(key);
    rows_.Erase(key);
  }
  Reach(point);
}

void CountWindows::Emit(const KeyWindows& key, const ResultOrder& order, ResultSink* sink) {
  const auto ordinal = static_cast<int64_t>((key.total - spec_.count) / spec_.count_slide);
  const WindowPart& first = key.parts.front();
  WindowResult result{order,     key.key, key.hash, first.start, first.end,
                      ordinal, 0,       false,    first.bytes()};
  if (key.parts.size() == 1) return sink->OnWindow(result);
  char* block = reinterpret_cast<char*>(scratch_block_.data());
  plan_->Init(block);
  for (const WindowPart& part : key.parts) {  // oldest first
    plan_->Merge(block, part.bytes());
    result.start_us = std::min(result.start_us, part.start);
    result.end_us = std::max(result.end_us, part.end);
  }
  result.block = block;
  sink->OnWindow(result);
  plan_->Destroy(block);
}

}  // namespace rivulet
