// NoWindows: the window operator of a pipeline whose results are its records. It holds nothing, and any point
// in time can be closed at once.
#pragma once

#include "operators/window/window_operator.h"

namespace rivulet {

class NoWindows final : public WindowOperator {
 public:
  explicit NoWindows(const FirePoint& fired) : closed_(Whole(fired)) {}

  void Process(const WindowInput&, ResultSink*) override {}
  void Advance(const FirePoint& point, ResultSink*) override { closed_ = Whole(point); }
  FirePoint NextPoint(int64_t watermark, size_t) override { return {watermark, true, ""}; }
  int64_t closed() const override { return closed_; }
  StateOwner& state() override { return nothing_; }

 private:
  static int64_t Whole(const FirePoint& point) {
    return point.whole ? point.time : SaturatingSub(point.time, 1);
  }

  int64_t closed_;
  StateOwners nothing_;
};

}  // namespace rivulet
