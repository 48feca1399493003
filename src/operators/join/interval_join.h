// IntervalJoin: pairs the records of two streams that have one key and whose times lie within an interval of
// each other, after Flink's interval join.
//
// A record `l` of the left and `r` of the right stream are a pair when lower <= r.time - l.time <= upper;
// both bounds belong to it. Rules, with W the watermark just before a record:
//   - a record with a time less than W is late, and joins nothing;
//   - a pair is put out with the one of its records that comes later, ordered as what that record causes;
//     a record with several partners puts them out by their times, of equal times in the order in which
//     they came;
//   - a record is kept until W is past the last time at which a partner may come;
//   - left, full: a record that goes without ever having had a partner is put out at that time, with nulls
//     for the other side, ordered as a closing; at once, where that time has passed when it comes.
// So each pair is put out once, and each record of an outer side at least once.
//
// A result's start is the earlier of both times, its end the later. Its values are those of the left, then
// those of the right record.
#pragma once

#include <string>
#include <vector>

#include "operators/join/join_buffers.h"
#include "operators/join/join_spec.h"
#include "operators/keyed_operator.h"

namespace rivulet {

class IntervalJoin final : public KeyedOperator {
 public:
  IntervalJoin(const JoinSpec& spec, const std::string& prefix, const StateView* view, KeyShare share,
               const FirePoint& fired);

  void Process(const KeyedRecords& input, ResultSink* sink) override;
  void Advance(const FirePoint& point, ResultSink* sink) override;
  FirePoint NextPoint(int64_t watermark, size_t limit) override;
  StateOwner& state() override { return buffers_; }

 private:
  // A record on its way.
  struct Arrival {
    std::string_view key;
    uint64_t hash;
    JoinSide side;
    int64_t time;
    ResultOrder order;
  };
  struct Partner {
    JoinChunk* chunk;
    uint32_t item;
    int64_t when() const { return chunk->items[item].time; }
  };
  // Partners of a record at t have times in [t + Low, t + High] of the other side; when W is past t + High,
  // none can come any more.
  int64_t Low(JoinSide side) const {
    return side == JoinSide::kLeft ? spec_.lower_us : -spec_.upper_us;
  }
  int64_t High(JoinSide side) const {
    return side == JoinSide::kLeft ? spec_.upper_us : -spec_.lower_us;
  }
  int64_t Expiry(JoinSide side, int64_t time) const { return time + High(side) + 1; }
  // Whether the side's records are put out without a partner.
  bool Outer(JoinSide side) const {
    return spec_.type == JoinSpec::Type::kFull ||
           (spec_.type == JoinSpec::Type::kLeft && side == JoinSide::kLeft);
  }

  void AddRecord(const KeyedRecords& input, uint32_t row, ResultSink* sink);
  // Fills partners_, in the order of their results.
  void FindPartners(const Arrival& arrival);
  void FindPartnersIn(const Arrival& arrival, int64_t bucket);
  void EmitPairs(const Arrival& arrival, ResultSink* sink);
  void Keep(const Arrival& arrival, ResultSink* sink);
  // Puts out what of the chunk goes at `time` without having had a partner.
  void Expire(const JoinChunk& chunk, int64_t time, ResultSink* sink);
  // When the chunk is to be looked at next, behind `time`.
  int64_t NextExpiry(const JoinChunk& chunk, int64_t time) const;

  Value* ValuesOf(JoinSide side) {
    return values_.data() + (side == JoinSide::kLeft ? 0 : spec_.left_values);
  }
  size_t CountOf(JoinSide side) const {
    return side == JoinSide::kLeft ? spec_.left_values : spec_.right_values;
  }
  void LoadValues(JoinSide side, std::string_view bytes);
  void LoadNulls(JoinSide side);
  void EmitRow(std::string_view key, uint64_t hash, const ResultOrder& order, int64_t start,
               int64_t end, ResultSink* sink);

  JoinSpec spec_;
  JoinBuffers buffers_;
  std::vector<Value> values_;      // of a result
  std::vector<Partner> partners_;  // of the record being added
  std::string record_;             // scratch: its values as bytes
};

}  // namespace rivulet
