// PatternOperator: looks for sequences in the records of each key.
//
// A record waits until W has passed its time; then it is taken through the pattern, in order of event time,
// among equal times of arrival (as Flink's CEP does). A record that is older than W when it comes is late.
// What happens at a time - a record is taken, a `for` is over, time runs out - is put out in the place of a
// window that ends right behind it; at one time, records come before what time alone does.
#pragma once

#include <string>
#include <vector>

#include "operators/keyed_operator.h"
#include "operators/pattern/pattern_matcher.h"

namespace rivulet {

class PatternOperator final : public KeyedOperator, private PatternSink {
 public:
  PatternOperator(const PatternPlan* plan, const std::string& prefix, const StateView* view,
                  KeyShare share, const FirePoint& fired);

  void Process(const KeyedRecords& input, ResultSink* sink) override;
  void Advance(const FirePoint& point, ResultSink* sink) override;
  FirePoint NextPoint(int64_t watermark, size_t limit) override;
  StateOwner& state() override { return table_; }

 private:
  void AddRecord(const KeyedRecords& input, uint32_t row, ResultSink* sink);
  uint64_t ConditionsMet(const KeyedRecords& input, uint32_t row) const;
  // All that has its place before `watermark`.
  void Settle(PatternState* state, int64_t watermark);
  // Sets the key's timer, or lets the key go.
  void Schedule(PatternState* state, int64_t watermark);

  void OnMatch(const PatternRun& run, int64_t end_us, bool timed_out) override;
  void OnFault(int64_t time_us, ErrorCode code, std::string detail) override;

  const PatternPlan* plan_;
  PatternTable table_;
  PatternMatcher matcher_;
  PatternState* state_ = nullptr;
  ResultSink* sink_ = nullptr;
  int64_t now_ = 0;
  std::vector<Column> columns_;  // by result, one row
  std::vector<Value> values_;
  std::string bytes_;
};

}  // namespace rivulet
