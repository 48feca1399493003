// SelectOperator: of a pipeline whose results are its records. It holds nothing, and any point in time can be
// reached at once.
#pragma once

#include "operators/keyed_operator.h"

namespace rivulet {

class SelectOperator final : public KeyedOperator {
 public:
  explicit SelectOperator(const FirePoint& fired) : KeyedOperator(fired) {}

  StateOwner& state() override { return nothing_; }
  void Process(const KeyedRecords&, ResultSink*) override {}
  void Advance(const FirePoint& point, ResultSink*) override { Reach(point); }
  FirePoint NextPoint(int64_t watermark, size_t) override { return {watermark, true, ""}; }

 private:
  StateOwners nothing_;
};

}  // namespace rivulet
