#include "operators/join/interval_join.h"

#include <algorithm>

#include "base/hash.h"
#include "base/types.h"
#include "base/value_codec.h"

namespace rivulet {
namespace {

// The interval lies in about three buckets: few to look into, and records stay at most half as long again
// as they can have partners.
int64_t BucketWidth(const JoinSpec& spec) {
  constexpr int64_t kLeast = 10'000;
  return std::max(kLeast, (spec.upper_us - spec.lower_us) / 2);
}

// Of records that expire at one time, results go out by their start. That side comes first whose records wait
// longer, as those are earlier.
JoinSide FirstSide(const JoinSpec& spec) {
  return spec.upper_us >= -spec.lower_us ? JoinSide::kLeft : JoinSide::kRight;
}

}  // namespace

IntervalJoin::IntervalJoin(const JoinSpec& spec, const std::string& prefix, const StateView* view,
                           KeyShare share, const FirePoint& fired)
    : KeyedOperator(fired),
      spec_(spec),
      buffers_(prefix, view, share, FirstSide(spec), BucketWidth(spec), spec.left_values,
               spec.right_values),
      values_(spec.left_values + spec.right_values) {}

void IntervalJoin::Process(const KeyedRecords& input, ResultSink* sink) {
  for (uint32_t k = 0; k < input.count; ++k) AddRecord(input, input.rows[k], sink);
}

void IntervalJoin::AddRecord(const KeyedRecords& input, uint32_t row, ResultSink* sink) {
  const int64_t watermark = std::max(input.watermark[row], fired_);
  const JoinSide side =
      input.source[row] == spec_.left_source ? JoinSide::kLeft : JoinSide::kRight;
  const Arrival arrival{input.keys->Key(row), input.keys->hashes[row], side,
                        input.batch->event_time[row], {watermark, 1, input.position + row}};
  if (arrival.time < watermark) {
    sink->OnLate(arrival.order, row);
    return;
  }
  const size_t first = side == JoinSide::kLeft ? 0 : spec_.left_values;
  for (size_t i = 0; i < CountOf(side); ++i) {
    ValuesOf(side)[i] = (*input.arguments)[first + i]->Get(row);
  }
  FindPartners(arrival);
  EmitPairs(arrival, sink);
  Keep(arrival, sink);
}

void IntervalJoin::FindPartners(const Arrival& arrival) {
  partners_.clear();
  const int64_t from = buffers_.BucketOf(arrival.time + Low(arrival.side));
  const int64_t to = buffers_.BucketOf(arrival.time + High(arrival.side));
  for (int64_t bucket = from; bucket <= to; ++bucket) FindPartnersIn(arrival, bucket);
  const auto earlier = [](const Partner& a, const Partner& b) { return a.when() < b.when(); };
  if (!std::is_sorted(partners_.begin(), partners_.end(), earlier)) {
    std::stable_sort(partners_.begin(), partners_.end(), earlier);
  }
}

void IntervalJoin::FindPartnersIn(const Arrival& arrival, int64_t bucket) {
  const int64_t low = arrival.time + Low(arrival.side), high = arrival.time + High(arrival.side);
  const JoinSide other = OtherSide(arrival.side);
  JoinChunk* const head = buffers_.FindChunk(arrival.key, other, bucket, 0);
  if (head == nullptr) return;
  for (uint32_t number = 0; number < head->chunks; ++number) {
    JoinChunk* const chunk =
        number == 0 ? head : buffers_.FindChunk(arrival.key, other, bucket, number);
    if (chunk == nullptr) return;  // a damaged count must not make this go on for ever
    if (chunk->last < low || chunk->first > high) continue;
    for (uint32_t i = 0; i < chunk->items.size(); ++i) {
      const int64_t time = chunk->items[i].time;
      if (time >= low && time <= high) partners_.push_back({chunk, i});
    }
  }
}

void IntervalJoin::EmitPairs(const Arrival& arrival, ResultSink* sink) {
  const JoinSide other = OtherSide(arrival.side);
  for (const Partner& partner : partners_) {
    JoinChunk::Item& item = partner.chunk->items[partner.item];
    LoadValues(other, partner.chunk->Values(item));
    EmitRow(arrival.key, arrival.hash, arrival.order, std::min(item.time, arrival.time),
            std::max(item.time, arrival.time), sink);
    if (item.matched || !Outer(other)) continue;
    item.matched = true;
    buffers_.MarkDirty(partner.chunk);
  }
}

void IntervalJoin::Keep(const Arrival& arrival, ResultSink* sink) {
  const JoinSide side = arrival.side;
  const bool matched = !partners_.empty();
  const int64_t expiry = Expiry(side, arrival.time);
  if (expiry <= arrival.order.time) {
    if (matched || !Outer(side)) return;
    LoadNulls(OtherSide(side));
    return EmitRow(arrival.key, arrival.hash, arrival.order, arrival.time, arrival.time, sink);
  }
  record_.clear();
  for (size_t i = 0; i < CountOf(side); ++i) PutValue(&record_, ValuesOf(side)[i]);
  JoinChunk* chunk = buffers_.Add(arrival.key, side, arrival.time, record_, matched);
  const bool waits = Outer(side) && !matched;
  const int64_t end = buffers_.EndOf(buffers_.BucketOf(arrival.time)) + High(side);
  const int64_t due = waits ? expiry : end;
  buffers_.SetTimer(chunk, std::min(due, buffers_.TimerOf(*chunk)), fired_);
}

int64_t IntervalJoin::NextExpiry(const JoinChunk& chunk, int64_t time) const {
  const JoinSide side = buffers_.SideOf(chunk);
  int64_t next = buffers_.EndOf(chunk.bucket()) + High(side);
  if (!Outer(side)) return next;
  for (const JoinChunk::Item& item : chunk.items) {
    const int64_t expiry = Expiry(side, item.time);
    if (!item.matched && expiry > time) next = std::min(next, expiry);
  }
  return next;
}

void IntervalJoin::Expire(const JoinChunk& chunk, int64_t time, ResultSink* sink) {
  const JoinSide side = buffers_.SideOf(chunk);
  if (!Outer(side)) return;
  const std::string_view key = chunk.record_key();
  for (const JoinChunk::Item& item : chunk.items) {
    if (item.matched || Expiry(side, item.time) != time) continue;
    LoadValues(side, chunk.Values(item));
    LoadNulls(OtherSide(side));
    EmitRow(key, Hash64(key), {time, 0, 0}, item.time, item.time, sink);
  }
}

FirePoint IntervalJoin::NextPoint(int64_t watermark, size_t limit) {
  return buffers_.NextPoint(partial_, watermark, limit);
}

// One time of one chunk after the other: so it makes no difference in how many steps time goes on.
void IntervalJoin::Advance(const FirePoint& point, ResultSink* sink) {
  if (!(partial_ < point)) return;
  buffers_.BringDue(partial_, point);
  while (JoinChunk* chunk = buffers_.NextDue(point)) {
    const int64_t time = buffers_.TimerOf(*chunk);
    if (!partial_.Covers(time, chunk->key)) Expire(*chunk, time, sink);
    const int64_t next = NextExpiry(*chunk, time);
    if (next <= time) {
      buffers_.Drop(chunk);
    } else {
      buffers_.SetTimer(chunk, next, time);
    }
  }
  Reach(point);
}

void IntervalJoin::LoadValues(JoinSide side, std::string_view bytes) {
  for (size_t i = 0; i < CountOf(side); ++i) {
    if (GetValue(&bytes, &ValuesOf(side)[i])) continue;
    return buffers_.FailCorrupt("the records of a join cannot be read");
  }
}

void IntervalJoin::LoadNulls(JoinSide side) {
  for (size_t i = 0; i < CountOf(side); ++i) ValuesOf(side)[i] = Value::Null();
}

void IntervalJoin::EmitRow(std::string_view key, uint64_t hash, const ResultOrder& order,
                           int64_t start, int64_t end, ResultSink* sink) {
  sink->OnRow({order, key, hash, start, end, values_.data(), values_.size()});
}

}  // namespace rivulet
